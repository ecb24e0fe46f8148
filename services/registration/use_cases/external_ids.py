"""Use cases of external ids: a party is looked up, registered or changed by its id in the operator's own system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from services.registration.domain.entity import Facts
from services.registration.domain.errors import Conflict, FieldError, Invalid, NotFound
from services.registration.domain.members import Patch
from services.registration.domain.names import Line, external_id_keys
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.parsing import AnyFacts, parse_facts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.parties import AnyParty
from services.registration.ports import KeyBeginning
from services.registration.unit_of_work import Revisions, UnitOfWork
from services.registration.use_cases.organisations import OrganisationService
from services.registration.use_cases.participants import ParticipantService
from shared.contract.events import Status

_ID: Final = TypeAdapter[str](Line)
#: Parties with an external id that are read: cancelled parties keep it beside the active party.
_MOST: Final = 20
_ATTEMPTS: Final = 3
AnyParty_co = TypeVar("AnyParty_co", Organisation, Participant, covariant=True)
AnyFacts_contra = TypeVar("AnyFacts_contra", bound=Facts, contravariant=True)


@dataclass(frozen=True)
class Upsert(Generic[AnyParty]):
    """The party of an external id after a request, and whether the request has registered it."""

    party: AnyParty
    is_new: bool


class _Parties(Protocol[AnyFacts_contra, AnyParty_co]):
    """The use cases of a kind of party, as far as they are needed here."""

    async def register(self, edition_id: str, facts: AnyFacts_contra, key: str | None, /) -> AnyParty_co: ...

    async def amend(self, edition_id: str, party_id: str, patch: Patch, revisions: Revisions, /) -> AnyParty_co: ...


class ExternalIdService:
    """Use cases of external ids."""

    def __init__(
        self, unit_of_work: UnitOfWork, participants: ParticipantService, organisations: OrganisationService
    ) -> None:
        self._unit = unit_of_work
        self._participants = participants
        self._organisations = organisations

    async def get(self, kind: type[AnyParty], edition_id: str, external_id: str) -> AnyParty:
        """Return the party of an edition with an external id, active parties first.

        Raises:
            NotFound: no party has it, or the edition is unknown.
        """
        party = await self._find(kind, edition_id, _clean(external_id))
        if party is None:
            raise NotFound(f"there is no {kind.NOUN} with this external id")
        return party

    async def put_participant(self, edition_id: str, external_id: str, patch: Patch) -> Upsert[Participant]:
        """Change the participant of an external id, or register a participant. Fields that are not sent stay.

        Raises:
            Conflict: the participant is cancelled; and the errors of a registration and of a change.
        """
        return await self._put(Participant, ParticipantFacts, self._participants, edition_id, external_id, patch)

    async def put_organisation(self, edition_id: str, external_id: str, patch: Patch) -> Upsert[Organisation]:
        """Change the organisation of an external id, or register an organisation. See `put_participant`."""
        return await self._put(Organisation, OrganisationFacts, self._organisations, edition_id, external_id, patch)

    async def _put(
        self,
        kind: type[AnyParty],
        facts_kind: type[AnyFacts],
        parties: _Parties[AnyFacts, AnyParty],
        edition_id: str,
        external_id: str,
        patch: Patch,
    ) -> Upsert[AnyParty]:
        own = _with_id(patch, _clean(external_id))
        for _ in range(_ATTEMPTS):
            there = await self._find(kind, edition_id, own["external_id"])
            if there is not None:
                return Upsert(await parties.amend(edition_id, there.id, own, ()), is_new=False)
            facts = parse_facts(facts_kind, to_json(own))
            self._must_not_be_tried(kind.NOUN)
            try:
                return Upsert(await parties.register(edition_id, facts, None), is_new=True)
            except Conflict:  # perhaps registered at this very moment, under the same id
                if await self._find(kind, edition_id, own["external_id"]) is None:
                    raise
        raise Conflict(f"the {kind.NOUN} is being registered by others: try again")

    async def _find(self, kind: type[AnyParty], edition_id: str, external_id: str) -> AnyParty | None:
        [key] = external_id_keys(external_id)
        found = await self._unit.repository.page(kind, edition_id, "", _MOST, {"search_keys": KeyBeginning(key)})
        return min(found, key=lambda party: (party.status is not Status.ACTIVE, party.id), default=None)

    def _must_not_be_tried(self, noun: str) -> None:
        if self._unit.gate.dry_run:
            raise Invalid(
                FieldError(
                    "/query/dry_run",
                    f"no {noun} has this external id: the request would register one, and move nothing",
                )
            )


def _clean(external_id: str) -> str:
    try:
        return _ID.validate_python(external_id)
    except ValidationError:
        raise Invalid(FieldError("/path/external_id", "an external id is a line of 1 to 200 characters")) from None


def _with_id(patch: Patch, external_id: str) -> Patch:
    sent = patch.get("external_id", external_id)
    if sent != external_id:
        raise Invalid(
            FieldError("/external_id", f"is {str(sent)[:100]!r}, but the path names {external_id!r}: send the same id")
        )
    return {**patch, "external_id": external_id}
