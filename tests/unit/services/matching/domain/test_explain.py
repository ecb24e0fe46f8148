from __future__ import annotations

from typing import Any

import pytest

from services.matching.domain.explain import candidates_of, explain_pair
from shared.contract.events import Consent, EncounterChanged, WaitingReason
from shared.internal_api.pairs import Hindrance, PairAnswer
from tests.support.matching_editions import PRESSES, SENSORS, WELDING, Edition, registered

SOLAR = ("Instalación de plantas solares en tejados",)
LOANS = ("Crédito bancario para ampliar el almacén",)


def asked(edition: Edition, one: str, other: str) -> PairAnswer:
    return explain_pair(edition.state, edition.maker.pool(edition.state), one, other)


def hindrances(edition: Edition, one: str = "ann", other: str = "bob") -> list[str]:
    return [str(one) for one in asked(edition, one, other).hindrances]


def test_a_granted_pair_has_no_hindrance(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann", "bob", state="accepted"))
    answer = asked(edition, "bob", "ann")
    assert answer.participant_ids == ("ann", "bob")
    assert (answer.consent, answer.hindrances) == (Consent.GRANTED, ())
    assert (answer.score, answer.reasons) == (
        edition.state.published.popitem()[1].score,
        asked(edition, "ann", "bob").reasons,
    )


def encounter(scene: Any, state: str, **fields: Any) -> EncounterChanged:
    parties = {"participant_ids": ("ann", "bob"), "organisation_ids": ("org_ann", "org_bob")}
    cause = {"code": "pair_granted", "subject_id": "pair"}
    return EncounterChanged(
        **scene.common(encounter_id="enc", state=state, affinity=0.5, cause=cause, **parties, **fields)
    )


@pytest.mark.parametrize("reason", list(WaitingReason))
def test_a_pair_that_waits_has_the_reason_of_the_scheduler(edition: Edition, scene: Any, reason: WaitingReason) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann", "bob", state="accepted"))
    edition.decide(encounter(scene, "waiting", waiting_reason=reason))
    assert hindrances(edition) == [reason.value]
    edition.decide(encounter(scene, "cancelled", revision=2))
    assert hindrances(edition) == []


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        (lambda _: [], ["nobody_asked"]),
        (lambda scene: [scene.request("r1", "ann", "bob")], ["answer_awaited"]),
        (lambda scene: [scene.request("r1", "ann", "bob", state="declined")], ["declined"]),
        (lambda scene: [scene.request("r1", "ann", "bob", state="withdrawn")], ["nobody_asked"]),
        (
            lambda scene: [
                scene.request("r1", "ann", "bob"),
                scene.participant("bob", offers=WELDING, blocked_ids=("ann",), revision=2),
            ],
            ["blocked"],
        ),
        (lambda scene: [scene.edition(revision=2, least_affinity=0.9)], ["nobody_asked", "below_least_affinity"]),
        (
            lambda scene: [scene.participant("ann", needs=SENSORS, offers=PRESSES, revision=2)],
            ["nobody_asked", "nothing_in_common"],
        ),
        (
            lambda scene: [scene.participant("bob", offers=WELDING, blocked_ids=("ann",), revision=2)],
            ["blocked", "nobody_asked"],
        ),
        (
            lambda scene: [scene.organisation("org_bob", competitor_ids=("org_ann",), revision=2)],
            ["competitors", "nobody_asked"],
        ),
        (
            lambda scene: [scene.participant("bob", offers=WELDING, status="cancelled", revision=2)],
            ["cancelled", "nobody_asked"],
        ),
        (
            lambda scene: [
                scene.edition(revision=2, quotas={"max_encounters": 1}),
                scene.participant("flo", needs=WELDING, organisation_id="org_eve"),
                scene.request("r1", "flo"),
            ],
            ["nobody_asked", "quota_reached"],
        ),
    ],
)
def test_all_hindrances_of_a_pair_are_listed(edition: Edition, scene: Any, news: Any, expected: list[str]) -> None:
    edition.decide(*registered(scene), *news(scene))
    assert hindrances(edition) == expected


def test_colleagues_are_of_one_organisation(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene))
    assert hindrances(edition, "bob", "dan")[0] == Hindrance.SAME_ORGANISATION


def test_unknown_editions_and_participants_are_hindrances(edition: Edition, scene: Any) -> None:
    assert hindrances(edition) == ["edition_unknown"]
    edition.decide(scene.edition())
    assert hindrances(edition) == ["participant_unknown"]


def test_explaining_a_pair_changes_nothing(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene))
    before = edition.state.model_dump_json()
    assert asked(edition, "ann", "cid").score is not None
    assert edition.state.model_dump_json() == before


def test_rivals_are_not_proposed(edition: Edition, scene: Any) -> None:
    """Two installers of solar plants: the shared code is common ground, and nobody's need is met."""
    codes = ("nace:43.21",)
    installers = [
        scene.participant(name, offers=SOLAR, needs=LOANS, codes=codes, revision=2) for name in ("ann", "bob")
    ]
    partners = [scene.participant("cid", offers=LOANS, needs=SOLAR, codes=codes, revision=2)]
    edition.decide(*registered(scene), *installers, *partners, scene.request("r1", "ann", partners_wanted=2))
    assert edition.state.proposals["r1"] == ("cid",)
    assert "rivals" in hindrances(edition)
    edition.decide(scene.edition(revision=2, filling={"round": 1, "encounters": 2}))
    assert ("ann", "bob") not in edition.consents()


def test_the_same_offers_and_needs_are_no_rivals_if_a_need_is_met(edition: Edition, scene: Any) -> None:
    pair = [scene.participant(name, offers=SOLAR, needs=SOLAR, revision=2) for name in ("ann", "bob")]
    edition.decide(*registered(scene), *pair, scene.request("r1", "ann", partners_wanted=1))
    assert edition.state.proposals["r1"] == ("bob",)


def candidates(edition: Edition, participant_id: str) -> list[str]:
    pool = edition.maker.pool(edition.state)
    return [found.participant_id for found in candidates_of(edition.state, pool, participant_id, 20)]


@pytest.mark.parametrize(
    ("state", "is_listed"), [(None, True), ("requested", False), ("declined", False), ("withdrawn", True)]
)
def test_candidates_are_strangers_without_a_request_between_the_two(
    edition: Edition, scene: Any, state: str | None, is_listed: bool
) -> None:
    edition.decide(*registered(scene))
    if state:
        edition.decide(scene.request("r1", "bob", "ann", state=state))
    assert ("bob" in candidates(edition, "ann")) is is_listed
    assert "ann" not in candidates(edition, "ann")
    assert candidates(edition, "nobody") == []
