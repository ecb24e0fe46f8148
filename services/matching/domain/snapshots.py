"""Snapshots: the fields that matching keeps of the newest revision of events. No names, no addresses."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from services.matching.domain.text.confidence import LowConfidenceReason, low_confidence_reasons
from shared.contract.events import (
    ConsentPolicy,
    EarlierEncounters,
    EditionChanged,
    EncounterChanged,
    EncounterState,
    Filling,
    Language,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationErased,
    OrganisationKind,
    ParticipantChanged,
    ParticipantErased,
    Phase,
    Profile,
    RequestState,
    Status,
    WaitingReason,
)

#: Reasons that still leave the text enough to score by.
_HARMLESS: Final = frozenset({LowConfidenceReason.ONE_WORD, LowConfidenceReason.TOO_LONG, LowConfidenceReason.MARKUP})
_ENDS: Final = {EncounterState.HELD: True, EncounterState.MISSED: False}


class Snapshot(BaseModel):
    """Base of all snapshots: the revision of the event it is taken from."""

    model_config = ConfigDict(frozen=True)

    revision: int

    def newer_than(self, known: Snapshot | None) -> bool:
        """Tell whether this revision is newer than the recorded snapshot, or nothing is recorded."""
        return known is None or self.revision > known.revision

    def equals_but_for_revision(self, known: Snapshot | None) -> bool:
        """Tell whether all fields but the revision are equal to the recorded snapshot's."""
        return known is not None and self.model_copy(update={"revision": known.revision}) == known


class EditionRules(Snapshot):
    """Rules of an edition for consent and proposals, and its affinity version."""

    phase: Phase
    policy: ConsentPolicy
    least_affinity: float
    affinity_version: str = "1"
    most_encounters: int | None = Field(default=None, description="Most proposal lists that name the same participant.")
    filling: Filling | None = None

    @classmethod
    def of(cls, event: EditionChanged) -> Self:
        return cls(
            revision=event.revision,
            phase=event.phase,
            policy=event.consent_policy,
            least_affinity=event.least_affinity,
            affinity_version=event.affinity_version,
            most_encounters=_most_encounters(event),
            filling=event.filling,
        )

    def equals_but_for_revision(self, known: Snapshot | None) -> bool:
        """Tell whether scores, consents and proposals stay the same. The phase is left out: it changes none of them."""
        return known is not None and super().equals_but_for_revision(known.model_copy(update={"phase": self.phase}))


class OrganisationSnapshot(Snapshot):
    """An organisation: its kind, territory, codes, competitors and earlier encounters."""

    kind: OrganisationKind
    country: str
    codes: tuple[str, ...]
    status: Status
    region: str | None = None
    delegation: str | None = None
    competitor_ids: tuple[str, ...] = ()
    met_before: tuple[EarlierEncounters, ...] = ()

    @classmethod
    def of(cls, event: OrganisationChanged | OrganisationErased) -> Self:
        if isinstance(event, OrganisationErased):
            return cls(revision=event.revision, kind=event.kind, country=event.country, codes=(), status=event.status)
        return cls(
            revision=event.revision,
            kind=event.kind,
            country=event.country,
            codes=event.codes,
            status=event.status,
            region=event.region,
            delegation=event.delegation,
            competitor_ids=event.competitor_ids,
            met_before=event.met_before,
        )


class ParticipantSnapshot(Snapshot):
    """A participant: organisation, languages, profile, and the ids that the participant blocks or declines.

    The needs and offers of the profile are in `people`, not in the journal; `texts` is the revision that brought them.
    """

    organisation_id: str
    languages: tuple[Language, ...]
    profile: Profile
    status: Status
    blocked_ids: tuple[str, ...] = ()
    declined_ids: tuple[str, ...] = ()
    texts: int = 0
    erased: bool = False

    @model_validator(mode="before")
    @classmethod
    def _date_texts(cls, fields: object) -> object:
        """Date the texts of an entry of an older version by its revision."""
        is_old = isinstance(fields, dict) and "texts" not in fields
        return {**fields, "texts": fields["revision"]} if isinstance(fields, dict) and is_old else fields

    @field_serializer("profile")
    def _codes_alone(self, profile: Profile) -> dict[str, list[str]]:
        return {"codes": list(profile.codes)}

    @classmethod
    def of(cls, event: ParticipantChanged | ParticipantErased, known: ParticipantSnapshot | None = None) -> Self:
        """Keep the fields of an event that scores need. `known` is the participant before."""
        if isinstance(event, ParticipantErased):
            return cls(
                revision=event.revision,
                organisation_id=event.organisation_id,
                languages=(),
                profile=Profile(),
                status=event.status,
                texts=event.revision,
                erased=True,
            )
        has_same_texts = known is not None and _texts(known.profile) == _texts(event.profile)
        return cls(
            revision=event.revision,
            texts=known.texts if known and has_same_texts else event.revision,
            organisation_id=event.organisation_id,
            languages=event.languages,
            profile=event.profile,
            status=event.status,
            blocked_ids=event.blocked_ids,
            declined_ids=event.declined_ids,
        )

    @property
    def has_low_confidence(self) -> bool:
        """True if needs and offers deserve little confidence: only codes tell something about the participant."""
        return _has_low_confidence((*self.profile.needs, *self.profile.offers))

    def blocks(self, participant_id: str, organisation_id: str) -> bool:
        """Tell whether the participant blocks that participant or that organisation."""
        return participant_id in self.blocked_ids or organisation_id in self.blocked_ids


class EncounterSnapshot(Snapshot):
    """The state of a pair's encounter. A moved encounter is `scheduled`. Only a waiting encounter has a reason."""

    state: EncounterState
    waiting_reason: WaitingReason | None = None

    @classmethod
    def of(cls, event: EncounterChanged) -> Self:
        state = EncounterState.SCHEDULED if event.state is EncounterState.MOVED else event.state
        return cls(revision=event.revision, state=state, waiting_reason=event.waiting_reason)

    @property
    def held(self) -> bool | None:
        """True if held, False if missed, None before it ends."""
        return _ENDS.get(self.state)


class RequestSnapshot(Snapshot):
    """A match request: directed, or open (`target_id` is None)."""

    requester_id: str
    target_id: str | None
    partners_wanted: int
    priority: int
    state: RequestState

    @classmethod
    def of(cls, event: MatchRequestChanged) -> Self:
        return cls(
            revision=event.revision,
            requester_id=event.requester_id,
            target_id=event.target_id,
            partners_wanted=event.partners_wanted,
            priority=event.priority,
            state=event.state,
        )

    @property
    def live(self) -> bool:
        """True for a requested or accepted request."""
        return self.state in (RequestState.REQUESTED, RequestState.ACCEPTED)


def _texts(profile: Profile) -> tuple[tuple[str, ...], ...]:
    return profile.offers, profile.needs


def _most_encounters(event: EditionChanged) -> int | None:
    """Return the most encounters of a participant: the smaller of quota and number of slots; None without both."""
    bounds = [bound for bound in (event.quotas.max_encounters, len(event.slots) or None) if bound is not None]
    return min(bounds, default=None)


@lru_cache(maxsize=4096)
def _has_low_confidence(texts: tuple[str, ...]) -> bool:
    return not _HARMLESS.issuperset(low_confidence_reasons(texts))
