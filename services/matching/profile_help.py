"""Profile help: needs, offers and codes suggested from a free text, and remarks on vague items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from services.matching.domain.text.classification import Suggestion
from services.matching.domain.text.confidence import low_confidence_reasons
from services.matching.domain.text.items import Item, items_of
from services.matching.domain.text.scorer import Matrix, Role, plain
from services.matching.domain.text.specificity import SpecificityIssue, specificity_issue
from services.matching.domain.text.trades import words_of
from services.matching.ports import TextEncoder
from services.matching.vocabulary import Vocabulary
from shared.internal_api.profile_help import ProfileQuestion, ProfileSuggestions, Remark, SuggestedCode

#: Most needs and most offers of a profile; the first of more are suggested.
MOST_ITEMS: Final = 10
_CLASSES: Final = 10
_KETS: Final = 3
#: Least cosine of a technology: short texts are often nearer than usual to one that has nothing to do with them.
_NEAREST_KET: Final = 0.3
#: A text without a trade and without a known word names no activity if the nearest label has a lower cosine.
_NEAREST: Final = 0.5
#: Most words of a text whose trades count: a longer one names many, and the encoder has enough to read.
_LONGEST_NAMED: Final = 25
#: Weights of the words of a text and of its trades, by rank, beside 1 of the cosine; the sum is divided.
_OF_WORDS: Final = 1.2
_OF_TRADES: Final = (0.3, 0.2, 0.1)
_SUM: Final = 2.5


class ProfileHelp:
    """Answers questions. Model and vocabulary are loaded at the first question: call it in a thread."""

    def __init__(self, encoder: Callable[[], TextEncoder], known: Callable[[], Vocabulary]) -> None:
        self._encoder = encoder
        self._vocabulary = known

    def answer(self, question: ProfileQuestion) -> ProfileSuggestions:
        """Return the suggestions. The work is bounded for any text up to the longest that is accepted."""
        items = list(dict.fromkeys(items_of(question.text)))[: 2 * MOST_ITEMS]
        remarks = [Remark(code=reason.value) for reason in low_confidence_reasons([question.text])]
        if not items:
            return ProfileSuggestions(remarks=remarks)
        known = self._vocabulary()
        texts = [plain(question.text), *(item.text for item in items)]
        raw = self._encoder().encode(texts)
        vectors = known.means.centred(raw)
        guesses = known.means.roles(vectors[1:])
        roles = [item.role or guess for item, guess in zip(items, guesses, strict=True)]
        telling = [
            1 + row for row, item in enumerate(items) if specificity_issue(item.text) is not SpecificityIssue.GENERIC
        ]
        # Activities follow from offers alone; technologies also from needs.
        doing = [row for row in telling if roles[row - 1] is Role.OFFER]
        classes = _classes(known, [texts[row] for row in doing or [0]], vectors[[0, *doing]]) if telling else []
        if telling and not classes:
            remarks.append(Remark(code=SpecificityIssue.GENERIC.value, item=items[0].text))
        return ProfileSuggestions(
            needs=_of_role(Role.NEED, items, roles),
            offers=_of_role(Role.OFFER, items, roles),
            classes=_shown(classes),
            kets=_shown(_kets(known, vectors[telling])) if classes else [],
            remarks=[*remarks, *_remarks(items, roles)],
        )


def _classes(known: Vocabulary, texts: Sequence[str], vectors: Matrix) -> list[Suggestion]:
    """Return the classes that the texts are nearest to, by their sense, their words and the trades that they name.

    A slogan names none.
    """
    near = known.nace.nearness(vectors)
    ranks = _ranks(known, texts)
    if not ranks and near.max() < _NEAREST and not any(map(known.words.knows, texts)):
        return []
    words = np.max([known.words.scores(text) for text in texts], axis=0)
    trades = [_OF_TRADES[ranks[category.code]] if category.code in ranks else 0.0 for category in known.nace.categories]
    scores = (near + _OF_WORDS * words + np.asarray(trades, np.float32)) / _SUM
    return known.nace.ranked(scores, _CLASSES)


def _kets(known: Vocabulary, vectors: Matrix) -> list[Suggestion]:
    return [near for near in known.kets.suggest(vectors, _KETS) if near.score >= _NEAREST_KET]


def _ranks(known: Vocabulary, texts: Sequence[str]) -> dict[str, int]:
    """Return the classes of named trades by rank: 0 of an offered trade, 1 of a purpose, 2 less likely."""
    ranks: dict[str, int] = {}
    for text in texts:
        words, purpose = words_of(text)
        found = known.trades.find(words) if len(words) <= _LONGEST_NAMED else {}
        for trade, place in found.items():
            for number, code in enumerate(known.classes.get(trade, ())):
                rank = 2 if number else int(place >= purpose)
                ranks[code] = min(rank, ranks.get(code, rank))
    return ranks


def _of_role(role: Role, items: Sequence[Item], roles: Sequence[Role]) -> list[str]:
    texts = (item.text for item, has in zip(items, roles, strict=True) if has is role)
    return list(dict.fromkeys(texts))[:MOST_ITEMS]


def _remarks(items: Sequence[Item], roles: Sequence[Role]) -> Iterator[Remark]:
    for item in items:
        if vagueness := specificity_issue(item.text):
            yield Remark(code=vagueness.value, item=item.text)
        if item.role is None:
            yield Remark(code="role_guessed", item=item.text)
    for role, code in ((Role.NEED, "no_needs"), (Role.OFFER, "no_offers")):
        if role not in roles:
            yield Remark(code=code)


def _shown(suggestions: Sequence[Suggestion]) -> list[SuggestedCode]:
    return [
        SuggestedCode(
            code=suggestion.category.code,
            labels=dict(suggestion.category.labels),
            score=suggestion.score,
        )
        for suggestion in suggestions
    ]
