"""Makes `vectors.npz`: `python -m services.matching.vocabulary.build`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.matching import encoders
from services.matching.domain.text.classification import RoleMeans
from services.matching.domain.text.scorer import Matrix, Role
from services.matching.ports import TextEncoder
from services.matching.vocabulary import DESCRIBED_IN, GRID, NACE_LANGUAGES, VECTORS, ket_wordings, nace_categories

#: Needs and offers that we wrote; usual cosines are learnt from them.
SENTENCES: Final = Path(encoders.__file__).with_name("sentences.jsonl")
#: A technology is suggested to a text that is nearer to it than this share of those sentences.
_USUAL: Final = 0.9


def arrays(encoder: TextEncoder) -> dict[str, NDArray[Any]]:
    """Return the arrays of the file by name; `vocabulary()` reads it."""
    needs, offers = (encoder.encode(sentences(role)) for role in Role)
    means = RoleMeans(needs.mean(axis=0), offers.mean(axis=0))
    labels = [[category.labels[language] for category in nace_categories()] for language in NACE_LANGUAGES]
    nace = np.stack([encoder.encode(wordings) for wordings in labels], axis=1)
    kets = np.stack(
        [
            encoder.encode([text for language in DESCRIBED_IN for text in category[language]])
            for category in ket_wordings().values()
        ]
    )
    # Labels are no sentences, so they have a mean of their own.
    middle = nace.mean(axis=(0, 1))
    nace, kets = _unit(nace - middle), _unit(kets - middle)
    cosines = np.einsum("kwd,td->ktw", kets, means.centred(np.concatenate([needs, offers]))).max(axis=2)
    return {
        "need": means.need,
        "offer": means.offer,
        "middle": middle,
        "nace": _on_grid(nace),
        "kets": _on_grid(kets),
        "kets_usual": np.quantile(cosines, _USUAL, axis=1).astype(np.float32),
    }


def sentences(role: Role) -> list[str]:
    """Return the sentences of a role, in all languages."""
    lines = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    return [text for line in lines for text in line[role].values()]


def _unit(vectors: Matrix) -> Matrix:
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def _on_grid(vectors: Matrix) -> NDArray[np.int8]:
    return np.clip(np.round(vectors * GRID), -127, 127).astype(np.int8)


if __name__ == "__main__":
    np.savez_compressed(VECTORS, allow_pickle=False, **arrays(encoders.use_encoder()))
