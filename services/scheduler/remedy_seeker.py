"""Background search for the remedies of waiting encounters, so that agendas name them when they are published."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from services.scheduler.domain.organiser.remedies import SearchStopped, find_remedy
from services.scheduler.domain.organiser.remedy_trial import copy_of
from services.scheduler.domain.publication import RELAXABLE
from services.scheduler.domain.state import AgendaState
from services.scheduler.ports import Editions
from shared.contract.events import Remedy
from shared.runtime.clock import Clock

#: Encounters of an edition whose remedies are sought at a time, the highest demand first.
_MOST_SOUGHT = 10
#: Longest search for the remedy of an encounter.
_SEARCH_SECONDS = 2.0


@dataclass
class RemedySeeker:
    """The search of this process: an encounter at a time, on a copy, in a thread."""

    editions: Editions
    clock: Clock
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def seek(self, edition_id: str, may_go_on: Callable[[], bool]) -> None:
        """Seek the remedies of an edition's waiting encounters while `may_go_on`; until agendas are final, seek none.

        The remedies are kept beside the state in memory. Nothing is written: a process that takes the edition over
        finds them anew.
        """
        for pair_id in _most_wanted(await self.editions.read(edition_id)):
            async with self._turn:
                state = await self.editions.read(edition_id)
                reason = state.waiting.get(pair_id)
                if reason is None or not may_go_on():
                    continue
                remedy = await asyncio.to_thread(_found, copy_of(state), pair_id, self.clock(), may_go_on)
            state.links.remedies.pop(pair_id, None)
            if remedy is not None:
                state.links.remedies[pair_id] = reason, remedy


def _found(state: AgendaState, pair_id: str, now: datetime, may_go_on: Callable[[], bool]) -> Remedy | None:
    until = time.monotonic() + _SEARCH_SECONDS
    with contextlib.suppress(SearchStopped):
        return find_remedy(state, pair_id, now, lambda: may_go_on() and time.monotonic() < until)
    return None


def _most_wanted(state: AgendaState) -> list[str]:
    if state.is_closed or not (state.announced or state.awaits_announcement):
        return []
    waiting = [pair_id for pair_id, reason in state.waiting.items() if reason in RELAXABLE]
    demands = {pair_id: state.demand(pair_id) for pair_id in waiting}
    waiting.sort(key=lambda pair_id: (*demands[pair_id].rank, -demands[pair_id].score, pair_id))
    return waiting[:_MOST_SOUGHT]
