"""An organisation: a party of the quadruple helix."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from services.registration.domain.entity import Entity, Facts
from services.registration.domain.names import Line, same_name
from shared.contract.events import EarlierEncounters, OrganisationChanged, OrganisationKind, Status
from shared.contract.events.registration import Code, CountryCode
from shared.contract.ids import Id


class OrganisationFacts(Facts):
    """What an operator says of an organisation. Its name is unique in its edition, whatever the case."""

    name: Line
    kind: OrganisationKind
    country: CountryCode = Field(description="ISO 3166-1 alpha-2, such as ES.")
    region: Line | None = None
    delegation: Line | None = Field(default=None, description="The group it travels with, if any.")
    interchangeable: bool = Field(
        default=False, description="Whether any of its participants may meet where the one asked for has no time."
    )
    codes: tuple[Code, ...] = Field(default=(), max_length=30, description="Such as nace:25.62 or ket:robotics.")
    competitor_ids: tuple[Id, ...] = Field(
        default=(), max_length=100, description="Organisations that it is never proposed to meet, nor they it."
    )
    met_before: tuple[EarlierEncounters, ...] = Field(
        default=(), max_length=200, description="Whom it has met in earlier editions; either of the two may say so."
    )


class Organisation(OrganisationFacts, Entity):
    """An organisation as it stands at a revision."""

    PREFIX: ClassVar[str] = "org"
    ID: ClassVar[str] = "organisation_id"
    NOUN: ClassVar[str] = "organisation"

    organisation_id: str
    status: Status = Status.ACTIVE

    @property
    def unique(self) -> str:
        return f"{self.edition_id}/{same_name(self.name)}"

    def snapshot(self) -> OrganisationChanged:
        return OrganisationChanged(**self.model_dump(exclude={"created_at", "changed_at"}), occurred_at=self.changed_at)
