"""Availability that follows the calendar of its edition: the time zone, and the days that move."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from services.registration.domain.checks.doubtful_fact import MOST_NAMED, DoubtfulFact
from services.registration.domain.checks.participant import doubts_of_availability
from services.registration.domain.edition import Edition
from services.registration.domain.errors import Conflict
from services.registration.domain.participant import Participant
from services.registration.unit_of_work import UnitOfWork
from shared.access import Sight
from shared.contract.events import Phase, Status

_AT_ONCE: Final = 4


class FollowingAvailability:
    """Moves availability with the calendar. It is safe to repeat: a participant knows the calendar it has followed."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit = unit_of_work
        #: These changes follow from a change of the edition, and need no confirmation.
        self._ungated = UnitOfWork(unit_of_work.repository, unit_of_work.clock, principal=unit_of_work.principal)

    async def follow(self, edition: Edition) -> None:
        """Move the availability of all participants, in a revision for a participant.

        If the process dies meanwhile, the background work goes on (`service.move_editions_by_clock`).
        """
        if self._unit.gate.dry_run or edition.phase is Phase.CLOSED:
            return
        semaphore = asyncio.Semaphore(_AT_ONCE)

        async def move(participant_id: str) -> None:
            # A participant changed by many at this very moment is left to the background work.
            async with semaphore:
                with suppress(Conflict):
                    await self._move(edition, participant_id)

        there = await self._unit.repository.with_availability(edition.edition_id)
        behind = [participant.id for participant in there if participant.following(edition) is not participant]
        await asyncio.gather(*map(move, behind))

    async def _move(self, edition: Edition, participant_id: str) -> None:
        async def change(participant: Participant) -> Participant:
            moved = participant.following(edition)
            fields = {"available": moved.available, "calendar": moved.calendar}
            return participant.changed(self._unit.clock(), **fields)

        await self._ungated.amend(Participant, edition.edition_id, participant_id, change)

    async def without_slot(self, edition: Edition) -> list[DoubtfulFact]:
        """Return a warning that names the active participants whose availability holds no slot of the edition."""
        if edition.phase is Phase.CLOSED:
            return []
        people = [
            participant
            for participant in await self._unit.repository.with_availability(edition.edition_id)
            if participant.status is Status.ACTIVE and _is_without_slot(participant.following(edition), edition)
        ]
        if not people:
            return []
        sees_names = self._unit.principal.sight >= Sight.NAMES
        people.sort(key=lambda participant: (participant.name, participant.id))
        names = ", ".join(
            f"{participant.name} ({participant.id})" if sees_names else participant.id
            for participant in people[:MOST_NAMED]
        )
        return [
            DoubtfulFact(
                "/days",
                f"the availability of {len(people)} participants holds no slot of the edition: they get no encounter. "
                f"Correct it: {names}",
                "participants-without-slot",
                ", ".join(participant.id for participant in people[:MOST_NAMED]),
            )
        ]


def _is_without_slot(participant: Participant, edition: Edition) -> bool:
    without = {"availability-outside-days", "availability-without-slot"}
    return any(fact.slug in without for fact in doubts_of_availability(participant.available, edition))
