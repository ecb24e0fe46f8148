"""Makes `word_vectors.npz`: `python -m services.matching.vocabulary.build_words`.

The words come from our tables and from the labels of NACE in six languages; the vectors from the default tier, on
their 64 main directions.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text.scorer import Matrix, Role
from services.matching.domain.text.trades import words_of
from services.matching.encoders import default_scorer
from services.matching.vocabulary import ACTIVITIES, ACTIVITIES_DE_IT, FOLDER, TRADES, WORD_VECTORS, nace_categories

LABELLED: Final = ("labelled_offers.txt", "labelled_hard.txt")
_WIDTH: Final = 64
_SHORTEST: Final = 3
#: Vectors are stored as multiples of 1/127.
_GRID: Final = 127


def words() -> list[str]:
    """Return the words of the table, sorted."""
    files = [*TRADES.glob("*.txt"), ACTIVITIES, ACTIVITIES_DE_IT, *(FOLDER / name for name in LABELLED)]
    texts = [line.replace("*", " ") for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    texts += [label for category in nace_categories() for label in category.labels.values()]
    found = {word for text in texts for word in words_of(text).words}
    return sorted(word for word in found if len(word) >= _SHORTEST and not any(letter.isdigit() for letter in word))


def arrays(of: list[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of the file by name; `word_vectors()` reads it."""
    vectors = default_scorer().embed(of, Role.NEED)
    _, _, directions = np.linalg.svd(vectors, full_matrices=False)
    narrow: Matrix = vectors @ directions[:_WIDTH].T
    narrow /= np.maximum(1e-9, np.linalg.norm(narrow, axis=1, keepdims=True))
    return {
        "words": np.frombuffer("\n".join(of).encode(), np.uint8),
        "vectors": np.round(narrow * _GRID).astype(np.int8),
    }


if __name__ == "__main__":
    np.savez_compressed(WORD_VECTORS, allow_pickle=False, **arrays(words()))
