"""The frozen parts of an edition's state: what is known of each thing, what was told of it, how it went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from shared.contract.events import (
    AffinityScored,
    AgendaEntry,
    CompactModel,
    Consent,
    EncounterState,
    Interval,
    OrganisationChanged,
    OrganisationKind,
    ParticipantChanged,
    Place,
    Status,
    WaitingReason,
)
from shared.internal_api.edits import Edit


class Snapshot(CompactModel):
    """A frozen part of the state."""


class OrganisationSnapshot(Snapshot):
    """What of an organisation bears on agendas. No country: kept from before there were goals."""

    revision: int
    kind: OrganisationKind
    status: Status
    country: str | None = None
    delegation: str | None = None
    interchangeable: bool = False

    @classmethod
    def of(cls, event: OrganisationChanged) -> Self:
        return cls(
            revision=event.revision,
            kind=event.kind,
            status=event.status,
            country=event.country,
            delegation=event.delegation,
            interchangeable=event.interchangeable,
        )

    def is_placed_like(self, other: OrganisationSnapshot) -> bool:
        """Whether all that bears on who may meet, and in which zones, is the same."""
        mine = (self.kind, self.status, self.interchangeable)
        return mine == (other.kind, other.status, other.interchangeable)

    def is_judged_like(self, other: OrganisationSnapshot) -> bool:
        """Whether all that bears on an agenda made anew is the same."""
        return self.model_copy(update={"revision": other.revision}) == other


class ParticipantSnapshot(Snapshot):
    """What of a participant bears on agendas; no personal data."""

    revision: int
    organisation_id: str
    available: tuple[Interval, ...]
    session_ids: tuple[str, ...]
    status: Status
    checked_in: bool = False
    blocked_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, event: ParticipantChanged) -> Self:
        return cls(
            revision=event.revision,
            organisation_id=event.organisation_id,
            available=event.available,
            session_ids=event.session_ids,
            status=event.status,
            checked_in=event.checked_in,
            blocked_ids=event.blocked_ids,
        )

    def blocks(self, participant_id: str, organisation_id: str) -> bool:
        """Whether the participant wants to meet neither this one nor the organisation."""
        return participant_id in self.blocked_ids or organisation_id in self.blocked_ids

    def is_placed_like(self, other: ParticipantSnapshot) -> bool:
        """Whether all that bears on an agenda made ahead is the same: who has come bears on the day alone."""
        return self.model_copy(update={"revision": other.revision, "checked_in": other.checked_in}) == other


class PairSnapshot(Snapshot):
    """A pair as matching last said it: whether both want it, and how much.

    `requested` are the two whom matching named, where another representative has taken the encounter over. `guest_ids`
    are who joins the two at the organiser's invitation, sorted.
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
        """All who meet: the two, then their guests."""
        return (*self.participant_ids, *self.guest_ids)

    def without(self, leaver: str, participants: Mapping[str, ParticipantSnapshot]) -> tuple[str, ...]:
        """Who meets if somebody leaves: one guest fewer, or whoever was matched again in place of a stand-in."""
        if leaver in self.guest_ids:
            return tuple(each for each in self.people if each != leaver)
        known = (each for each in self.matched if each in participants and each not in self.people)
        home = participants[leaver].organisation_id
        away = next((each for each in known if participants[each].organisation_id == home), None)
        if leaver in self.matched or away is None:
            return self.people
        return (*sorted(away if each == leaver else each for each in self.participant_ids), *self.guest_ids)

    @property
    def published_people(self) -> tuple[str, ...] | None:
        """Who meet, if not those who were matched and they alone."""
        return self.people if self.requested or self.guest_ids else None

    def with_people(self, people: tuple[str, ...]) -> PairSnapshot:
        """The same where these meet: the two, then their guests."""
        one, other, *guest_ids = people
        requested = self.matched if self.matched != (one, other) else None
        news = {"participant_ids": (one, other), "requested": requested, "guest_ids": tuple(guest_ids)}
        return self.model_copy(update=news)

    @property
    def matched(self) -> tuple[str, str]:
        """The two whom matching named: the id of the encounter is made of them, whoever takes it over."""
        return self.requested or self.participant_ids


class AttendanceSnapshot(Snapshot):
    """How an encounter went, where it was to be: `HELD`, or `MISSED` because of `absent_ids`."""

    outcome: EncounterState
    absent_ids: tuple[str, ...]
    place: Place


class Arrangement(Snapshot):
    """All that an edit can change of an encounter: its place or why it waits, its lock, and who meets.

    `comes_after` are the pairs whose encounters it has to come after, sorted.
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
        """Whether nothing but what it comes after and its guests differs from before: it is asked to be nowhere."""
        news = {"comes_after": self.comes_after, "people": self.people}
        return self.pair == before.pair and self == before.model_copy(update=news)


class AppliedEdit(Snapshot):
    """An edit by hand, and what it changed."""

    edit: Edit
    before: dict[str, Arrangement]
    after: dict[str, Arrangement]


class PublishedEncounter(Snapshot):
    """What was last published of an encounter. `people` are those who meet, if not those who were matched alone."""

    revision: int
    state: EncounterState
    place: Place | None = None
    reason: WaitingReason | None = None
    people: tuple[str, ...] | None = None
    absent_ids: tuple[str, ...] = ()
    is_locked: bool = False
    comes_after: tuple[str, ...] = ()

    def is_arranged_like(self, other: PublishedEncounter) -> bool:
        """Whether the same people meet at the same place, whatever its slot's number, or wait for the same reason."""
        place = self.place
        if place and other.place:
            place = place.model_copy(update={"slot": other.place.slot})
        return (place, self.reason, self.people) == (other.place, other.reason, other.people)


class PublishedAgenda(Snapshot):
    """What was last published of a participant's agenda."""

    revision: int
    provisional: bool
    entries: tuple[AgendaEntry, ...]
