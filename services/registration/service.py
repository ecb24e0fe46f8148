"""The use cases of an operator, and the work by the clock: requests expire, editions become live, lines move on."""

from __future__ import annotations

from collections.abc import Iterator

from services.registration.affinity_versions import BuiltInVersions
from services.registration.ceilings import Room, unbounded
from services.registration.domain.checks.doubtful_fact import DoubtfulFact
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import Conflict
from services.registration.domain.match_request import Answer, MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.ports import AffinityVersions, AnyEntity, EntityStore, Repository
from services.registration.unit_of_work import UnitOfWork
from services.registration.use_cases.calendars import FollowingAvailability
from services.registration.use_cases.editions import EditionService
from services.registration.use_cases.external_ids import ExternalIdService
from services.registration.use_cases.match_requests import MatchRequestService
from services.registration.use_cases.moves import MoveService
from services.registration.use_cases.organisations import OrganisationService
from services.registration.use_cases.participants import ParticipantService
from services.registration.use_cases.search import SearchService
from services.registration.use_cases.session_lines import SessionLines
from shared.access import CLOCK, Principal
from shared.contract.events import Phase
from shared.runtime.clock import Clock

#: Match requests, and editions, that one run of the background work handles.
_AT_ONCE = 500


class OperatorService:
    """The use cases of an operator, by kind of entity.

    Every use case may raise `NotFound`, `Conflict`, `Stale`, `Invalid` and `KeyReused` (`domain.errors`).
    """

    def __init__(
        self,
        repository: Repository,
        clock: Clock,
        versions: AffinityVersions | None = None,
        room: Room = unbounded,
        principal: Principal = CLOCK,
    ) -> None:
        self.unit_of_work = UnitOfWork(repository, clock, room, principal)
        lines = SessionLines(self.unit_of_work)
        availability = FollowingAvailability(self.unit_of_work)
        self.editions = EditionService(self.unit_of_work, versions or BuiltInVersions(), lines, availability)
        self.participants = ParticipantService(self.unit_of_work, self.editions, lines)
        self.organisations = OrganisationService(self.unit_of_work, self.editions, self.participants)
        self.external_ids = ExternalIdService(self.unit_of_work, self.participants, self.organisations)
        self.moves = MoveService(repository)
        self.search = SearchService(repository)
        self.match_requests = MatchRequestService(self.unit_of_work, self.editions)

    def confirmed_as_a_whole(self) -> OperatorService:
        """Return the same use cases for a merge or its undoing: its changes need no confirmation of their own."""
        unit = self.unit_of_work
        return OperatorService(unit.repository, unit.clock, principal=unit.principal)

    async def get(self, kind: type[AnyEntity], edition_id: str, entity_id: str) -> AnyEntity:
        """Read an entity of an edition. Raises `NotFound`."""
        return await self.unit_of_work.get(kind, edition_id, entity_id)

    async def warnings(self, entity: Entity) -> tuple[DoubtfulFact, ...]:
        """List the doubtful facts of an entity, and the cancelled entities whose name or address it has taken over."""
        match entity:
            case Edition():
                return await self.editions.warnings(entity)
            case Organisation():
                return (*self._registered_before(entity, "/name"), *await self.organisations.warnings(entity))
            case Participant():
                return (*self._registered_before(entity, "/email"), *await self.participants.warnings(entity))
        return ()

    def _registered_before(self, entity: Entity, where: str) -> Iterator[DoubtfulFact]:
        for before in self.unit_of_work.given_way:
            if isinstance(before, type(entity)) and before.unique == entity.unique:
                yield DoubtfulFact(
                    where,
                    f"{before.NOUN} {before.id} had it, and was cancelled. This is a new {before.NOUN}, without the "
                    f"requests and encounters of before: to have them back, cancel this one, and reinstate {before.id}",
                    "registered-before",
                    before.id,
                )

    async def page(
        self, kind: type[AnyEntity], edition_id: str | None, after: str | None, limit: int
    ) -> list[AnyEntity]:
        """List up to `limit` entities by id, beyond `after`; of one edition if given. Raises `NotFound`."""
        entities = await self.unit_of_work.repository.page(kind, edition_id, after or "", limit)
        if not entities and edition_id is not None:
            await self.editions.get(edition_id)
        return entities


async def expire_overdue(store: EntityStore, clock: Clock) -> None:
    """Expire the match requests of all operators that were not answered in time."""
    for request in await store.overdue(MatchRequest, clock(), _AT_ONCE):
        service = OperatorService(store.of(request.operator_id), clock)
        try:
            await service.match_requests.answer(request.edition_id, request.request_id, Answer.EXPIRY)
        except Conflict:  # answered at this very moment
            continue


async def move_editions_by_clock(store: EntityStore, clock: Clock) -> None:
    """Make published editions of all operators live before their first hour, and close editions after their last.

    Availability that has not followed the calendar of its edition is moved.
    Several processes may do it at once, and late: an edition is moved to a phase once, as a revision of its own.
    """
    for edition in await store.overdue(Edition, clock(), _AT_ONCE):
        service = OperatorService(store.of(edition.operator_id), clock)
        try:
            await service.editions.move_by_clock(edition.edition_id)
            await service.editions.follow_calendar(edition.edition_id)
        except Conflict:  # changed by many at this very moment: the next run finds it again
            continue


async def serve_lines(store: EntityStore, clock: Clock) -> None:
    """Hand open seats down the lines of all operators: the process that freed a seat may have died before it did so."""
    for operator_id, edition_id in await store.editions_with_lines():
        service = OperatorService(store.of(operator_id), clock)
        if (await service.editions.get(edition_id)).phase is Phase.CLOSED:
            await store.end_lines(operator_id, edition_id)
            continue
        try:
            await service.editions.serve_lines(edition_id)
        except Conflict:  # changed by many at this very moment: the next run goes on
            continue
