"""Insert, repair, wait and publish, event by event."""

from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain.decide import NotAPair, apply_event
from services.scheduler.domain.improvement.adopt import announce
from shared.contract.events import AgendaChanged, ChangeKind, EncounterChanged, EncounterState, Event, Level
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    innova,
    organisation,
    pair,
    participant,
    people,
    session,
    window,
    workspace,
)


def encounters(said: list[Event]) -> list[tuple[str, str | None]]:
    return [(each.state.value, each.waiting_reason) for each in said if isinstance(each, EncounterChanged)]


def agendas(said: list[Event]) -> dict[str, AgendaChanged]:
    return {each.participant_id: each for each in said if isinstance(each, AgendaChanged)}


def test_a_granted_pair_is_placed_and_published_to_both() -> None:
    subject = Edition(edition(), *people("a", "b"))
    said = subject.consume(affinity("a", "b"))
    assert encounters(said) == [("scheduled", None)]
    told = agendas(said)
    assert set(told) == {"a", "b"}
    assert told["a"].provisional
    assert [entry.with_participant_id for entry in told["a"].entries] == ["b"]
    assert [change.kind for change in told["b"].changes] == [ChangeKind.ADDED]
    assert {cause.code.value for cause in told["b"].causes} == {"pair_granted"}


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([*people("a", "b")], "edition_unknown"),
        ([edition(), *people("a")], "participant_unknown"),
        (
            [edition(), participant("a", available=(window(0, 1),)), participant("b", available=(window(1, 4),))],
            "no_common_slot",
        ),
        (
            [edition(slots=1, sessions=(session("k", 0, 1),)), participant("a", session_ids=("k",)), *people("b")],
            "no_common_slot",
        ),
        ([edition(quotas={"max_encounters": 0}), *people("a", "b")], "quota_reached"),
        ([edition(zones=(HALL,)), *people("a", "b")], "no_table"),
        ([edition(slots=1), *people("a", "b", "c"), affinity("a", "c")], "agendas_full"),
        ([edition(slots=1, zones=(workspace(1),)), *people("a", "b", "c", "d"), affinity("c", "d")], "no_table"),
    ],
)
def test_a_pair_that_cannot_be_placed_waits_with_a_reason(events: list[Event], reason: str) -> None:
    subject = Edition(*events)
    assert encounters(subject.consume(affinity("a", "b"))) == [("waiting", reason)]


def test_a_pair_is_placed_once_the_missing_inputs_arrive() -> None:
    subject = Edition(affinity("a", "b"))
    assert encounters(subject.consume(*people("a", "b"))) == []
    assert encounters(subject.consume(edition())) == [("scheduled", None)]


def test_only_granted_pairs_are_placed_and_a_revoked_pair_is_cancelled() -> None:
    subject = Edition(edition(), *people("a", "b", "c"))
    assert subject.consume(affinity("a", "b", consent="pending"), affinity("a", "c", consent="refused")) == []
    subject.consume(affinity("a", "b", revision=2))
    assert encounters(subject.consume(affinity("a", "b", revision=3, consent="refused"))) == [("cancelled", None)]
    assert subject.slot("a", "b") is None


def test_a_change_and_its_reversal_in_a_batch_publish_nothing() -> None:
    subject = Edition(edition(slots=1), *people("a", "b"), affinity("a", "b"))
    assert subject.consume(affinity("a", "b", revision=2, consent="refused"), affinity("a", "b", revision=3)) == []


def test_a_cancellation_frees_its_slot_for_a_waiting_pair() -> None:
    subject = Edition(edition(slots=1), *people("a", "b", "c"), affinity("a", "b"), affinity("a", "c"))
    assert subject.slot("a", "c") is None
    said = subject.consume(participant("b", revision=2, status="cancelled"))
    assert sorted(encounters(said)) == [("cancelled", None), ("scheduled", None)]
    assert subject.slot("a", "c") == 0
    assert agendas(said)["b"].entries == ()


def announced(subject: Edition) -> Edition:
    """Publish the edition and announce its agendas."""
    subject.consume(edition(revision=2, phase="published"))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    return subject


@pytest.mark.parametrize(("is_announced", "state"), [(False, "scheduled"), (True, "moved")])
def test_an_encounter_is_moved_only_from_an_announced_place(is_announced: bool, state: str) -> None:
    subject = Edition(edition(), *people("a", "b"), affinity("a", "b"))
    table, phase = subject.table("a", "b"), "open"
    if is_announced:
        announced(subject)
        phase = "published"
    tables = tuple({"W1", "W2", "W3"} - {str(table)})
    zones = (workspace().model_copy(update={"tables": tables}), HALL)
    said = subject.consume(edition(revision=3, phase=phase, zones=zones))
    assert encounters(said) == [(state, None)]


