"""Searches: the query parameters of lists of participants and organisations, and lists across editions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentPrincipal, CurrentService, Limit
from services.registration.api.rights import needs
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.service import OperatorService
from services.registration.use_cases.search import AnyParty, PartySearch, search_of
from shared.access import Action, MissingRight, Sight

router = APIRouter(tags=["search"])

_Name = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Words of the name, in any order, case and accent. A word may be cut at its end: `garc`.",
    ),
]
_Email = Annotated[str | None, Query(max_length=254, description="The whole address, in any case.")]
_ExternalId = Annotated[
    str | None, Query(max_length=200, description="The id in the operator's own system, exactly as it was sent.")
]
_OrganisationId = Annotated[str | None, Query(max_length=64, description="The id of the participants' organisation.")]
_Domain = Annotated[
    str | None, Query(max_length=254, description="The domain of the website, such as `acme.example`; subdomains too.")
]


async def _participant_search(
    principal: CurrentPrincipal,
    name: _Name = None,
    email: _Email = None,
    external_id: _ExternalId = None,
    organisation: _OrganisationId = None,
) -> PartySearch:
    if email is not None and principal.sight is not Sight.ALL:
        raise MissingRight(
            "a search for an address needs the right to see addresses: an owner gives the scope directory"
        )
    return search_of(name=name, email=email, external_id=external_id, organisation=organisation)


async def _organisation_search(
    name: _Name = None, external_id: _ExternalId = None, domain: _Domain = None
) -> PartySearch:
    return search_of(name=name, external_id=external_id, domain=domain)


ParticipantSearch = Annotated[PartySearch, Depends(_participant_search)]
OrganisationSearch = Annotated[PartySearch, Depends(_organisation_search)]


async def found_in(
    service: OperatorService, kind: type[AnyParty], edition_id: str, search: PartySearch, after: str | None, limit: int
) -> list[AnyParty]:
    """List up to `limit` parties of an edition that a search finds; all without a search. Raises `NotFound`."""
    if not search:
        return await service.page(kind, edition_id, after, limit)
    await service.editions.get(edition_id)
    return await service.search.within(kind, edition_id, search, after, limit)


class FoundParticipants(BaseModel):
    """Participants of several editions, by edition and id."""

    items: list[Participant]
    more: bool = Field(description="Whether there are more than the limit: search for more properties.")


class FoundOrganisations(BaseModel):
    """Organisations of several editions, by edition and id."""

    items: list[Organisation]
    more: bool = Field(description="Whether there are more than the limit: search for more properties.")


@router.get("/participants")
@needs(Action.READ_PARTICIPANTS)
async def find_participants(
    service: CurrentService, principal: CurrentPrincipal, search: ParticipantSearch, limit: Limit = 100
) -> FoundParticipants:
    """Find participants of all editions of the operator, also the cancelled, by at least one property."""
    _must_search(search, "name, email, external_id or organisation")
    found = await service.search.across(Participant, search, limit + 1, principal.editions)
    return FoundParticipants(items=found[:limit], more=len(found) > limit)


@router.get("/organisations")
@needs(Action.READ_ORGANISATIONS)
async def find_organisations(
    service: CurrentService, principal: CurrentPrincipal, search: OrganisationSearch, limit: Limit = 100
) -> FoundOrganisations:
    """Find organisations of all editions of the operator, also the cancelled, by at least one property."""
    _must_search(search, "name, external_id or domain")
    found = await service.search.across(Organisation, search, limit + 1, principal.editions)
    return FoundOrganisations(items=found[:limit], more=len(found) > limit)


def _must_search(search: PartySearch, names: str) -> None:
    if not search:
        raise Invalid(FieldError("/query", f"say what to look for: {names}"))
