"""The load: editions that fill up, are published, and change for as long as the chaos lasts, all over HTTP.

A call whose answer is lost is repeated with the same key, or on the same revision, until there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import count
from random import Random

from demo.catalogue import programme
from demo.client import RegistrationClient, RegistrationRefused, run_together
from demo.edition import generate
from demo.plan import Payload, PlannedParticipant, PlannedRequest
from demo.registered_edition import ANSWERS
from tests.chaos.history import IDS, History, Written, holds

#: Calls of one edition in flight: more than one, so that a write that hangs does not hold up all others.
_WORKERS = 6
#: The edition is published once so much of the load's time is over.
_PUBLISHED_AT = 0.4
_STATES = {answer: outcome.value for outcome, answer in ANSWERS.items()}
_STAYS = (("09:30", "13:30"), ("10:00", "17:00"), ("09:00", "12:00"))
#: At least this share of the participants stays to the end.
_MOST_CANCELLED = 0.25
_SMALL_ORGANISATION = 2
_TABLES_LEFT = 0.8

Call = Callable[[], Awaitable[None]]


class EditionLoad:
    """What is written to one edition. Everything drawn follows from the seed, and from what was accepted before."""

    def __init__(self, client: RegistrationClient, history: History, seed: int, scale: float) -> None:
        self._client = client
        self._history = history
        self._random = Random(f"tertulia-load-{seed}")  # noqa: S311 - a load, not a secret
        self._demo = generate(seed, scale)
        self._seed = seed
        self._numbers = count()
        self._edition: Written | None = None
        self._by_key: dict[str, Written] = {}
        self._asked: set[frozenset[str]] = set()

    async def run(self, seconds: float, per_second: float) -> None:
        """Write so many calls a second for so long, as far as they are answered."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._edition = await self._create("editions", "edition", self._demo.payload)
        calls = self._calls(lambda: (loop.time() - began) / seconds)

        async def work() -> None:
            for call in calls:
                if loop.time() - began > seconds:
                    return
                with contextlib.suppress(_Skipped):
                    await call()
                await asyncio.sleep(self._random.uniform(0.5, 1.5) * _WORKERS / per_second)

        await run_together(*(work() for _ in range(_WORKERS)))

    @property
    def edition(self) -> Written:
        """The edition itself."""
        assert self._edition is not None
        return self._edition

    # -- what is written, in order

    def _calls(self, progress: Callable[[], float]) -> Iterator[Call]:
        """Every call of the load: all come and ask, then things change. `progress` says how much time is over, 0..1."""
        published = False
        for call in self._coming_and_changing():
            if progress() >= _PUBLISHED_AT and not published:
                published = True
                yield self._publish
            yield call

    def _coming_and_changing(self) -> Iterator[Call]:
        for organisation in self._demo.organisations:
            yield lambda it=organisation: self._register("organisations", it.key, it.payload())  # type: ignore[misc]
            for participant in (each for each in self._demo.participants if each.organisation is organisation):
                yield lambda it=participant: self._register_participant(it)  # type: ignore[misc]
        for step in self._demo.steps:
            if step.is_answer:
                yield lambda it=step.request: self._answer(it, ANSWERS[it.outcome])  # type: ignore[misc]
            else:
                yield lambda it=step.request: self._ask(it)  # type: ignore[misc]
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
        self._by_key[key] = await self._create(kind, key, body)

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
        await self._give(await self._known(request.key), answer)

    async def _publish(self) -> None:
        async with self._held(self.edition):
            await self._amend(self.edition, {"phase": "published"})

    # -- what changes

    async def _change_stay(self) -> None:
        participant = self._pick("participants")
        stay = self._random.choice([*(programme().interval(*hours) for hours in _STAYS), None])
        available = [{"starts_at": stay.starts_at.isoformat(), "ends_at": stay.ends_at.isoformat()}] if stay else []
        await self._change(participant, {"available": available})

    async def _swap_person(self) -> None:
        participant, number = self._pick("participants"), next(self._numbers)
        name = f"Nuria Relevo {number}"
        await self._change(participant, {"name": name, "email": f"relevo.{self._seed}.{number}@delegation.example"})

    async def _change_sessions(self) -> None:
        session = self._random.choice(programme().sessions)["session_id"]
        await self._change(self._pick("participants"), {"session_ids": self._random.choice([[session], []])})

    async def _change_tables(self) -> None:
        zones = [
            zone
            | {
                "tables": [table for table in zone["tables"] if self._random.random() < _TABLES_LEFT]
                or zone["tables"][:1]
            }
            for zone in self._demo.payload["zones"]
        ]
        await self._change(self.edition, {"zones": zones})

    async def _meet(self) -> None:
        """Somebody asks somebody new, who accepts."""
        one, other = self._pick("participants"), self._pick("participants")
        pair = frozenset((one.thing_id, other.thing_id))
        if one.said["organisation_id"] == other.said["organisation_id"] or pair in self._asked:
            raise _Skipped
        self._asked.add(pair)
        body: Payload = {"requester_id": one.thing_id, "target_id": other.thing_id, "priority": 2}
        request = await self._create("match-requests", f"meet-{next(self._numbers)}", body)
        await self._give(request, "acceptance")

    async def _withdraw(self) -> None:
        accepted = [each for each in self._of("match-requests") if each.said.get("state") == "accepted"]
        if not accepted:
            raise _Skipped
        await self._give(self._random.choice(accepted), "withdrawal")

    async def _cancel(self) -> None:
        participant = self._pick("participants")
        if len(self._active("participants")) < (1 - _MOST_CANCELLED) * len(self._demo.participants):
            raise _Skipped
        async with self._held(participant):
            if participant.said.get("status") == "cancelled":
                raise _Skipped
            await self._post(f"{participant.path}/cancellation", f"cancel-{participant.thing_id}", {})
            self._history.write(participant, {"status": "cancelled"})

    async def _cancel_organisation(self) -> None:
        organisation = self._pick("organisations")
        people = [each for each in self._of("participants") if each.said["organisation_id"] == organisation.thing_id]
        if len(people) > _SMALL_ORGANISATION:
            raise _Skipped
        async with contextlib.AsyncExitStack() as holding:
            for each in (organisation, *people):
                await holding.enter_async_context(self._held(each))
            if organisation.said.get("status") == "cancelled":
                raise _Skipped
            await self._post(f"{organisation.path}/cancellation", f"cancel-{organisation.thing_id}", {})
            for each in (organisation, *people):
                if each.said.get("status") != "cancelled":
                    self._history.write(each, {"status": "cancelled"})

    # -- calls

    async def _create(self, kind: str, key: str, body: Payload) -> Written:
        path = f"/editions/{self.edition.thing_id}/{kind}" if self._edition else "/editions"
        made = await self._post(path, key, body)
        edition_id = made["edition_id"]
        return self._history.add(Written(kind, edition_id, made[IDS[kind]], dict(body)))

    async def _give(self, request: Written, answer: str) -> None:
        async with self._held(request):
            await self._post(f"{request.path}/{answer}", f"{request.thing_id}-{answer}", {})
            if request.said.get("state") != _STATES[answer]:
                self._history.write(request, {"state": _STATES[answer]})

    async def _change(self, thing: Written, patch: Payload) -> None:
        async with self._held(thing):
            if holds(patch, thing.said):
                raise _Skipped
            await self._amend(thing, patch)

    async def _amend(self, thing: Written, patch: Payload) -> None:
        """Change a thing as of its revision. If it is not there any more, it was our own call: its answer was lost."""
        try:
            await self._client.patch(thing.path, patch, thing.revision)
        except RegistrationRefused as refused:
            if refused.status != HTTPStatus.PRECONDITION_FAILED:
                self._refuse(refused)
            there = await self._client.get(thing.path)
            if there["revision"] != thing.revision + 1 or not holds(patch, there):
                self._history.unexplained.append(
                    f"{thing.path} is at revision {there['revision']}, not {thing.revision}"
                )
                raise _Skipped from None
        self._history.write(thing, patch)

    async def _post(self, path: str, key: str, body: Payload) -> Payload:
        try:
            return await self._client.post(path, f"{self._seed}-{key}", body)
        except RegistrationRefused as refused:
            self._refuse(refused)
            raise

    def _refuse(self, refused: RegistrationRefused) -> None:
        """It was answered with a no, which is an answer; no answer at all is none."""
        if not refused.status or refused.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            raise refused
        self._history.refused += 1
        raise _Skipped from refused

    @asynccontextmanager
    async def _held(self, thing: Written) -> AsyncIterator[None]:
        """One writer a thing: what was said last is then known."""
        async with thing.busy:
            yield

    async def _known(self, key: str) -> Written:
        """What another worker is about to make; nothing of it happens if that was refused."""
        for _ in range(600):
            if key in self._by_key:
                return self._by_key[key]
            await asyncio.sleep(0.1)
        raise _Skipped

    def _of(self, kind: str) -> list[Written]:
        return self._history.of(kind, self.edition.thing_id)

    def _active(self, kind: str) -> list[Written]:
        return [each for each in self._of(kind) if each.said.get("status") != "cancelled"]

    def _pick(self, kind: str) -> Written:
        active = self._active(kind)
        if not active:
            raise _Skipped
        return self._random.choice(active)


class _Skipped(Exception):
    """Nothing to do, or it was refused: the load goes on."""
