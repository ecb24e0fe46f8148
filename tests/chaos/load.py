"""The load of a chaos run: editions that fill up, are published, and change until the run ends, all over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import count
from random import Random

from demo.catalogue import programme
from demo.client import RegistrationClient, run_together
from demo.edition import generate
from demo.plan import Payload, PlannedParticipant, PlannedRequest
from demo.registered_edition import ANSWERS
from tests.chaos.history import History, WrittenThing
from tests.chaos.writer import EditionWriter, Skipped

#: Concurrent calls of an edition, so that a hanging write does not stop the load.
_WORKERS = 6
#: Share of the load's time after which the edition is published.
_PUBLISHED_AT = 0.4
_STAYS = (("09:30", "13:30"), ("10:00", "17:00"), ("09:00", "12:00"))
#: Share of the participants that may be cancelled.
_MOST_CANCELLED = 0.25
_SMALL_ORGANISATION = 2
_TABLES_LEFT = 0.8

Call = Callable[[], Awaitable[None]]


class EditionLoad:
    """Writes of one edition, drawn from the seed and from the writes accepted before."""

    def __init__(self, client: RegistrationClient, history: History, seed: int, scale: float) -> None:
        self._writer = EditionWriter(client, history, seed)
        self._random = Random(f"tertulia-load-{seed}")  # noqa: S311 - a load, not a secret
        self._demo = generate(seed, scale)
        self._seed = seed
        self._numbers = count()
        self._by_key: dict[str, WrittenThing] = {}
        self._asked: set[frozenset[str]] = set()

    async def run(self, seconds: float, per_second: float) -> None:
        """Make `per_second` calls for so many seconds, fewer if they are answered slowly."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._writer.create_edition(self._demo.payload)
        calls = self._calls(lambda: (loop.time() - began) / seconds)

        async def work() -> None:
            for call in calls:
                if loop.time() - began > seconds:
                    return
                with contextlib.suppress(Skipped):
                    await call()
                await asyncio.sleep(self._random.uniform(0.5, 1.5) * _WORKERS / per_second)

        await run_together(*(work() for _ in range(_WORKERS)))

    # -- the plan of the demo, then changes

    def _calls(self, progress: Callable[[], float]) -> Iterator[Call]:
        """Yield all calls: registrations and requests, then changes. `progress` is the share of time, 0..1."""
        published = False
        for call in self._coming_and_changing():
            if progress() >= _PUBLISHED_AT and not published:
                published = True
                yield self._publish
            yield call

    def _coming_and_changing(self) -> Iterator[Call]:
        for organisation in self._demo.organisations:
            yield partial(self._register, "organisations", organisation.key, organisation.payload())
            for participant in self._demo.participants:
                if participant.organisation is organisation:
                    yield partial(self._register_participant, participant)
        for step in self._demo.steps:
            if step.is_answer:
                yield partial(self._answer, step.request, ANSWERS[step.request.outcome])
            else:
                yield partial(self._ask, step.request)
        changes = {
            self._change_stay: 30,
            self._swap_person: 12,
            self._change_sessions: 10,
            self._meet: 25,
            self._withdraw: 12,
            self._cancel: 4,
            self._cancel_organisation: 1,
            self._change_tables: 6,
        }
        while True:
            yield self._random.choices(list(changes), list(changes.values()))[0]

    async def _register(self, kind: str, key: str, body: Payload) -> None:
        self._by_key[key] = await self._writer.create(kind, key, body)

    async def _register_participant(self, participant: PlannedParticipant) -> None:
        organisation = await self._known(participant.organisation.key)
        await self._register("participants", participant.key, participant.payload(organisation.thing_id))

    async def _ask(self, request: PlannedRequest) -> None:
        requester = await self._known(request.requester.key)
        target = await self._known(request.target.key) if request.target else None
        if target:
            self._asked.add(frozenset((requester.thing_id, target.thing_id)))
        body = request.payload(requester.thing_id, target.thing_id if target else None)
        await self._register("match-requests", request.key, body)

    async def _answer(self, request: PlannedRequest, answer: str) -> None:
        await self._writer.answer(await self._known(request.key), answer)

    async def _publish(self) -> None:
        await self._writer.change(self._writer.edition, {"phase": "published"})

    # -- changes

    async def _change_stay(self) -> None:
        participant = self._pick("participants")
        stay = self._random.choice([*(programme().interval(*hours) for hours in _STAYS), None])
        available = [{"starts_at": stay.starts_at.isoformat(), "ends_at": stay.ends_at.isoformat()}] if stay else []
        await self._writer.change(participant, {"available": available})

    async def _swap_person(self) -> None:
        participant, number = self._pick("participants"), next(self._numbers)
        name = f"Nuria Relevo {number}"
        await self._writer.change(
            participant, {"name": name, "email": f"relevo.{self._seed}.{number}@delegation.example"}
        )

    async def _change_sessions(self) -> None:
        session = self._random.choice(programme().sessions)["session_id"]
        await self._writer.change(self._pick("participants"), {"session_ids": self._random.choice([[session], []])})

    async def _change_tables(self) -> None:
        zones = []
        for zone in self._demo.payload["zones"]:
            kept = [table for table in zone["tables"] if self._random.random() < _TABLES_LEFT]
            zones.append({**zone, "tables": kept or zone["tables"][:1]})
        await self._writer.change(self._writer.edition, {"zones": zones})

    async def _meet(self) -> None:
        """Have a participant ask a new partner, who accepts."""
        requester, target = self._pick("participants"), self._pick("participants")
        pair = frozenset((requester.thing_id, target.thing_id))
        if requester.fields["organisation_id"] == target.fields["organisation_id"] or pair in self._asked:
            raise Skipped
        self._asked.add(pair)
        body: Payload = {"requester_id": requester.thing_id, "target_id": target.thing_id, "priority": 2}
        request = await self._writer.create("match-requests", f"meet-{next(self._numbers)}", body)
        await self._writer.answer(request, "acceptance")

    async def _withdraw(self) -> None:
        requests = self._writer.of("match-requests")
        accepted = [request for request in requests if request.fields.get("state") == "accepted"]
        if not accepted:
            raise Skipped
        await self._writer.answer(self._random.choice(accepted), "withdrawal")

    async def _cancel(self) -> None:
        participant = self._pick("participants")
        if len(self._writer.active("participants")) < (1 - _MOST_CANCELLED) * len(self._demo.participants):
            raise Skipped
        async with self._writer.held(participant):
            await self._writer.cancel(participant)

    async def _cancel_organisation(self) -> None:
        organisation = self._pick("organisations")
        members = [
            participant
            for participant in self._writer.of("participants")
            if participant.fields["organisation_id"] == organisation.thing_id
        ]
        if len(members) > _SMALL_ORGANISATION:
            raise Skipped
        async with contextlib.AsyncExitStack() as holding:
            for thing in (organisation, *members):
                await holding.enter_async_context(self._writer.held(thing))
            await self._writer.cancel(organisation, *members)

    async def _known(self, key: str) -> WrittenThing:
        """Wait for a thing that another worker creates. Raises `Skipped` if it does not come to be."""
        for _ in range(600):
            if key in self._by_key:
                return self._by_key[key]
            await asyncio.sleep(0.1)
        raise Skipped

    def _pick(self, kind: str) -> WrittenThing:
        active = self._writer.active(kind)
        if not active:
            raise Skipped
        return self._random.choice(active)
