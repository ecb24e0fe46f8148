"""The small edition: its requests and reads at a steady pace, and the times until they have their effect."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final

from bench.neighbours.encounters import ScheduledEncounters
from bench.neighbours.mailed import MailedEncounters
from bench.neighbours.operator_api import OperatorApi, Payload
from bench.neighbours.people import edition_body, register_people
from bench.neighbours.size import Load
from shared.contract.ids import encounter_id

#: Names of the measures, in the order of the table.
LIST: Final = "read participants"
AFFINITY: Final = "read affinity"
ENCOUNTERS: Final = "read encounters"
ENCOUNTER: Final = "request -> encounter"
MAIL: Final = "request -> mail"
MEASURES: Final = (LIST, AFFINITY, ENCOUNTERS, ENCOUNTER, MAIL)
_OK = 200
_POLL_SECONDS = 0.1
#: A first agenda is announced after its improvement, and the solver has to start for the first of them.
_OPENING_SECONDS = 120.0


class NotServed(Exception):
    """The small edition got no encounter or no mail in time, while nothing disturbed it."""


class SmallEdition:
    """A published edition with participants whose requests are encounters at once. `samples` holds seconds by measure.

    A call, encounter or mail that fails or does not come in time counts with the whole patience of the load.
    """

    def __init__(self, api: OperatorApi, scheduled: ScheduledEncounters, folder: Path, load: Load) -> None:
        self.samples: defaultdict[str, list[float]] = defaultdict(list)
        self._api, self._scheduled, self._load = api, scheduled, load
        self._mails = MailedEncounters(folder)
        self._random = Random(1)
        self._edition_id = ""
        self._people: list[Payload] = []
        self._pairs: list[tuple[Payload, Payload]] = []
        #: Start of each request in seconds since 1970, and the address of its requester, by encounter.
        self._asked: dict[str, tuple[float, str]] = {}

    async def open(self) -> None:
        """Create and publish the edition. Return once the first request has its encounter and its mail.

        Raises:
            NotServed: encounter or mail did not come within two minutes.
        """
        people, domain = self._load.people, f"{secrets.token_hex(4)}.example"
        edition = await self._api.call("POST", "/editions", edition_body("Small", people))
        self._edition_id = edition["edition_id"]
        self._scheduled.follow(self._edition_id)
        await register_people(self._api, self._edition_id, people, domain)
        self._people = (await self._api.call("GET", f"{self._path}/participants?limit=500"))["items"]
        self._pairs = [
            pair
            for pair in itertools.combinations(self._people, 2)
            if pair[0]["organisation_id"] != pair[1]["organisation_id"]
        ]
        self._random.shuffle(self._pairs)
        await self._request()
        await self._api.call("PATCH", self._path, {"phase": "published"})
        if not await self._all_have_come(_OPENING_SECONDS):
            raise NotServed
        self._asked.clear()
        self.samples.clear()

    async def measure(self) -> Mapping[str, list[float]]:
        """Make requests and reads at their paces, wait for the effects, and return the samples by measure."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._at_pace(group, self._load.requests_per_second, self._request))
            group.create_task(self._at_pace(group, self._load.reads_per_second, self._read))
        await self._all_have_come(self._load.patience_seconds)
        self._take_samples(await asyncio.to_thread(self._mailed_at))
        return self.samples

    @property
    def _path(self) -> str:
        return f"/editions/{self._edition_id}"

    async def _at_pace(self, group: asyncio.TaskGroup, per_second: float, work: Callable[[], Awaitable[None]]) -> None:
        """Start `work` at fixed times, without waiting for earlier work."""
        loop = asyncio.get_running_loop()
        begins = loop.time()
        for number in range(int(self._load.seconds * per_second)):
            await asyncio.sleep(begins + number / per_second - loop.time())
            group.create_task(work())  # type: ignore[arg-type] # a coroutine, as both callers pass

    async def _request(self) -> None:
        first, second = self._pairs.pop()
        ids = (first["participant_id"], second["participant_id"])
        self._asked[encounter_id(self._edition_id, *ids)] = (time.time(), first["email"])
        body = {"requester_id": ids[0], "target_id": ids[1]}
        await self._api.status_of("POST", f"{self._path}/match-requests", body)

    async def _read(self) -> None:
        first, second = self._random.choice(self._pairs)
        measure, path = self._random.choice(
            (
                (LIST, "/participants"),
                (AFFINITY, f"/affinities/{first['participant_id']}/{second['participant_id']}"),
                (ENCOUNTERS, "/encounters"),
            )
        )
        began, patience = time.perf_counter(), self._load.patience_seconds
        answered = False
        try:
            async with asyncio.timeout(patience):
                answered = await self._api.status_of("GET", f"{self._path}{path}") == _OK
        except TimeoutError:
            pass
        self.samples[measure].append(min(patience, time.perf_counter() - began) if answered else patience)

    async def _all_have_come(self, within_seconds: float) -> bool:
        """Wait until all requests have an encounter and a mail. Return False when the time is over."""
        deadline = time.monotonic() + within_seconds
        while self._asked.keys() - (self._scheduled.at.keys() & (await asyncio.to_thread(self._mailed_at)).keys()):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    def _mailed_at(self) -> dict[str, float]:
        """Return the arrival of the first mail to the requester that lists the encounter, by encounter."""
        arrivals = self._mails.at({address for _, address in self._asked.values()})
        return {
            encounter: arrivals[address, encounter]
            for encounter, (_, address) in self._asked.items()
            if (address, encounter) in arrivals
        }

    def _take_samples(self, mailed_at: Mapping[str, float]) -> None:
        patience = self._load.patience_seconds
        for encounter, (asked_at, _) in self._asked.items():
            for measure, times in ((ENCOUNTER, self._scheduled.at), (MAIL, mailed_at)):
                took = times.get(encounter, asked_at + patience) - asked_at
                self.samples[measure].append(min(patience, took))
