"""Effects of every field of a snapshot on the comparisons of snapshots. A new field fails until it has a row here."""

from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain.snapshots import (
    Arrangement,
    OrganisationSnapshot,
    ParticipantSnapshot,
    PublishedAgenda,
    PublishedEncounter,
)
from shared.contract.events import EncounterState, OrganisationKind, Place, Status, WaitingReason
from tests.support.scheduler_editions import at, organisation, participant, window

PLACE = Place(slot=0, starts_at=at(0), ends_at=at(1), zone_id="work", table="W1")

#: Field of an organisation: another value, whether the same places are allowed, whether the same agenda is.
ORGANISATION: dict[str, tuple[Any, bool, bool]] = {
    "revision": (2, True, True),
    "kind": (OrganisationKind.LARGE_COMPANY, False, False),
    "status": (Status.CANCELLED, False, False),
    "interchangeable": (True, False, False),
    "country": ("MX", True, False),
    "delegation": ("Mexico", True, False),
}
#: Field of a participant: another value, whether the same agenda is allowed.
PARTICIPANT: dict[str, tuple[Any, bool]] = {
    "revision": (2, True),
    "checked_in": (True, True),
    "organisation_id": ("org-b", False),
    "available": ((window(0, 1),), False),
    "session_ids": (("s1",), False),
    "status": (Status.CANCELLED, False),
    "blocked_ids": (("b",), False),
    "merged_into": ("prt_2", False),
}
#: Field of a published encounter: another value, whether it is arranged alike, whether it reads alike.
PUBLISHED_ENCOUNTER: dict[str, tuple[Any, bool, bool]] = {
    "revision": (2, True, True),
    "state": (EncounterState.MOVED, True, True),
    "place": (PLACE.model_copy(update={"table": "W2"}), False, False),
    "reason": (WaitingReason.NO_TABLE, False, False),
    "people": (("a", "b", "c"), False, False),
    "absent_ids": (("a",), True, False),
    "is_locked": (True, True, False),
    "comes_after": (("pair",), True, False),
}
#: Field of an arrangement: another value, whether an edit that changes it asks for no particular place.
ARRANGEMENT: dict[str, tuple[Any, bool]] = {
    "place": (PLACE.model_copy(update={"table": "W2"}), False),
    "reason": (WaitingReason.NO_TABLE, False),
    "is_locked": (True, False),
    "people": (("a", "b", "c"), True),
    "comes_after": (("pair",), True),
}


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (OrganisationSnapshot, ORGANISATION),
        (ParticipantSnapshot, PARTICIPANT),
        (PublishedEncounter, PUBLISHED_ENCOUNTER),
        (Arrangement, ARRANGEMENT),
        (PublishedAgenda, {"revision", "provisional", "entries"}),
    ],
)
def test_every_field_is_classified(kind: Any, table: Any) -> None:
    assert set(kind.model_fields) == set(table)


@pytest.mark.parametrize("name", ORGANISATION)
def test_fields_of_an_organisation(name: str) -> None:
    value, allows_same_places, allows_same_agenda = ORGANISATION[name]
    before = OrganisationSnapshot.of(organisation("org"))
    after = before.model_copy(update={name: value})
    assert after != before
    assert before.allows_same_places_as(after) == allows_same_places
    assert before.allows_same_agenda_as(after) == allows_same_agenda


@pytest.mark.parametrize("name", PARTICIPANT)
def test_fields_of_a_participant(name: str) -> None:
    value, allows_same_agenda = PARTICIPANT[name]
    before = ParticipantSnapshot.of(participant("a"))
    after = before.model_copy(update={name: value})
    assert after != before
    assert before.allows_same_agenda_as(after) == allows_same_agenda


@pytest.mark.parametrize("name", PUBLISHED_ENCOUNTER)
def test_fields_of_a_published_encounter(name: str) -> None:
    value, is_arranged_alike, reads_alike = PUBLISHED_ENCOUNTER[name]
    before = PublishedEncounter(revision=1, state=EncounterState.SCHEDULED, place=PLACE)
    after = before.model_copy(update={name: value})
    assert after != before
    assert before.is_arranged_like(after) == is_arranged_alike
    assert before.reads_like(after, is_attended=False) == reads_alike
    assert before.reads_like(after, is_attended=True) == (reads_alike and name != "state")


def test_the_number_of_a_slot_is_published_but_is_no_move() -> None:
    before = PublishedEncounter(revision=1, state=EncounterState.SCHEDULED, place=PLACE)
    after = before.model_copy(update={"place": PLACE.model_copy(update={"slot": 3})})
    assert before.is_arranged_like(after)
    assert not before.reads_like(after, is_attended=False)


@pytest.mark.parametrize("name", ARRANGEMENT)
def test_fields_of_an_arrangement(name: str) -> None:
    value, may_be_anywhere = ARRANGEMENT[name]
    before = Arrangement(place=PLACE, reason=None, is_locked=False, people=("a", "b"))
    after = before.model_copy(update={name: value})
    assert after != before
    assert after.may_be_anywhere(before) == may_be_anywhere
