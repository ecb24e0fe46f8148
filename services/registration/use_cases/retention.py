"""Retention by edition: a look at it, and its work by the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.registration.domain.edition import Edition
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.erasures import ErasureStores
from services.registration.retention import Retention, RetentionFacts
from services.registration.retention_store import RetentionStore
from services.registration.service import OperatorService
from services.registration.use_cases.erasure import ErasureService, Party
from shared.runtime.clock import Clock
from shared.runtime.log import get_logger

_log = get_logger(__name__)
_KINDS: Final[tuple[type[Party], ...]] = (Participant, Organisation)
#: Parties that one run erases of an edition; the next run goes on.
_SLICE: Final = 50
#: Time for which a process has the work on an edition: longer than a slice takes.
_LEASE: Final = timedelta(minutes=5)
_NOT_ERASED: Final = {"erased_at": None}


@dataclass(frozen=True)
class RetentionView:
    """A retention with its edition, and the parties that are not erased: participants, then organisations."""

    retention: Retention
    edition: Edition
    left: tuple[int, int]


class RetentionService:
    """Use cases of retentions, for an operator."""

    def __init__(self, service: OperatorService, retentions: RetentionStore) -> None:
        self._service = service
        self._retentions = retentions
        self._operator_id = service.unit_of_work.repository.operator_id

    async def view(self, edition_id: str) -> RetentionView | None:
        """Return the retention of an edition; None if its data is kept until erasure. Raises `NotFound`."""
        edition = await self._service.editions.get(edition_id)
        retention = await self._retentions.find(self._operator_id, edition_id)
        if retention is None:
            return None
        participants, organisations = [await self._count(kind, edition_id) for kind in _KINDS]
        return RetentionView(retention, edition, (participants, organisations))

    async def put(self, edition_id: str, facts: RetentionFacts) -> None:
        """Set the months. Another number of months is warned of anew; the same changes nothing. Raises `NotFound`."""
        await self._service.editions.get(edition_id)
        known = await self._retentions.find(self._operator_id, edition_id)
        if known is None or known.months != facts.months:
            fields = {"operator_id": self._operator_id, "edition_id": edition_id, "months": facts.months}
            await self._retentions.put(Retention.model_validate(fields))

    async def remove(self, edition_id: str) -> None:
        """Keep the data of an edition until erasure. Raises `NotFound`."""
        await self._service.editions.get(edition_id)
        await self._retentions.remove(self._operator_id, edition_id)

    async def _count(self, kind: type[Party], edition_id: str) -> int:
        found = self._service.unit_of_work.repository.all_of(kind, edition_id)
        return sum([1 async for party in found if not party.is_erased])


async def anonymise_editions(stores: ErasureStores, retentions: RetentionStore, clock: Clock) -> None:
    """Warn of the end of retentions, and erase a slice of every edition that is due, in one process at a time."""
    for retention in await retentions.unfinished():
        service = OperatorService(stores.entities.of(retention.operator_id), clock)
        edition = await service.unit_of_work.repository.find(Edition, retention.edition_id, retention.edition_id)
        if edition is None:
            continue
        now = clock()
        if retention.is_to_be_warned(edition, now):
            _log.warning("retention_ends", edition_id=edition.edition_id, due_at=retention.due_at(edition))
            await retentions.put(retention.model_copy(update={"warned_at": now}))
        elif retention.is_due(edition, now) and await retentions.lease(retention, now, now + _LEASE):
            erased = await _erase_slice(ErasureService(service, stores), service, edition)
            done = {} if erased else {"anonymised_at": now}
            await retentions.put(retention.model_copy(update=done))


async def _erase_slice(erasures: ErasureService, service: OperatorService, edition: Edition) -> int:
    """Erase some parties of an edition, participants first, and return their number."""
    for kind in _KINDS:
        page = service.unit_of_work.repository.page
        if found := await page(kind, edition.edition_id, "", _SLICE, _NOT_ERASED):
            for party in found:
                await erasures.erase(await erasures.plan(kind, edition.edition_id, party.id))
            return len(found)
    return 0
