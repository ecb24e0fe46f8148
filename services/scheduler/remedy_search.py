"""Background search for the remedies of waiting encounters, so that agendas name them when they are published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.scheduler.domain.organiser.remedies import REMEDIABLE, find_remedy
from services.scheduler.domain.organiser.remedy_trial import copy_of
from services.scheduler.ports import Editions
from shared.runtime.clock import Clock

#: Encounters of an edition whose remedies are sought at a time, the highest demand first.
_MOST_SOUGHT = 20


async def seek_remedies(editions: Editions, edition_id: str, clock: Clock, may_go_on: Callable[[], bool]) -> None:
    """Seek the remedies of an edition's waiting encounters, each on a copy in a thread, while `may_go_on`.

    The remedies are kept beside the state in memory. Nothing is written: a process that takes the edition over finds
    them anew.
    """
    state = await editions.read(edition_id)
    if state.is_closed or not (state.announced or state.awaits_announcement):
        return
    waiting = [pair_id for pair_id, reason in state.waiting.items() if reason in REMEDIABLE]
    ranks = {pair_id: (*state.demand(pair_id).rank, -state.demand(pair_id).score, pair_id) for pair_id in waiting}
    for pair_id in sorted(waiting, key=lambda pair_id: ranks[pair_id])[:_MOST_SOUGHT]:
        state = await editions.read(edition_id)
        reason = state.waiting.get(pair_id)
        if reason is None or not may_go_on():
            continue
        remedy = await asyncio.to_thread(find_remedy, copy_of(state), pair_id, clock())
        state.links.remedies.pop(pair_id, None)
        if remedy is not None:
            state.links.remedies[pair_id] = reason, remedy
