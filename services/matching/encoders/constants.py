"""Makes `constants.npz`: `python -m services.matching.encoders.constants`, in two minutes.

The means of needs, offers and languages come from `sentences.jsonl`: needs and offers that we wrote in four languages.
The directions in which texts differ come from these sentences and from the labels of the NACE classes. No text of a
participant is used. New constants need a new version of the scorers that use them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from services.matching.domain.text.scorer import Matrix, Role
from services.matching.encoders.centred import CONSTANTS, Constants, Encoder
from services.matching.encoders.e5 import E5
from services.matching.encoders.use import Use
from services.matching.vocabulary import nace_categories

SENTENCES: Final = Path(__file__).with_name("sentences.jsonl")
LANGUAGES: Final = ("es", "en", "pt", "fr")
#: Fewer numbers than the encoders give: the rest costs time and memory, and improves no result (ADR 0009).
WIDTH: Final = 192
_NO_SPREAD: Final = 1e-5


def constants_of(
    encoder: Encoder, sentences: Sequence[dict[str, dict[str, str]]], labels: Sequence[Mapping[str, str]]
) -> Constants:
    """Compute the constants of an encoder."""
    needs, offers = (
        _by_language(encoder, [sentence[role] for sentence in sentences]) for role in (Role.NEED, Role.OFFER)
    )
    need, offer = needs.mean((0, 1)), offers.mean((0, 1))
    classes = _by_language(encoder, labels)
    languages = ((needs.mean(1) - need) + (offers.mean(1) - offer)) / 2
    varied = np.concatenate([*(needs - need), *(offers - offer), *(classes - classes.mean(1, keepdims=True))])
    tongues = np.linalg.svd(languages, full_matrices=False)[2][: len(LANGUAGES) - 1]
    _, spread, directions = np.linalg.svd(varied - (varied @ tongues.T) @ tongues, full_matrices=False)
    return Constants(need, offer, directions[:WIDTH][spread[:WIDTH] > _NO_SPREAD * spread[0]])


def _by_language(encoder: Encoder, texts: Sequence[Mapping[str, str]]) -> Matrix:
    """Shape (languages, texts, raw width)."""
    return np.stack([encoder.encode([text[language] for text in texts]) for language in LANGUAGES])


def main() -> None:
    """Write the constants of both encoders."""
    sentences = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    labels = [category.labels for category in nace_categories()]
    kept = {
        f"{encoder.name}.{field}": value.astype(np.float16)
        for encoder in (Use(), E5())
        for field, value in constants_of(encoder, sentences, labels)._asdict().items()
    }
    np.savez_compressed(CONSTANTS, allow_pickle=False, **kept)


if __name__ == "__main__":
    main()
