"""Splits a text into a language model's pieces: SentencePiece's unigram model (Kudo, ACL 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: SentencePiece's character for a blank and for the beginning of a text.
_BLANK: Final = "\u2581"
#: Cost of a letter without a piece beyond the cost of the rarest piece.
_UNKNOWN_COST: Final = 10.0


class Unigram:
    """Finds the pieces with the greatest sum of scores. A score is the logarithm of a piece's frequency."""

    def __init__(self, pieces: Sequence[str], scores: Sequence[float], unknown: int, shown: dict[int, str]) -> None:
        """Set up the pieces. `shown` maps letters, by code point, to the spelling that the model expects."""
        self._shown = shown
        self._unknown = unknown
        self._scores = scores
        self._numbers = {piece: number for number, piece in enumerate(pieces) if number != unknown}
        self._longest = max(map(len, pieces))
        self._unknown_score = min(scores) - _UNKNOWN_COST

    def pieces_of(self, text: str) -> list[int]:
        """Return the numbers of the pieces in order; an unknown letter is the unknown piece."""
        words = text.translate(self._shown)
        while "  " in words:
            words = words.replace("  ", " ")
        return self._best(words.replace(" ", _BLANK) if words.startswith(" ") else _BLANK + words.replace(" ", _BLANK))

    def _best(self, text: str) -> list[int]:
        """Run Viterbi's algorithm from left to right."""
        best = [0.0] + [-float("inf")] * len(text)
        cut = [(0, self._unknown)] * (len(text) + 1)
        for start in range(len(text)):
            for end in range(start + 1, min(start + self._longest, len(text)) + 1):
                number = self._numbers.get(text[start:end])
                if number is not None and best[start] + self._scores[number] > best[end]:
                    best[end], cut[end] = best[start] + self._scores[number], (start, number)
            if best[start] + self._unknown_score > best[start + 1]:
                best[start + 1], cut[start + 1] = best[start] + self._unknown_score, (start, self._unknown)
        return _backwards(cut)


def _backwards(cut: Sequence[tuple[int, int]]) -> list[int]:
    numbers, end = [], len(cut) - 1
    while end > 0:
        end, number = cut[end]
        numbers.append(number)
    return numbers[::-1]
