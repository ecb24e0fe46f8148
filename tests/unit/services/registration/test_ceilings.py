"""Ceilings: exact in a process, and with a small excess in several processes."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from services.registration.ceilings import Ceilings
from services.registration.domain.errors import CeilingReached
from services.registration.domain.participant import Participant
from services.registration.ports import Repository
from services.registration.settings import Settings


class Shelf:
    """A stand-in for the entities of an operator, as the database counts them."""

    operator_id = "op"

    def __init__(self, stored: int = 0) -> None:
        self.stored = stored
        self.counts = 0

    async def count(self, _kind: object) -> int:
        self.counts += 1
        counted = self.stored
        await asyncio.sleep(0)
        return counted


class Office:
    """A process that creates participants on a shelf."""

    def __init__(self, shelf: Shelf, most: int) -> None:
        self.now = 0.0
        self._shelf = shelf
        self._most = most
        self._ceilings = Ceilings(lambda: self.now)

    async def create(self, places: int = 1, *, fails: bool = False) -> bool:
        limits = Settings().operator_limits.changed({"participants": self._most})
        try:
            async with self._ceilings.under(limits)(cast("Repository", self._shelf), Participant, places):
                await asyncio.sleep(0)
                if fails:
                    raise ZeroDivisionError
                self._shelf.stored += places
                await asyncio.sleep(0)
        except CeilingReached:
            return False
        return True

    async def create_many(self, times: int) -> int:
        return sum(await asyncio.gather(*(self.create() for _ in range(times))))


@pytest.mark.parametrize(("most", "stored"), [(1, 0), (10, 9), (10, 7), (100, 0), (100, 100), (0, 0)])
async def test_a_process_creates_as_many_as_there_is_room_for(most: int, stored: int) -> None:
    shelf = Shelf(stored)
    assert await Office(shelf, most).create_many(130) == most - stored
    assert shelf.stored == most


async def test_a_batch_finds_room_at_once_or_not_at_all() -> None:
    shelf = Shelf()
    office = Office(shelf, 600)
    assert [await office.create(50) for _ in range(4)] == [True, True, True, False]
    assert await office.create_many(600) == 450
    assert shelf.stored == 600


async def test_two_processes_at_the_ceiling_exceed_it_by_one() -> None:
    shelf = Shelf(9)
    created = await asyncio.gather(*(Office(shelf, 10).create_many(5) for _ in range(2)))
    assert sum(created) in {1, 2}


async def test_two_processes_stay_below_the_documented_excess() -> None:
    shelf = Shelf()
    await asyncio.gather(*(Office(shelf, 1_000).create_many(1_100) for _ in range(2)))
    assert 1_000 <= shelf.stored <= 1_100


async def test_large_rooms_are_counted_rarely() -> None:
    shelf = Shelf()
    await Office(shelf, 1_000).create_many(900)
    assert shelf.counts < 40


async def test_a_full_operator_is_refused_without_a_count_each_time() -> None:
    shelf = Shelf(10)
    office = Office(shelf, 10)
    assert await office.create_many(100) == 0
    assert shelf.counts == 1
    shelf.stored -= 1
    office.now += 1
    assert await office.create()


async def test_a_failed_creation_takes_no_room() -> None:
    office = Office(Shelf(9), 10)
    with pytest.raises(ZeroDivisionError):
        await office.create(fails=True)
    assert await office.create()
    assert not await office.create()


async def test_entities_of_other_processes_are_seen_after_a_minute() -> None:
    shelf = Shelf()
    office = Office(shelf, 1_000)
    await office.create()
    shelf.stored = 1_000
    office.now += 60
    assert not await office.create()
