"""Changes of matching's state, as its journal stores them. `type` and the field names are stored and never change."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.matching.domain.rescoring.pairs_left import PairsLeft
from services.matching.domain.snapshots import (
    EditionRules,
    EncounterSnapshot,
    OrganisationSnapshot,
    ParticipantSnapshot,
    RequestSnapshot,
)
from shared.contract.events import Actor, AffinityScored


class OperatorRecorded(BaseModel):
    """The operator of the edition. Records of another operator are forgotten."""

    type: Literal["operator_learned"] = "operator_learned"
    operator_id: str


class RulesRecorded(BaseModel):
    """A newer revision of the edition's rules was received."""

    type: Literal["rules_learned"] = "rules_learned"
    rules: EditionRules


class OrganisationRecorded(BaseModel):
    """A newer revision of an organisation was received."""

    type: Literal["organisation_learned"] = "organisation_learned"
    organisation_id: str
    organisation: OrganisationSnapshot


class ParticipantRecorded(BaseModel):
    """A newer revision of a participant was received."""

    type: Literal["participant_learned"] = "participant_learned"
    participant_id: str
    participant: ParticipantSnapshot


class RequestRecorded(BaseModel):
    """A newer revision of a match request was received."""

    type: Literal["request_learned"] = "request_learned"
    request_id: str
    request: RequestSnapshot
    actor: Actor = None


class PartnersProposed(BaseModel):
    """Proposals of an open request were replaced by these partners, best first."""

    type: Literal["partners_proposed"] = "partners_proposed"
    request_id: str
    partner_ids: tuple[str, ...]


class ProposalRoundRecorded(BaseModel):
    """A proposal round of the organiser added these pairs to the pairs of earlier rounds."""

    type: Literal["agendas_filled"] = "agendas_filled"
    round: int
    pairs: tuple[tuple[str, str], ...]


class PairScored(BaseModel):
    """An affinity was published. `terms`, 0..1, made up the score; empty if the score was not computed anew."""

    type: Literal["pair_scored"] = "pair_scored"
    affinity: AffinityScored
    terms: dict[str, float] = {}


class PairsDeferred(BaseModel):
    """The pairs of an event are published in slices, by this entry and the entries after it."""

    type: Literal["pairs_deferred"] = "pairs_deferred"
    left: PairsLeft


class PairsPublished(BaseModel):
    """The first `count` of the pairs left are published, or need no publication."""

    type: Literal["pairs_published"] = "pairs_published"
    count: int


class EncounterRecorded(BaseModel):
    """A newer revision of a pair's encounter was received."""

    type: Literal["encounter_learned"] = "encounter_learned"
    participant_ids: tuple[str, str]
    encounter: EncounterSnapshot


Change = Annotated[
    OperatorRecorded
    | RulesRecorded
    | OrganisationRecorded
    | ParticipantRecorded
    | RequestRecorded
    | PartnersProposed
    | ProposalRoundRecorded
    | PairScored
    | PairsDeferred
    | PairsPublished
    | EncounterRecorded,
    Field(discriminator="type"),
]
