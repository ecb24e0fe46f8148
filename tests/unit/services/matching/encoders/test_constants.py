from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from services.matching.domain.text.scorer import Matrix
from services.matching.encoders.centred import Constants
from services.matching.encoders.constants import LANGUAGES, WIDTH, constants_of


class Spoken:
    """An encoder whose vectors tell role, language and subject: texts such as `need es 3`."""

    name = "spoken"

    def encode(self, texts: Sequence[str]) -> Matrix:
        vectors = np.zeros((len(texts), 12), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            role, language, subject = text.split()
            vector[0 if role == "need" else 1] = 5
            vector[2 + LANGUAGES.index(language)] = 2
            vector[6 + int(subject) % 6] = 1
        return vectors


def test_constants_remove_role_and_language_and_keep_the_subject() -> None:
    encoder = Spoken()
    sentences = [
        {role: {one: f"{role} {one} {at}" for one in LANGUAGES} for role in ("need", "offer")} for at in range(12)
    ]
    labels = [{one: f"offer {one} {at}" for one in LANGUAGES} for at in range(6)]
    need, offer, basis = constants_of(encoder, sentences, labels)
    seen = [
        (encoder.encode([f"{role} {language} 4"])[0] - mean) @ basis.T
        for role, mean in (("need", need), ("offer", offer))
        for language in LANGUAGES
    ]
    assert all(np.allclose(one, seen[0], atol=1e-5) for one in seen)
    other = (encoder.encode(["offer es 3"])[0] - offer) @ basis.T
    assert np.linalg.norm(other - seen[0]) > 1


@pytest.mark.parametrize(("name", "raw"), [("use3", 512), ("e5", 384)])
def test_the_constants_we_carry_are_orthonormal(name: str, raw: int) -> None:
    need, offer, basis = Constants.of(name)
    assert need.shape == offer.shape == (raw,)
    assert basis.shape == (WIDTH, raw)
    assert np.allclose(basis @ basis.T, np.eye(WIDTH), atol=5e-3)