def test_a_move_in_the_decision_that_announces_is_no_move() -> None:
    subject = Edition(edition(), *people("a", "b"), affinity("a", "b"))
    subject.consume(edition(revision=2, phase="published"))
    decision = subject.decision()
    table = {"W1", "W2", "W3"} - {str(subject.table("a", "b"))}
    zones = (workspace().model_copy(update={"tables": tuple(table)}), HALL)
    apply_event(decision, edition(revision=3, phase="published", zones=zones))
    announce(decision)
    said = subject.finish(decision)
    assert encounters(said) == [("scheduled", None)]
    assert not agendas(said)["a"].provisional


def test_a_lost_table_moves_its_encounter_to_another_at_the_same_time() -> None:
    subject = announced(Edition(edition(), *people("a", "b", "c", "d"), affinity("a", "b"), affinity("c", "d")))
    slots = subject.slot("a", "b"), subject.slot("c", "d")
    zones = (workspace(2).model_copy(update={"tables": ("W2", "W3")}), HALL)
    said = subject.consume(edition(revision=3, phase="published", zones=zones))
    assert (subject.slot("a", "b"), subject.slot("c", "d")) == slots
    assert {subject.table("a", "b"), subject.table("c", "d")} <= {"W2", "W3"}
    assert {state for state, _ in encounters(said)} == {"moved"}


def test_a_moved_session_moves_only_the_meetings_of_its_attendees() -> None:
    keynote = edition(slots=2, zones=(workspace(3), HALL), sessions=(session("k", 1, 2),))
    subject = Edition(
        keynote, participant("a", session_ids=("k",)), *people("b", "c", "d"), affinity("a", "b"), affinity("c", "d")
    )
    others = subject.slot("c", "d")
    assert subject.slot("a", "b") == 0
    said = subject.consume(edition(slots=2, revision=2, zones=(workspace(3), HALL), sessions=(session("k", 0, 1),)))
    assert subject.slot("a", "b") == 1
    assert subject.slot("c", "d") == others
    assert encounters(said) == [("scheduled", None)]
    kinds = {(change.entry_id, change.kind) for change in agendas(said)["a"].changes}
    assert ("k", ChangeKind.MOVED) in kinds


def test_the_capacity_of_a_session_changes_no_agenda() -> None:
    keynote, attendees_of = session("k", 1, 2), participant("a", session_ids=("k",))
    subject = Edition(edition(sessions=(keynote,)), attendees_of, *people("b"), affinity("a", "b"))
    before = len(subject.changes)
    subject.consume(edition(revision=2, sessions=(keynote.model_copy(update={"capacity": 1}),)))
    assert [change.type for change in subject.changes[before:]] == ["edition_taken"]


def test_the_cancellation_of_an_organisation_empties_the_agendas_of_its_participants_at_once() -> None:
    keynote, attendee = session("k", 1, 2), participant("a", organisation_id="org-a", session_ids=("k",))
    subject = announced(Edition(edition(), organisation("org-a"), attendee, *people("b"), affinity("a", "b")))
    subject.consume(edition(revision=3, phase="published", sessions=(keynote,)))
    said = subject.consume(organisation("org-a", revision=2, status="cancelled"))
    assert [len(agendas(said)[name].entries) for name in "ab"] == [0, 0]
    gone = participant("a", revision=2, organisation_id="org-a", session_ids=("k",), status="cancelled")
    assert agendas(subject.consume(gone)) == {}


def test_a_delayed_edition_keeps_the_slots_of_its_meetings() -> None:
    subject = Edition(edition(), *people("a", "b", "c"), affinity("a", "b"), affinity("a", "c"))
    before = subject.slot("a", "b"), subject.slot("a", "c")
    subject.consume(edition(revision=2, shift=10))
    assert (subject.slot("a", "b"), subject.slot("a", "c")) == before
    assert subject.state.placements[pair("a", "b")].starts_at == at(10 + (before[0] or 0))


