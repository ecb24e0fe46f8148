"""The frozen parts of an edition's state: what is known of each thing, what was told of it, how it went."""

from __future__ import annotations

from typing import Self

from shared.events import (
    AffinityScored,
    AgendaEntry,
    Consent,
    Edit,
    EncounterState,
    Interval,
    Kept,
    OrganisationChanged,
    OrganisationKind,
    ParticipantChanged,
    Place,
    Status,
    WaitingReason,
)


class Known(Kept):
    """A frozen part of the state."""


class KnownOrganisation(Known):
    """What of an organisation bears on agendas."""

    revision: int
    kind: OrganisationKind
    status: Status

    @classmethod
    def of(cls, event: OrganisationChanged) -> Self:
        return cls(revision=event.revision, kind=event.kind, status=event.status)


class KnownParticipant(Known):
    """What of a participant bears on agendas; no personal data."""

    revision: int
    organisation_id: str
    available: tuple[Interval, ...]
    session_ids: tuple[str, ...]
    status: Status
    checked_in: bool = False

    @classmethod
    def of(cls, event: ParticipantChanged) -> Self:
        return cls(
            revision=event.revision,
            organisation_id=event.organisation_id,
            available=event.available,
            session_ids=event.session_ids,
            status=event.status,
            checked_in=event.checked_in,
        )

    def is_as_free_as(self, other: KnownParticipant) -> bool:
        """Whether all that bears on an agenda made ahead is the same: who has come bears on the day alone."""
        return self.model_copy(update={"revision": other.revision, "checked_in": other.checked_in}) == other


class KnownPair(Known):
    """A pair as matching last said it: whether both want it, and how much.

    `requested` are the two whom matching named, where another representative has taken the encounter over.
    """

    revision: int
    participant_ids: tuple[str, str]
    requested: tuple[str, str] | None = None
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
    def matched(self) -> tuple[str, str]:
        """The two whom matching named: the id of the encounter is made of them, whoever takes it over."""
        return self.requested or self.participant_ids


class Attended(Known):
    """How an encounter went, where it was to be: `HELD`, or `MISSED` because of `absent_ids`."""

    outcome: EncounterState
    absent_ids: tuple[str, ...]
    place: Place


class Arrangement(Known):
    """All that an edit can change of an encounter: its place or why it waits, its lock, and who took it over.

    `comes_after` are the pairs whose encounters it has to come after, sorted.
    """

    place: Place | None
    reason: WaitingReason | None
    is_locked: bool
    people: tuple[str, str]
    comes_after: tuple[str, ...] = ()

    def is_only_ordered(self, before: Arrangement) -> bool:
        """Whether nothing but what it comes after differs from before: it is not asked to be anywhere."""
        return self == before.model_copy(update={"comes_after": self.comes_after})


class EditMade(Known):
    """An edit by hand, and what it changed."""

    edit: Edit
    before: dict[str, Arrangement]
    after: dict[str, Arrangement]


class ToldEncounter(Known):
    """What was last published of an encounter. `people` are those who meet, if not those who were matched."""

    revision: int
    state: EncounterState
    place: Place | None = None
    reason: WaitingReason | None = None
    people: tuple[str, str] | None = None
    absent_ids: tuple[str, ...] = ()


class ToldAgenda(Known):
    """What was last published of a participant's agenda."""

    revision: int
    provisional: bool
    entries: tuple[AgendaEntry, ...]
