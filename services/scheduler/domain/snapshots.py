"""Frozen parts of an edition's state: snapshots of events, reports of attendance, edits, and published content.

A comparison of two snapshots names the fields that it leaves out. `tests/.../domain/test_snapshots.py` lists the
effects of all fields on the comparisons, and fails for a new field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from shared.contract.events import (
    AffinityScored,
    AgendaEntry,
    CompactModel,
    Consent,
    EncounterState,
    Interval,
    OrganisationChanged,
    OrganisationErased,
    OrganisationKind,
    ParticipantChanged,
    ParticipantErased,
    Place,
    Status,
    WaitingReason,
)
from shared.internal_api.edits import Edit


class Snapshot(CompactModel):
    """A frozen part of the state."""


class OrganisationSnapshot(Snapshot):
    """Fields of an organisation that concern agendas. `country` is `None` in data stored before goals existed."""

    revision: int
    kind: OrganisationKind
    status: Status
    country: str | None = None
    delegation: str | None = None
    interchangeable: bool = False

    @classmethod
    def of(cls, event: OrganisationChanged | OrganisationErased) -> Self:
        if isinstance(event, OrganisationErased):
            return cls(revision=event.revision, kind=event.kind, status=event.status, country=event.country)
        return cls(
            revision=event.revision,
            kind=event.kind,
            status=event.status,
            country=event.country,
            delegation=event.delegation,
            interchangeable=event.interchangeable,
        )

    def allows_same_places_as(self, other: OrganisationSnapshot) -> bool:
        """Return whether meetings may be at the same places and have the same participants.

        Country and delegation do not count: they change the order of meetings, so a present agenda stays valid.
        """
        return self.allows_same_agenda_as(
            other.model_copy(update={"country": self.country, "delegation": self.delegation})
        )

    def allows_same_agenda_as(self, other: OrganisationSnapshot) -> bool:
        """Return whether an agenda made anew would be the same: all fields but the revision are equal."""
        return self.model_copy(update={"revision": other.revision}) == other


class ParticipantSnapshot(Snapshot):
    """Fields of a participant that concern agendas; no personal data."""

    revision: int
    organisation_id: str
    available: tuple[Interval, ...]
    session_ids: tuple[str, ...]
    status: Status
    checked_in: bool = False
    blocked_ids: tuple[str, ...] = ()
    merged_into: str | None = None

    @classmethod
    def of(cls, event: ParticipantChanged | ParticipantErased) -> Self:
        if isinstance(event, ParticipantErased):
            return cls(
                revision=event.revision,
                organisation_id=event.organisation_id,
                available=(),
                session_ids=event.session_ids,
                status=event.status,
                checked_in=event.checked_in,
            )
        return cls(
            revision=event.revision,
            organisation_id=event.organisation_id,
            available=event.available,
            session_ids=event.session_ids,
            status=event.status,
            checked_in=event.checked_in,
            blocked_ids=event.blocked_ids,
            merged_into=event.merged_into,
        )

    def blocks(self, participant_id: str, organisation_id: str) -> bool:
        """Return whether the participant refuses to meet this participant or this organisation."""
        return participant_id in self.blocked_ids or organisation_id in self.blocked_ids

    def allows_same_agenda_as(self, other: ParticipantSnapshot) -> bool:
        """Return whether an agenda made ahead would be the same: all fields but revision and check-in are equal.

        A check-in opens late slots on the day itself only.
        """
        return self.model_copy(update={"revision": other.revision, "checked_in": other.checked_in}) == other


class PairSnapshot(Snapshot):
    """A pair with its consent, score and priority, as matching last published it.

    `participant_ids` meet, sorted. `requested` are the two that matching named, if a substitute replaces either.
    `guest_ids` join at the organiser's invitation, sorted.
    """

    revision: int
    participant_ids: tuple[str, str]
    requested: tuple[str, str] | None = None
    guest_ids: tuple[str, ...] = ()
    request_ids: tuple[str, ...]
    consent: Consent
    score: float
    priority: int

    @classmethod
    def of(cls, event: AffinityScored) -> Self:
        return cls(
            revision=event.revision,
            participant_ids=event.participant_ids,
            request_ids=event.request_ids,
            consent=event.consent,
            score=event.score,
            priority=event.priority,
        )

    @property
    def people(self) -> tuple[str, ...]:
        """The two participants, then their guests."""
        return (*self.participant_ids, *self.guest_ids)

    @property
    def matched(self) -> tuple[str, str]:
        """The two participants that matching named. The encounter's id is made of them, whatever substitute meets."""
        return self.requested or self.participant_ids

    @property
    def published_people(self) -> tuple[str, ...] | None:
        """The people of the encounter; `None` if exactly the two that matching named meet."""
        return self.people if self.requested or self.guest_ids else None

    def without(self, leaver: str, participants: Mapping[str, ParticipantSnapshot]) -> tuple[str, ...]:
        """Return the people of the encounter without a participant.

        A guest leaves the meeting. For a substitute, the participant that matching named comes back.
        """
        if leaver in self.guest_ids:
            return tuple(person_id for person_id in self.people if person_id != leaver)
        absent = (person_id for person_id in self.matched if person_id in participants and person_id not in self.people)
        home = participants[leaver].organisation_id
        replaced = next((person_id for person_id in absent if participants[person_id].organisation_id == home), None)
        if leaver in self.matched or replaced is None:
            return self.people
        two = sorted(replaced if person_id == leaver else person_id for person_id in self.participant_ids)
        return (*two, *self.guest_ids)

    def with_people(self, people: tuple[str, ...]) -> PairSnapshot:
        """Return the pair with these people: the two, sorted, then their guests, sorted."""
        first_id, second_id, *guest_ids = people
        requested = self.matched if self.matched != (first_id, second_id) else None
        update = {"participant_ids": (first_id, second_id), "requested": requested, "guest_ids": tuple(guest_ids)}
        return self.model_copy(update=update)


