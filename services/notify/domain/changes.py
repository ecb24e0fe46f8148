"""The changes of an edition's state, as notify's journal stores them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from services.notify.domain.snapshots import (
    AgendaSnapshot,
    ContactSnapshot,
    EditionSnapshot,
    FrozenModel,
    MatchSnapshot,
    OrganisationSnapshot,
)
from shared.contract.ids import Id


class OperatorRecorded(FrozenModel):
    """The operator of the edition. Records of another operator are forgotten."""

    type: Literal["operator"] = "operator"
    operator_id: Id


class EditionRecorded(FrozenModel):
    """A newer revision of the edition."""

    type: Literal["edition"] = "edition"
    edition: EditionSnapshot


class OrganisationRecorded(FrozenModel):
    """A newer revision of an organisation."""

    type: Literal["organisation"] = "organisation"
    organisation_id: Id
    organisation: OrganisationSnapshot


class ContactRecorded(FrozenModel):
    """A newer revision of a participant."""

    type: Literal["contact"] = "contact"
    participant_id: Id
    contact: ContactSnapshot


class AgendaRecorded(FrozenModel):
    """A newer revision of a participant's announced agenda."""

    type: Literal["agenda"] = "agenda"
    participant_id: Id
    agenda: AgendaSnapshot


class MatchRecorded(FrozenModel):
    """New reasons for which two participants fit."""

    type: Literal["match"] = "match"
    pair_id: Id
    match: MatchSnapshot


class VersionRaised(FrozenModel):
    """A participant's mail has to be sent anew: `version` counts the times that its content may have changed."""

    type: Literal["version"] = "version"
    participant_id: Id
    version: int


Change = Annotated[
    OperatorRecorded
    | EditionRecorded
    | OrganisationRecorded
    | ContactRecorded
    | AgendaRecorded
    | MatchRecorded
    | VersionRaised,
    Field(discriminator="type"),
]
