"""Change feeds on behalf of a reader: registration asks the events service, waits, and adds names.

The events service keeps no names. An item gets the names of today that the reader may see.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from starlette.responses import StreamingResponse

from services.registration.api.access import ApiContext, context_of, key_in
from services.registration.api.admission import price_of
from services.registration.api.rights import must_be_allowed
from services.registration.api.sight import visible
from services.registration.authenticator import UnknownKey
from services.registration.domain.entity import Entity
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.internal_clients import ServiceDeclined, ServiceUnavailable
from services.registration.service import OperatorService
from services.registration.waiting_readers import TooManyReaders
from shared.access import MissingRight, NotVisible, Principal
from shared.contract.events import OrganisationChanged, ParticipantChanged
from shared.internal_api.feeds import LONGEST_WAIT
from shared.runtime.http.measured import WAITED

Item = dict[str, Any]
_PAGE: Final = 100
#: A proxy closes a connection that is silent for a minute.
_SILENCE_SECONDS: Final = 15.0
#: Interval at which the rights behind an open stream are checked again.
_RIGHTS_SECONDS: Final = 15.0
_AWAY_SECONDS: Final = 2.0
#: Things of which items get names, by type of event: the kind of entity, the field with its id, and the fields added.
_NAMED: Final[dict[str, tuple[type[Entity], str, frozenset[str]]]] = {
    ParticipantChanged.TYPE: (
        Participant,
        "participant_id",
        frozenset({"name", "job_title", "external_id", "email", "phone"}),
    ),
    OrganisationChanged.TYPE: (
        Organisation,
        "organisation_id",
        frozenset({"name", "website", "description", "external_id", "phone"}),
    ),
}


@dataclass(frozen=True)
class FeedFilter:
    """The part of a feed that a reader asks for."""

    types: str
    thing: str
    from_revision: int

    def parameters(self) -> dict[str, str]:
        """Return the parameters for the events service."""
        return {"types": self.types, "thing": self.thing, "from_revision": str(self.from_revision)}


@dataclass(frozen=True)
class Feed:
    """The feed that a request reads, on behalf of its principal."""

    request: Request
    context: ApiContext
    principal: Principal
    path: str
    wanted: FeedFilter

    @classmethod
    async def of_edition(cls, request: Request, principal: Principal, edition_id: str, wanted: FeedFilter) -> Feed:
        """Return the feed of an edition, once the operator's limits admit the call. Raise `NotFound`."""
        context, operator_id = context_of(request), principal.operator_id
        async with context.admission.admit(operator_id, price_of(request.scope)) as room:
            repository = context.store.of(operator_id)
            service = OperatorService(repository, context.clock, context.versions, room, principal)
            await service.editions.get(edition_id)
        return cls(request, context, principal, f"/operators/{operator_id}/editions/{edition_id}/events", wanted)

    @classmethod
    async def of_operator(cls, request: Request, principal: Principal, wanted: FeedFilter) -> Feed:
        """Return the feed of the operator, once its limits admit the call."""
        context = context_of(request)
        async with context.admission.admit(principal.operator_id, price_of(request.scope)):
            return cls(request, context, principal, f"/operators/{principal.operator_id}/events", wanted)

    async def page(self, after: str, limit: int, wait: float, *, is_snapshot: bool) -> tuple[list[Item], str]:
        """Return the items of a page and the cursor of the next, after a wait for its first item."""
        if not wait:
            return await self._read(after, limit, 0, is_snapshot=is_snapshot)
        with self.context.readers.waiting(self.principal.operator_id):
            began = self.context.monotonic()
            while True:
                left = max(0.0, began + wait - self.context.monotonic())
                items, after = await self._read(after, limit, left, is_snapshot=is_snapshot)
                is_snapshot = False
                waited = self.context.monotonic() - began
                if items or waited >= wait:
                    setattr(self.request.state, WAITED, waited)
                    return items, after

    async def stream(self, after: str) -> StreamingResponse:
        """Return the feed from a cursor on as Server-Sent Events."""
        first = await self._read(after, _PAGE, 0)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._events(*first), media_type="text/event-stream", headers=headers)

    async def _events(self, items: list[Item], after: str) -> AsyncIterator[str]:
        now = self.context.monotonic
        spoke, checked = now(), now()
        try:
            with self.context.readers.waiting(self.principal.operator_id):
                yield "retry: 3000\n\n"
                while True:
                    for item in items:
                        yield f"id: {item['cursor']}\nevent: {item['type']}\ndata: {json.dumps(item)}\n\n"
                        spoke = now()
                    if now() - spoke >= _SILENCE_SECONDS:
                        yield f"id: {after}\nevent: nothing-new\ndata:\n\n"
                        spoke = now()
                    if now() - checked >= _RIGHTS_SECONDS:
                        await self._must_still_be_allowed()
                        checked = now()
                    items, after = await self._following(after)
        except (UnknownKey, MissingRight, NotVisible, ServiceDeclined, TooManyReaders) as ended:
            yield f"event: ended\ndata: {json.dumps({'reason': str(ended)})}\n\n"

    async def _following(self, after: str) -> tuple[list[Item], str]:
        try:
            return await self._read(after, _PAGE, LONGEST_WAIT)
        except ServiceUnavailable:
            await asyncio.sleep(_AWAY_SECONDS)
            return [], after

    async def _must_still_be_allowed(self) -> None:
        """Raise if the key or the session behind the stream has ended, or has lost the right."""
        presented = key_in(self.request.headers.get("authorization", ""))
        must_be_allowed(await self.context.authenticator.principal_of(presented), self.request)

    async def _read(self, after: str, limit: int, wait: float, *, is_snapshot: bool = False) -> tuple[list[Item], str]:
        parameters = {
            **self.wanted.parameters(),
            "after": after,
            "limit": str(limit),
            "wait": str(min(wait, LONGEST_WAIT)),
            "snapshot": str(is_snapshot).lower(),
        }
        answer = await self.context.clients.events.get(self.path, parameters)
        return await self._with_names(answer["items"]), answer["next"]

    async def _with_names(self, items: list[Item]) -> list[Item]:
        """Add the names of today that the reader may see. Things that were erased since have none."""
        repository = self.context.store.of(self.principal.operator_id)
        wanted: dict[tuple[type[Entity], str], set[str]] = {}
        for item in items:
            if item["type"] in _NAMED:
                kind, id_field, _ = _NAMED[item["type"]]
                wanted.setdefault((kind, item["data"]["edition_id"]), set()).add(item["data"][id_field])
        shown: dict[tuple[type[Entity], str], dict[str, Any]] = {}
        for (kind, edition_id), ids in wanted.items():
            found = await repository.find_many(kind, edition_id, sorted(ids))
            shown |= {(kind, entity_id): visible(entity) for entity_id, entity in found.items()}
        for item in items:
            if item["type"] in _NAMED:
                kind, id_field, fields = _NAMED[item["type"]]
                seen = shown.get((kind, item["data"][id_field]), {})
                item["data"] |= {name: value for name, value in seen.items() if name in fields}
        return items