def test_a_lower_quota_removes_the_meetings_of_lowest_demand() -> None:
    subject = Edition(edition(), *people("a", "b", "c"), affinity("a", "b", priority=3), affinity("a", "c", priority=1))
    said = subject.consume(edition(revision=2, quotas={"max_encounters": 1}))
    assert encounters(said) == [("waiting", "quota_reached")]
    assert subject.slot("a", "b") is not None


def test_academia_and_industry_meet_in_innova_while_it_has_room() -> None:
    subject = Edition(
        edition(slots=1, zones=(workspace(), innova(1), HALL)),
        *[organisation(f"org-{each}", kind) for each, kind in (("a", "sme"), ("b", "research_group"))],
        *[organisation(f"org-{each}", kind) for each, kind in (("c", "sme"), ("d", "technology_centre"))],
        *people("a", "b", "c", "d"),
        affinity("a", "b"),
        affinity("c", "d"),
    )
    assert [subject.table("a", "b"), subject.table("c", "d")] == ["I1", "W1"]


@pytest.mark.parametrize(
    ("first_level", "is_announced", "slots"),
    [
        (Level.PLACED, False, (0, 1)),
        (Level.PLACED, True, (0, 1)),
        (Level.MOVES, False, (0, 1)),
        (Level.MOVES, True, (None, 0)),
    ],
)
def test_an_insert_moves_meetings_unless_announced_with_moves_first(
    first_level: Level, is_announced: bool, slots: tuple[int | None, int]
) -> None:
    """a is present in slot 0 only, in which b meets c."""
    levels = (first_level, *(level for level in Level if level is not first_level))
    fields: dict[str, Any] = {"slots": 2, "zones": (workspace(3), HALL), "levels": levels}
    subject = Edition(
        edition(**fields), participant("a", available=(window(0, 1),)), *people("b", "c"), affinity("b", "c")
    )
    assert subject.slot("b", "c") == 0
    if is_announced:
        subject.consume(edition(revision=2, phase="published", **fields))
        decision = subject.decision()
        announce(decision)
        subject.finish(decision)
    subject.consume(affinity("a", "b"))
    assert (subject.slot("a", "b"), subject.slot("b", "c")) == slots


def test_a_live_edition_does_not_move_begun_meetings() -> None:
    subject = Edition(edition(slots=2), *people("a", "b", "c"), affinity("a", "b"))
    subject.now = at(0.5)
    subject.consume(edition(slots=2, revision=2, phase="live"))
    said = subject.consume(participant("a", revision=2, status="cancelled"))
    assert subject.slot("a", "b") == 0
    assert encounters(said) == []
    subject.consume(affinity("b", "c"))
    assert subject.slot("b", "c") == 1


def test_a_closed_edition_changes_nothing() -> None:
    subject = Edition(edition(), *people("a", "b"), affinity("a", "b"))
    assert subject.consume(edition(revision=2, phase="closed"), participant("a", revision=2, status="cancelled")) == []
    assert subject.slot("a", "b") is not None


def test_older_and_repeated_revisions_change_nothing() -> None:
    subject = Edition(edition(revision=3), participant("a", revision=2), *people("b"), affinity("a", "b", revision=2))
    changes = len(subject.changes)
    assert (
        subject.consume(edition(slots=0), participant("a", status="cancelled"), affinity("a", "b", consent="refused"))
        == []
    )
    assert len(subject.changes) == changes


def test_a_new_name_changes_no_agenda() -> None:
    subject = Edition(edition(), *people("a", "b"), affinity("a", "b"))
    version = subject.state.version
    assert subject.consume(participant("a", revision=2).model_copy(update={"name": "Somebody else"})) == []
    assert subject.state.version == version


def test_an_affinity_with_the_id_of_no_pair_is_rejected() -> None:
    forged = affinity("a", "b").model_copy(update={"pair_id": pair("a", "c")})
    with pytest.raises(NotAPair, match="is not the id of the pair a, b"):
        Edition(edition()).consume(forged)


def test_an_encounter_keeps_its_id_and_its_revisions_rise_by_one() -> None:
    subject = Edition(edition(slots=1), *people("a", "b"), affinity("a", "b"))
    subject.consume(affinity("a", "b", revision=2, consent="refused"))
    subject.consume(affinity("a", "b", revision=3))
    said = [each for each in subject.published if isinstance(each, EncounterChanged)]
    assert [each.revision for each in said] == [1, 2, 3]
    assert [each.state for each in said] == [
        EncounterState.SCHEDULED,
        EncounterState.CANCELLED,
        EncounterState.SCHEDULED,
    ]
    assert len({each.encounter_id for each in said}) == 1
