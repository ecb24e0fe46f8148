"""Searches: the query parameters of lists of participants and organisations, and lists across editions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentPrincipal, CurrentService, Limit
from services.registration.api.replies import found
from services.registration.api.rights import needs
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.parties import AnyParty
from services.registration.service import OperatorService
from services.registration.use_cases.search import PartySearch, search_of
from shared.access import Action, MissingRight, Principal, Sight

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
    _must_see(principal, email, Sight.ALL, "an address")
    _must_see(principal, name, Sight.NAMES, "a name")
    _must_see(principal, external_id, Sight.NAMES, "an external id")
    return search_of(name=name, email=email, external_id=external_id, organisation=organisation)


def _must_see(principal: Principal, wanted: str | None, needed: Sight, what: str) -> None:
    """Raise `MissingRight` if a search is for a property that the principal does not see: its answer would tell it."""
    if wanted is not None and principal.sight < needed:
        raise MissingRight(f"a search for {what} needs the right to see it: an owner gives the scope directory")


async def _organisation_search(
    principal: CurrentPrincipal, name: _Name = None, external_id: _ExternalId = None, domain: _Domain = None
) -> PartySearch:
    for wanted, what in ((name, "a name"), (external_id, "an external id"), (domain, "a domain")):
        _must_see(principal, wanted, Sight.ORGANISATIONS, what)
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


@router.get("/participants", response_model=FoundParticipants)
@needs(Action.READ_PARTICIPANTS)
async def find_participants(
    service: CurrentService, principal: CurrentPrincipal, search: ParticipantSearch, limit: Limit = 100
) -> Response:
    """Find participants of all editions of the operator, also the cancelled; a property is needed."""
    _must_search(search, "name, email, external_id or organisation")
    return found(await service.search.across(Participant, search, limit + 1, principal.editions), limit)


@router.get("/organisations", response_model=FoundOrganisations)
@needs(Action.READ_ORGANISATIONS)
async def find_organisations(
    service: CurrentService, principal: CurrentPrincipal, search: OrganisationSearch, limit: Limit = 100
) -> Response:
    """Find organisations of all editions of the operator, also the cancelled; a property is needed."""
    _must_search(search, "name, external_id or domain")
    return found(await service.search.across(Organisation, search, limit + 1, principal.editions), limit)


def _must_search(search: PartySearch, names: str) -> None:
    if not search:
        raise Invalid(FieldError("/query", f"say what to look for: {names}"))
