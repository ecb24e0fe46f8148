from __future__ import annotations

import numpy as np

from services.matching.domain.text.scorer import Matrix, Role
from services.matching.encoders import use_encoder
from services.matching.vocabulary import (
    ACTIVITIES,
    ACTIVITIES_DE_IT,
    DESCRIBED_IN,
    GRID,
    NACE_LANGUAGES,
    VECTORS,
    WORD_VECTORS,
    build,
    build_words,
    ket_wordings,
    labels,
    nace_categories,
    vocabulary,
)


def test_every_class_has_its_labels_and_every_technology_its_wordings() -> None:
    categories = nace_categories()
    assert len(categories) == len({category.code for category in categories}) == 615
    assert all(label for category in categories for label in category.labels.values())
    assert {len(said[language]) for said in ket_wordings().values() for language in DESCRIBED_IN} == {2}
    assert all(label[language].strip() for label in labels().values() for language in NACE_LANGUAGES)
    known = vocabulary()
    assert known.nace.vectors.shape == (615, 6, 512)
    assert known.kets.vectors.shape[:2] == (len(ket_wordings()), 8)
    assert np.allclose(np.linalg.norm(known.nace.vectors, axis=2), 1, atol=1e-5)


def test_every_class_but_households_and_international_bodies_has_words_in_four_languages() -> None:
    lines = [line for line in ACTIVITIES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    codes = [f"nace:{line.partition(': ')[0]}" for line in lines]
    assert codes == [category.code for category in nace_categories() if category.code < "nace:97"]
    assert all(len(line.split(" | ")) == len(DESCRIBED_IN) for line in lines)
    further = [line for line in ACTIVITIES_DE_IT.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert {f"nace:{line.partition(': ')[0]}" for line in further} <= set(codes)
    assert all(len(line.split(" | ")) == 2 for line in further)


def test_the_vectors_are_those_of_the_files_and_the_encoder() -> None:
    """If not: `python -m services.matching.vocabulary.build`."""
    with np.load(VECTORS, allow_pickle=False) as kept:
        for role in Role:
            assert np.allclose(kept[role], use_encoder().encode(build.sentences(role)).mean(axis=0), atol=1e-4)
        middle = kept["middle"]
    rows = [0, 200, 400, 614]
    labels = use_encoder().encode([nace_categories()[row].labels["es"] for row in rows]) - middle
    assert np.allclose(_unit(labels), vocabulary().nace.vectors[rows, NACE_LANGUAGES.index("es")], atol=1 / GRID)
    wordings = use_encoder().encode(ket_wordings()["ket:robotics"]["pt"]) - middle
    assert np.allclose(_unit(wordings), vocabulary().kets.vectors[_row("ket:robotics"), 4:6], atol=1 / GRID)


def test_the_table_of_words_has_the_words_of_the_files() -> None:
    """If not: `python -m services.matching.vocabulary.build_words`."""
    with np.load(WORD_VECTORS, allow_pickle=False) as kept:
        assert bytes(kept["words"]).decode().split("\n") == build_words.words()


def test_most_sentences_stay_below_the_usual_cosine_of_a_technology() -> None:
    known = vocabulary()
    sentences = known.means.centred(use_encoder().encode(build.sentences(Role.OFFER)))
    suggested = [one.category.code for text in sentences for one in known.kets.suggest(text[np.newaxis], 14)]
    assert 0 < suggested.count("ket:robotics") < 0.2 * len(sentences)


def _row(code: str) -> int:
    return [one.code for one in vocabulary().kets.categories].index(code)


def _unit(vectors: Matrix) -> Matrix:
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
