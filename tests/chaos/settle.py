"""Wait at the end of a run until no service has anything left to consume, decide, send or mail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from demo.audit import SchedulerJournal
from demo.unconfirmed import DeliveryResolver
from services.notify.store import MongoLedger
from shared.runtime.clock import utc_now
from tests.chaos.evidence import Databases
from tests.chaos.stack import ChaosStack
from tests.chaos.watch import Watch

_LOOK_EVERY_SECONDS = 1.0
#: Looks in a row that must find nothing left: a record on its way between two services is nowhere for a moment.
_QUIET_LOOKS = 3


class NotQuiet(Exception):
    """The run did not become quiet in time; the message lists the work left."""


class Settling:
    """Looks for work left in Kafka, Mongo and the mail server; resolves unconfirmed mails on the way."""

    def __init__(
        self, stack: ChaosStack, watch: Watch, databases: Databases, edition_ids: list[str], say: Callable[[str], None]
    ) -> None:
        self._stack = stack
        self._say = say
        self._said: list[str] = []
        self._watch = watch
        self._databases = databases
        self._ledger = MongoLedger(databases.of("notify"), utc_now)
        self._resolver = DeliveryResolver(self._ledger, stack.mails)
        journal = databases.journal("scheduler")
        self._journals = [SchedulerJournal(journal, edition_id) for edition_id in edition_ids]

    @property
    def doubts_settled(self) -> int:
        """Number of unconfirmed mails that were looked up at the mail server."""
        return self._resolver.settled

    async def wait(self, seconds: float) -> None:
        """Return once no work is left. Raises `NotQuiet` after so many seconds."""
        await until_nothing_lacks(self._lacks, seconds)

    async def _lacks(self) -> list[str]:
        await self._resolver.settle()
        owed, in_doubt = await self._ledger.count()
        lacks = [f"{name} is not ready" for name in await self._stack.unready()]
        lacks += [f"{group} has {lag} records to handle" for group, lag in self._watch.standstills.behind().items()]
        lacks += [f"{count} of {name} are not sent" for name, count in (await self._databases.unsent()).items()]
        lacks += [f"{owed} mails are owed"] if owed else []
        lacks += [f"{in_doubt} mails are in doubt"] if in_doubt else []
        for journal in self._journals:
            state = await journal.follow()
            if (
                state.has_new_inputs
                or state.awaits_announcement
                or state.unpublished_pairs
                or state.unpublished_participants
            ):
                lacks.append(f"the scheduler is not done with {state.edition_id}")
        if lacks != self._said:
            self._say("; ".join(lacks) or "nothing is left to do")
        self._said = lacks
        return lacks


async def until_nothing_lacks(lacks: Callable[[], Awaitable[list[str]]], seconds: float) -> None:
    """Return once some looks in a row have found no work left.

    Raises:
        NotQuiet: work is left after so many seconds.
    """
    deadline, quiet = time.monotonic() + seconds, 0
    while quiet < _QUIET_LOOKS:
        lacking = await lacks()
        quiet = 0 if lacking else quiet + 1
        if lacking and time.monotonic() > deadline:
            raise NotQuiet(f"after {seconds:.0f} s it is not quiet: {'; '.join(lacking)}")
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
