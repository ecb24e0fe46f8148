"""What is kept of each thing's newest snapshot: what matching needs, and no names or addresses."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict

from shared.events import (
    ConsentPolicy,
    EditionChanged,
    Language,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationKind,
    ParticipantChanged,
    Phase,
    Profile,
    RequestState,
    Status,
)


class Fact(BaseModel):
    """A thing as of its newest revision."""

    model_config = ConfigDict(frozen=True)

    revision: int

    def newer_than(self, known: Fact | None) -> bool:
        """Whether nothing was known, or an older revision: only then it is news."""
        return known is None or self.revision > known.revision

    def says_the_same_as(self, other: Fact | None) -> bool:
        """Whether only the revision differs, if that."""
        return other is not None and self.model_copy(update={"revision": other.revision}) == other


class Rules(Fact):
    """An edition's rules of consent and of proposals."""

    phase: Phase
    policy: ConsentPolicy
    least_affinity: float

    @classmethod
    def of(cls, event: EditionChanged) -> Self:
        return cls(
            revision=event.revision,
            phase=event.phase,
            policy=event.consent_policy,
            least_affinity=event.least_affinity,
        )

    def says_the_same_as(self, other: Fact | None) -> bool:
        """Whether consents and proposals stay as they are: the next phase changes neither."""
        return isinstance(other, Rules) and (self.policy, self.least_affinity) == (other.policy, other.least_affinity)


class Organisation(Fact):
    """An organisation: its helix kind, its territory, its codes."""

    kind: OrganisationKind
    country: str
    codes: tuple[str, ...]
    status: Status

    @classmethod
    def of(cls, event: OrganisationChanged) -> Self:
        return cls(
            revision=event.revision, kind=event.kind, country=event.country, codes=event.codes, status=event.status
        )


class Participant(Fact):
    """A participant: whom they represent, what they speak, offer and need."""

    organisation_id: str
    languages: tuple[Language, ...]
    profile: Profile
    status: Status

    @classmethod
    def of(cls, event: ParticipantChanged) -> Self:
        return cls(
            revision=event.revision,
            organisation_id=event.organisation_id,
            languages=event.languages,
            profile=event.profile,
            status=event.status,
        )


class Request(Fact):
    """A match request: directed, or open (no target)."""

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
        """Whether the requester still wants it and nobody has said no."""
        return self.state in (RequestState.REQUESTED, RequestState.ACCEPTED)
