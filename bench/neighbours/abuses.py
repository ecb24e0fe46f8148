"""Abuses of the product by an operator, most of them seen to stop or starve its neighbours."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from random import Random
from typing import ClassVar

from bench.neighbours.operator_api import OperatorApi, Payload
from bench.neighbours.people import edition_body, participant_file, register_people, strangers, text_of
from bench.neighbours.size import Load

_OK, _TOO_MANY = 200, 429
_POLL_SECONDS = 0.2


class Abuse:
    """An abuse: `workers` repeat `strike` at the same time, until the end or `most_strikes`."""

    workers: ClassVar[int] = 1
    most_strikes: ClassVar[int | None] = None
    #: Fields of the abused edition.
    fields: ClassVar[dict[str, object]] = {}

    def __init__(self, api: OperatorApi, load: Load) -> None:
        self._api = api
        self._load = load
        self._domain = f"{secrets.token_hex(4)}.example"
        self._numbers = itertools.count()
        self._random = Random(1)
        self._people: list[Payload] = []
        self._path = ""

    @property
    def size(self) -> int:
        """Number of participants of the abused edition."""
        return self._load.people

    async def prepare(self) -> None:
        """Create the abused edition with its participants, and wait until matching knows them."""
        edition = await self._api.call("POST", "/editions", edition_body("Abuse", self.size, **self.fields))
        self._path = f"/editions/{edition['edition_id']}"
        self._people = await register_people(self._api, edition["edition_id"], self.size, self._domain)
        newest = max(self._people, key=lambda participant: str(participant["created_at"]))["participant_id"]
        pair = next((newest, person["participant_id"]) for person in self._people if person["participant_id"] != newest)
        for _ in range(600):
            if await self._api.status_of("GET", f"{self._path}/affinities/{'/'.join(pair)}") == _OK:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def strike(self) -> int:
        """Make a call, and return its status."""
        raise NotImplementedError

    def _request(self) -> Payload:
        requester, target = strangers(self._random, self._people)
        return {"requester_id": requester, "target_id": target}

    async def end(self) -> None:
        """Close the abused edition, so that no work for it disturbs the next measurement."""
        await self._api.call("PATCH", self._path, {"phase": "closed"})


class UnknownVersions(Abuse):
    """An edition changes to affinity versions that matching does not have, in a loop."""

    async def prepare(self) -> None:
        """Also make match requests, which matching has to score anew under a new version."""
        await super().prepare()
        for _ in self._people:
            await self._make_request()

    async def _make_request(self) -> None:
        for _ in range(600):
            if await self._api.status_of("POST", f"{self._path}/match-requests", self._request()) != _TOO_MANY:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def strike(self) -> int:
        return await self._api.status_of("PATCH", self._path, {"affinity_version": f"typo{next(self._numbers)}"})


class ManyProposals(Abuse):
    """An organiser asks once for 30 encounters for all of 3,000 participants."""

    most_strikes = 1
    fields: ClassVar[dict[str, object]] = {"consent_policy": "organiser"}

    @property
    def size(self) -> int:
        return self._load.many

    async def strike(self) -> int:
        return await self._api.status_of("POST", f"{self._path}/proposals", {"encounters": 30})


class WhatIfLoops(Abuse):
    """An organiser asks in four loops for the effect of more tables on a full edition."""

    workers = 4
    fields: ClassVar[dict[str, object]] = {"consent_policy": "organiser"}

    @property
    def size(self) -> int:
        return self._load.some

    async def prepare(self) -> None:
        """Also fill the agendas."""
        await super().prepare()
        await self._api.call("POST", f"{self._path}/proposals", {"encounters": 6})
        for _ in range(600):
            if (await self._api.call("GET", f"{self._path}/encounters?limit=1"))["items"]:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def strike(self) -> int:
        return await self._api.status_of("GET", f"{self._path}/what-if?tables=2")


class LargeImport(Abuse):
    """Imports of 10,000 new participants, in a loop."""

    async def strike(self) -> int:
        rows = self._load.import_rows
        file = participant_file(rows, self._domain, (next(self._numbers) + 1) * rows)
        return await self._api.status_of("POST", f"{self._path}/imports/participants", file)

    @property
    def size(self) -> int:
        return self._load.import_rows


class RequestFlood(Abuse):
    """A key asks as fast as it can, for pages, encounters and pairs."""

    workers = 64

    async def strike(self) -> int:
        first, second = strangers(self._random, self._people)
        path = self._random.choice(
            ("/participants?limit=500", "/organisations", "/encounters", "", f"/affinities/{first}/{second}")
        )
        return await self._api.status_of("GET", self._path + path)


class WorkFlood(Abuse):
    """A key changes profiles and makes match requests as fast as it can, which is work for all services."""

    workers = 32
    fields: ClassVar[dict[str, object]] = {"phase": "published"}

    @property
    def size(self) -> int:
        return self._load.some

    async def strike(self) -> int:
        if self._random.choice((True, False)):
            return await self._api.status_of("POST", f"{self._path}/match-requests", self._request())
        participant_id = self._random.choice(self._people)["participant_id"]
        profile = {"offers": [text_of(next(self._numbers))], "needs": [text_of(next(self._numbers))]}
        return await self._api.status_of("PATCH", f"{self._path}/participants/{participant_id}", {"profile": profile})


class RefusedKeys(Abuse):
    """Callers without a valid key ask as fast as they can."""

    workers = 64

    async def prepare(self) -> None:
        """Do nothing: the callers have no edition."""

    async def strike(self) -> int:
        made_up = secrets.token_hex(4)
        headers = self._random.choice(
            ({}, {"Authorization": f"Bearer {made_up}.{made_up}"}, {"Authorization": f"Bearer large.{made_up}"})
        )
        return await self._api.status_of("GET", "/editions", headers={"X-Caller": made_up, **headers})

    async def end(self) -> None:
        """Do nothing: the callers have no edition."""


#: The abuses by the name under which the table lists them.
ABUSES: dict[str, type[Abuse]] = {
    "unknown-versions": UnknownVersions,
    "proposals": ManyProposals,
    "what-if": WhatIfLoops,
    "import": LargeImport,
    "request-flood": RequestFlood,
    "work-flood": WorkFlood,
    "refused-keys": RefusedKeys,
}
