from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from services.matching.domain.scoring import terms
from services.matching.domain.scoring.terms import TRAITS, Term, Traits
from services.matching.domain.taxonomy import Cooperation, cooperation_bits
from shared.contract.events import OrganisationKind

SALE, PURCHASE, RD = Cooperation.SALE, Cooperation.PURCHASE, Cooperation.RD


def someone(**traits: Any) -> Traits:
    given = np.zeros(1, TRAITS)
    for name, value in traits.items():
        given[name] = value
    return given


def seeking(*kinds: Cooperation) -> Traits:
    return someone(seeks=cooperation_bits(kinds), answers=cooperation_bits(kind.answer for kind in kinds))


@pytest.mark.parametrize(("forth", "back", "text"), [(0, 0, 0), (1, 1, 1), (1, 0, 0.7), (0, 1, 0.7), (0.5, 0.5, 0.5)])
def test_the_better_direction_counts_most(forth: float, back: float, text: float) -> None:
    assert terms.need_meets_offer(np.array([forth]), np.array([back]), 0.3)[0] == pytest.approx(text)


def test_a_sale_needs_one_way_only_and_a_project_both() -> None:
    one_way = [terms.need_meets_offer(np.array([1.0]), np.array([0.0]), mutuality)[0] for mutuality in (0.1, 0.5)]
    assert one_way == pytest.approx([0.9, 0.5])


@pytest.mark.parametrize(
    ("mine", "theirs", "mutuality"),
    [
        (seeking(), seeking(), 0.3),
        (seeking(SALE), seeking(), 0.3),
        (seeking(SALE), seeking(SALE), 0.3),
        (seeking(SALE), seeking(PURCHASE), 0.1),
        (seeking(RD), seeking(RD), 0.5),
        (seeking(Cooperation.COMMERCIAL), seeking(Cooperation.COMMERCIAL), 0.3),
        (seeking(RD, SALE), seeking(RD, PURCHASE), 0.1),
    ],
)
def test_the_kind_of_cooperation_sets_the_mutuality(mine: Traits, theirs: Traits, mutuality: float) -> None:
    by_kind = {SALE: 0.1, PURCHASE: 0.1, RD: 0.5}
    assert terms.mutuality(mine, theirs, 0.3, by_kind)[0] == mutuality
    assert terms.mutuality(theirs, mine, 0.3, by_kind)[0] == mutuality


@pytest.mark.parametrize(
    ("shared", "mine", "theirs", "cosine"), [(0, 0, 0, 0), (0, 0, 3, 0), (2, 2, 2, 1), (1, 1, 4, 0.5), (1, 2, 2, 0.5)]
)
def test_an_overlap_is_the_cosine_of_two_sets(shared: int, mine: int, theirs: int, cosine: float) -> None:
    assert terms.overlap(np.array(shared), np.array(mine), np.array(theirs)) == pytest.approx(cosine)


@pytest.mark.parametrize(
    ("mine", "theirs", "value"),
    [
        (seeking(SALE), seeking(PURCHASE), 1),
        (seeking(PURCHASE), seeking(SALE, RD), 1),
        (seeking(SALE), seeking(SALE), 0),
        (seeking(RD), seeking(RD), 1),
        (seeking(), seeking(RD), 0),
    ],
)
def test_kinds_of_cooperation_answer_their_counterpart(mine: Traits, theirs: Traits, value: int) -> None:
    assert terms.cooperation(mine, theirs)[0] == value


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        (OrganisationKind.SME, OrganisationKind.RESEARCH_GROUP, 1),
        (OrganisationKind.TECHNOLOGY_CENTRE, OrganisationKind.LARGE_COMPANY, 1),
        (OrganisationKind.SME, OrganisationKind.LARGE_COMPANY, 0),
        (OrganisationKind.RESEARCH_GROUP, OrganisationKind.TECHNOLOGY_CENTRE, 0),
        (OrganisationKind.SME, OrganisationKind.GOVERNMENT, 0),
    ],
)
def test_industry_meets_science(one: OrganisationKind, other: OrganisationKind, value: int) -> None:
    sides = someone(side=terms.side_of(one)), someone(side=terms.side_of(other))
    assert terms.helix_complement(*sides)[0] == value


@pytest.mark.parametrize(("mine", "theirs", "value"), [(1, 1, 0), (1, 2, 1)])
def test_a_border_is_crossed(mine: int, theirs: int, value: int) -> None:
    assert terms.cross_border(someone(country=mine), someone(country=theirs))[0] == value


@pytest.mark.parametrize(("mine", "theirs", "value"), [(0, 0, 0), (3, 0, 1), (3, 3, 0), (3, 4, 1)])
def test_delegation_counts_for_participants_outside_of_it(mine: int, theirs: int, value: int) -> None:
    assert terms.delegation(someone(delegation=mine), someone(delegation=theirs))[0] == value


@pytest.mark.parametrize(("mine", "theirs", "value"), [(0b001, 0b110, 0), (0b011, 0b110, 1)])
def test_a_language_in_common(mine: int, theirs: int, value: int) -> None:
    assert terms.common_language(someone(languages=mine), someone(languages=theirs))[0] == value


@pytest.mark.parametrize(
    ("term", "value", "grounded"),
    [
        (Term.NEED_OFFER, 0.01, True),
        (Term.KETS, 0.2, True),
        (Term.S3, 0.2, True),
        (Term.SECTOR, 0.5, True),
        (Term.SECTOR, 0.25, False),
        (Term.LANGUAGE, 1, False),
        (Term.COOPERATION, 1, False),
        (Term.CROSS_BORDER, 1, False),
    ],
)
def test_common_ground_of_terms(term: Term, value: float, grounded: bool) -> None:
    values = {one: np.zeros(1) for one in Term}
    values[term] = np.array([value])
    assert terms.ground(values)[0] == grounded
