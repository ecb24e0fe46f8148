from __future__ import annotations

import json
from typing import Any

import pytest

from services.matching.learning.decisions import PairDecision, pair_decisions
from shared.contract.events import EncounterChanged
from tests.support.matching_editions import SENSORS, WELDING, Edition, registered


def told(edition: Edition, key: bytes = b"key") -> list[PairDecision]:
    return pair_decisions("ed1", edition.changes, key)


def ended(scene: Any, state: str, *participant_ids: str, revision: int = 3) -> EncounterChanged:
    return EncounterChanged(
        **scene.common(revision=revision),
        encounter_id="enc",
        state=state,
        participant_ids=participant_ids,
        organisation_ids=("org_ann", "org_bob"),
        affinity=0.5,
        cause={"code": "pair_granted", "subject_id": "pair"},
    )


def test_a_request_its_answer_and_its_encounter_are_one_decision(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene, affinity_version="2"), scene.request("r1", "ann", "bob"))
    assert [(one.requested, one.shown, one.accepted, one.held) for one in told(edition)] == [(True, False, None, None)]
    edition.decide(scene.request("r1", "ann", "bob", revision=2, state="accepted"))
    edition.decide(ended(scene, "scheduled", "ann", "bob", revision=1), ended(scene, "moved", "ann", "bob", revision=2))
    assert [(one.accepted, one.held) for one in told(edition)] == [(True, None)]
    edition.decide(ended(scene, "held", "ann", "bob"))
    (decision,) = told(edition)
    assert (decision.accepted, decision.held, decision.outcome) == (True, True, None)
    assert decision.configuration == "2"
    assert decision.terms["text_need_offer"] == 0.7
    assert set(decision.terms) >= {"sector", "kets", "s3", "cooperation", "helix_complement", "common_language"}


@pytest.mark.parametrize(("state", "accepted"), [("accepted", True), ("declined", False)])
def test_a_decision_has_the_terms_at_the_time_of_its_answer(
    edition: Edition, scene: Any, state: str, accepted: bool
) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann", "bob"))
    edition.decide(scene.participant("bob", offers=SENSORS, revision=2))
    edition.decide(scene.request("r1", "ann", "bob", revision=2, state=state))
    edition.decide(scene.participant("bob", offers=WELDING, revision=3))
    (decision,) = told(edition)
    assert decision.accepted is accepted
    assert decision.terms["text_need_offer"] < 0.1


def test_a_shown_pair_without_an_answer_is_exported(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann", partners_wanted=2))
    assert [(one.shown, one.requested, one.accepted) for one in told(edition)] == [(True, False, None)] * 2
    edition.decide(scene.request("r2", "bob", "ann", state="declined"))
    assert sorted((one.requested, one.accepted) for one in told(edition) if one.requested) == [(True, False)]


def test_pairs_of_a_proposal_round_count_as_shown(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.edition(revision=2, filling={"round": 1, "encounters": 1}))
    assert {one.shown for one in told(edition)} == {True}


def test_the_export_is_anonymous_and_stable_for_a_key(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann", "bob"))
    text = json.dumps([one.model_dump() for one in told(edition)])
    assert not any(word in text for word in ("ann", "bob", "Soldadura", "pair_", "org_"))
    assert told(edition) == told(edition)
    assert told(edition)[0].pair != told(edition, b"another")[0].pair
