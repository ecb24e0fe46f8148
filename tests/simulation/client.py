"""A client of registration that repeats its calls until they are answered, and the writes acknowledged to it.

Writes are repeated like those of an HTTP client with an `Idempotency-Key` or an `If-Match`. After a time-out the client
asks another process, while the first call goes on.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.registration.domain.entity import Entity
from services.registration.domain.errors import Conflict, Invalid, KeyReused, NotFound, Stale
from services.registration.service import OperatorService
from shared.contract.ids import derived_id
from shared.runtime.retry import is_transient
from tests.simulation.services import OPERATOR

Result = TypeVar("Result")
AnyThing = TypeVar("AnyThing", bound=Entity)
#: Errors that are an answer: the write is refused.
_NO = (Invalid, KeyReused, NotFound, Conflict, Stale)
_PATIENCE_SECONDS = 6.0


@dataclass
class AcknowledgedWrites:
    """Writes that registration acknowledged: the audit expects their effects.

    `unsure` holds things with a write that was not answered at first and then refused: its effect may be there or not.
    """

    made: dict[str, type[Entity]] = field(default_factory=dict)
    fields: defaultdict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    changes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    refused: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    editions: list[str] = field(default_factory=list)
    published: set[str] = field(default_factory=set)
    defects: list[str] = field(default_factory=list)


class Client:
    """Client of registration that repeats a call until it is answered."""

    def __init__(
        self, service: Callable[[], OperatorService | None], chance: random.Random, written: AcknowledgedWrites
    ) -> None:
        self._service, self._chance, self.written = service, chance, written
        self._unanswered: set[asyncio.Task[Any]] = set()

    async def ask(self, call: Callable[[OperatorService], Awaitable[Result]]) -> tuple[Result | Exception, bool]:
        """Return the answer or the refusal, and whether an earlier try got no answer."""
        is_unsure = False
        while True:
            service = self._service()
            if service is not None:
                task: asyncio.Task[Result] = asyncio.ensure_future(call(service))
                await asyncio.wait([task], timeout=_PATIENCE_SECONDS)
                if not task.done():
                    self._unanswered.add(task)
                    task.add_done_callback(_forget)
                elif (error := task.exception()) is None:
                    return task.result(), is_unsure
                elif isinstance(error, _NO):
                    return error, is_unsure
                elif not is_transient(error):
                    self.written.defects.append(f"registration fails: {error!r}")
                is_unsure = True
            await asyncio.sleep(self._chance.uniform(0.3, 2.0))

    async def make(
        self,
        kind: type[AnyThing],
        where: tuple[str, ...],
        key: str,
        call: Callable[[OperatorService, str], Awaitable[AnyThing]],
    ) -> str | None:
        """Create a thing under an idempotency key; return its id, or None if it was refused."""
        answer, is_unsure = await self.ask(lambda service: call(service, key))
        if isinstance(answer, Exception):
            thing_id = derived_id(kind.PREFIX, OPERATOR, *where, key)
            (self.written.unsure if is_unsure else self.written.refused).add(thing_id)
            return None
        self.written.made[answer.id] = kind
        self.written.fields[answer.id] |= answer.model_dump(mode="json")
        return answer.id

    async def change(
        self,
        read: Callable[[OperatorService], Awaitable[Entity]],
        wanted: dict[str, Any],
        amend: Callable[[OperatorService, int], Awaitable[Entity]],
    ) -> bool:
        """Change fields of a thing at its newest revision; return False if that was refused."""
        while True:
            thing = await self._read(read)
            if _is_as(thing, wanted):
                return True
            revision = thing.revision
            answer, is_unsure = await self.ask(lambda service: amend(service, revision))  # noqa: B023
            if isinstance(answer, Stale):
                if not _is_as(await self._read(read), wanted):
                    continue
            elif isinstance(answer, Exception):
                if is_unsure:
                    self.written.unsure.add(thing.id)
                return False
            self.written.fields[thing.id] |= wanted
            self.written.changes[thing.id] += 1
            return True

    async def _read(self, read: Callable[[OperatorService], Awaitable[Entity]]) -> Entity:
        thing, _ = await self.ask(read)
        assert isinstance(thing, Entity)
        return thing

    async def end(
        self, thing_id: str, call: Callable[[OperatorService], Awaitable[Any]], wanted: dict[str, Any]
    ) -> bool:
        """Make an idempotent call that ends a state; return False if it was refused."""
        answer, is_unsure = await self.ask(call)
        if isinstance(answer, Exception):
            if is_unsure:
                self.written.unsure.add(thing_id)
            return False
        self.written.fields[thing_id] |= wanted
        return True


def _forget(task: asyncio.Task[Any]) -> None:
    """Read the error of an abandoned call, so that asyncio does not report it."""
    if not task.cancelled():
        task.exception()


def _is_as(thing: Entity, wanted: dict[str, Any]) -> bool:
    fields = thing.model_dump(mode="json")
    return all(fields[name] == value for name, value in wanted.items())
