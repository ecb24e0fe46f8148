"""Calls of the load to registration, repeated until they are answered; acknowledged writes enter the history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from demo.client import RegistrationClient, RegistrationRefused
from demo.plan import Payload
from demo.registered_edition import ANSWERS
from tests.chaos.history import IDS, History, WrittenThing, holds

_STATES = {answer: outcome.value for outcome, answer in ANSWERS.items()}


class Skipped(Exception):
    """The call has nothing to do, or registration refused it: the load goes on with its next call."""


class EditionWriter:
    """Writes to one edition. A call without an answer is repeated with the same key or on the same revision."""

    def __init__(self, client: RegistrationClient, history: History, seed: int) -> None:
        self._client = client
        self._history = history
        self._seed = seed
        self._edition: WrittenThing | None = None

    @property
    def edition(self) -> WrittenThing:
        """The edition, once it is created."""
        assert self._edition is not None
        return self._edition

    def of(self, kind: str) -> list[WrittenThing]:
        """Return the edition's things of a kind."""
        return self._history.of(kind, self.edition.thing_id)

    def active(self, kind: str) -> list[WrittenThing]:
        """Return the edition's things of a kind that are not cancelled."""
        return [thing for thing in self.of(kind) if thing.fields.get("status") != "cancelled"]

    async def create_edition(self, body: Payload) -> None:
        """Create the edition. Raises `Skipped` if it is refused."""
        self._edition = await self._create("/editions", "editions", "edition", body)

    async def create(self, kind: str, key: str, body: Payload) -> WrittenThing:
        """Create a thing in the edition. Raises `Skipped` if it is refused."""
        return await self._create(f"/editions/{self.edition.thing_id}/{kind}", kind, key, body)

    async def answer(self, request: WrittenThing, answer: str) -> None:
        """Accept, decline or withdraw a match request. Raises `Skipped` if that is refused."""
        async with self.held(request):
            await self._post(f"{request.path}/{answer}", f"{request.thing_id}-{answer}", {})
            if request.fields.get("state") != _STATES[answer]:
                self._history.update(request, {"state": _STATES[answer]})

    async def cancel(self, thing: WrittenThing, *cancelled_with: WrittenThing) -> None:
        """Cancel a thing, and the things that registration cancels with it. The caller holds all of them.

        Raises:
            Skipped: the thing is cancelled already, or registration refuses.
        """
        if thing.fields.get("status") == "cancelled":
            raise Skipped
        await self._post(f"{thing.path}/cancellation", f"cancel-{thing.thing_id}", {})
        for cancelled in (thing, *cancelled_with):
            if cancelled.fields.get("status") != "cancelled":
                self._history.update(cancelled, {"status": "cancelled"})

    async def change(self, thing: WrittenThing, patch: Payload) -> None:
        """Change fields of a thing. Raises `Skipped` if they have these values, or the change is refused."""
        async with self.held(thing):
            if holds(patch, thing.fields):
                raise Skipped
            await self._amend(thing, patch)

    @asynccontextmanager
    async def held(self, thing: WrittenThing) -> AsyncIterator[None]:
        """Exclude other writers of a thing, so that its last written fields are known."""
        async with thing.busy:
            yield

    async def _create(self, path: str, kind: str, key: str, body: Payload) -> WrittenThing:
        self._history.sends(kind, body)
        made = await self._post(path, key, body)
        return self._history.add(WrittenThing(kind, made["edition_id"], made[IDS[kind]], dict(body)))

    async def _amend(self, thing: WrittenThing, patch: Payload) -> None:
        """Change a thing at its known revision. A next revision with these fields is this call with a lost answer."""
        self._history.sends(thing.kind, patch)
        try:
            await self._client.patch(thing.path, patch, thing.revision)
        except RegistrationRefused as refused:
            if refused.status != HTTPStatus.PRECONDITION_FAILED:
                self._on_refused(refused)
            found = await self._client.get(thing.path)
            if found["revision"] != thing.revision + 1 or not holds(patch, found):
                self._history.unexplained.append(
                    f"{thing.path} is at revision {found['revision']}, not {thing.revision}"
                )
                raise Skipped from None
        self._history.update(thing, patch)

    async def _post(self, path: str, key: str, body: Payload) -> Payload:
        try:
            return await self._client.post(path, f"{self._seed}-{key}", body)
        except RegistrationRefused as refused:
            self._on_refused(refused)
            raise

    def _on_refused(self, refused: RegistrationRefused) -> None:
        """Count a refusal and raise `Skipped`; raise an error of the server, or a missing answer, as it is."""
        if not refused.status or refused.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            raise refused
        self._history.refused += 1
        raise Skipped from refused