class AttendanceSnapshot(Snapshot):
    """Outcome of an encounter and its place: `HELD`, or `MISSED` because `absent_ids` did not come."""

    outcome: EncounterState
    absent_ids: tuple[str, ...]
    place: Place


class SettledPlace(Snapshot):
    """The place of an encounter before changes of facts displaced it, and the time of the first such change.

    `place` is `None` if the encounter had no place then; `reason` is its reason to wait at that time, and `None` if it
    was not wanted. `people` met then. `step` is the version of the inputs that displaced it: undone changes bring home
    the encounters of their own step.
    """

    place: Place | None
    reason: WaitingReason | None = None
    people: tuple[str, ...]
    since: datetime
    step: int = 0

    @property
    def waited(self) -> bool:
        """Return whether the encounter waited for a place."""
        return self.place is None and self.reason is not None


class Arrangement(Snapshot):
    """Everything that an edit can change of an encounter: its place or reason to wait, lock, people and order.

    `comes_after` are the pairs whose encounters come before, sorted.
    """

    place: Place | None
    reason: WaitingReason | None
    is_locked: bool
    people: tuple[str, ...]
    comes_after: tuple[str, ...] = ()

    @property
    def pair(self) -> tuple[str, ...]:
        """The two whose encounter it is, without their guests."""
        return self.people[:2]

    def may_be_anywhere(self, before: Arrangement) -> bool:
        """Return whether only order and guests differ from `before`, so that an edit asks for no particular place."""
        update = {"comes_after": self.comes_after, "people": self.people}
        return self.pair == before.pair and self == before.model_copy(update=update)


class AppliedEdit(Snapshot):
    """An edit by hand, with the arrangements of the changed encounters before and after it, by pair."""

    edit: Edit
    before: dict[str, Arrangement]
    after: dict[str, Arrangement]


class PublishedEncounter(Snapshot):
    """An encounter as last published. `people` is `None` if the two that matching named meet alone."""

    revision: int
    state: EncounterState
    place: Place | None = None
    reason: WaitingReason | None = None
    people: tuple[str, ...] | None = None
    absent_ids: tuple[str, ...] = ()
    is_locked: bool = False
    comes_after: tuple[str, ...] = ()

    def is_arranged_like(self, other: PublishedEncounter) -> bool:
        """Return whether the same people meet at the same time and table, or wait for the same reason.

        The number of a slot does not count: it changes if slots are inserted before it.
        """
        place = self.place
        if place and other.place:
            place = place.model_copy(update={"slot": other.place.slot})
        return (place, self.reason, self.people) == (other.place, other.reason, other.people)

    def reads_like(self, other: PublishedEncounter, *, is_attended: bool) -> bool:
        """Return whether the second encounter says nothing new. Without attendance the state does not count."""
        update: dict[str, object] = {"revision": self.revision}
        if not is_attended:
            update["state"] = self.state
        return other.model_copy(update=update) == self


class PublishedAgenda(Snapshot):
    """A participant's agenda as last published."""

    revision: int
    provisional: bool
    entries: tuple[AgendaEntry, ...]
