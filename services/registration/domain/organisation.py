"""An organisation of the quadruple helix: industry, research, administration or society."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from services.registration.domain.entity import Entity, Facts
from services.registration.domain.names import (
    Code,
    Description,
    Line,
    ShortLine,
    Website,
    domain_key,
    external_id_claims,
    external_id_keys,
    name_keys,
)
from shared.contract.events import (
    EarlierEncounters,
    Instant,
    OrganisationChanged,
    OrganisationErased,
    OrganisationKind,
    Status,
)
from shared.contract.events.registration import CountryCode
from shared.contract.ids import Id
from shared.contract.personal import PERSONAL
from shared.contract.spelling import same_name


class OrganisationFacts(Facts):
    """Fields of an organisation that its operator sets. The name is unique in the edition, in any case."""

    name: Annotated[Line, PERSONAL]
    kind: OrganisationKind
    country: CountryCode = Field(description="ISO 3166-1 alpha-2, such as ES.")
    region: Line | None = None
    delegation: Line | None = Field(default=None, description="The group with which it travels, if any.")
    interchangeable: bool = Field(
        default=False,
        description="Whether any of its participants may take a meeting when the participant asked for has no time.",
    )
    codes: tuple[Code, ...] = Field(default=(), max_length=30, description="Such as nace:25.62 or ket:robotics.")
    competitor_ids: tuple[Id, ...] = Field(
        default=(),
        max_length=100,
        description="Organisations that are never proposed as partners; a statement by either of the two counts.",
    )
    met_before: tuple[EarlierEncounters, ...] = Field(
        default=(),
        max_length=200,
        description="Organisations it met in earlier editions; a statement by either of the two counts.",
    )
    website: Annotated[Website, PERSONAL] | None = Field(default=None, description="Such as https://www.example.org.")
    description: Annotated[Description, PERSONAL] | None = None
    booth: Annotated[ShortLine, PERSONAL] | None = Field(default=None, description="The label of its stand.")
    phone: Annotated[ShortLine, PERSONAL] | None = None
    external_id: Annotated[Line, PERSONAL] | None = Field(
        default=None, description="Its id in the operator's own system."
    )


class Organisation(OrganisationFacts, Entity):
    """An organisation at a revision."""

    PREFIX: ClassVar[str] = "org"
    ID: ClassVar[str] = "organisation_id"
    NOUN: ClassVar[str] = "organisation"

    organisation_id: str
    status: Status = Status.ACTIVE
    merged_into: Id | None = Field(
        default=None, description="The organisation into which this organisation, a duplicate, was merged."
    )
    erased_at: Instant | None = Field(
        default=None, description="Time of the erasure: the id, the kind and the country stay, so that counts hold."
    )

    @property
    def unique(self) -> str:
        return self.id if self.erased_at else f"{self.edition_id}/{same_name(self.name)}"

    @property
    def identities(self) -> tuple[str, ...]:
        return (self.unique, *external_id_claims(self.edition_id, self.external_id))

    @property
    def search_keys(self) -> tuple[str, ...]:
        keys = (*external_id_keys(self.external_id), *name_keys(self.name))
        return (*keys, domain_key(self.website)) if self.website else keys

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None

    @property
    def gives_way(self) -> bool:
        return self.status is Status.CANCELLED

    def snapshot(self) -> OrganisationChanged | OrganisationErased:
        kind = OrganisationErased if self.erased_at else OrganisationChanged
        return kind(**self.model_dump(exclude={"created_at", "changed_at", "erased_at"}), occurred_at=self.changed_at)
