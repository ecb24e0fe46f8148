from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.matching.domain.scoring.configuration import CONFIGURATIONS, NEWEST, AffinityConfiguration
from services.matching.domain.scoring.terms import Term
from shared.contract.events.registration import BUILT_IN_AFFINITY_VERSIONS


@pytest.mark.parametrize("version", CONFIGURATIONS)
def test_full_terms_make_a_full_score(version: str) -> None:
    assert sum(CONFIGURATIONS[version].weights.values()) == pytest.approx(1)


def test_a_configuration_is_known_by_its_version_and_survives_a_file() -> None:
    for version, one in CONFIGURATIONS.items():
        assert one.version == version
        assert AffinityConfiguration.model_validate_json(one.model_dump_json()) == one


def test_the_contract_names_the_built_in_versions() -> None:
    assert tuple(CONFIGURATIONS) == BUILT_IN_AFFINITY_VERSIONS


@pytest.mark.parametrize(
    "change",
    [
        {"weights": {Term.NEED_OFFER: 0.9}},
        {"weights": {Term.NEED_OFFER: 1.2, Term.SECTOR: -0.2}},
        {"weights": {"luck": 1.0}},
        {"version": "Two!"},
        {"met_before": 1.5},
        {"temperature": 0.7},
    ],
)
def test_an_invalid_configuration_is_rejected(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AffinityConfiguration.model_validate(NEWEST.model_dump() | change)
