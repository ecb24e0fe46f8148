"""What every endpoint may ask for: whose request it is, once or again, and at which revision."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from pydantic import StringConstraints

from services.registration.operators import Authenticator, UnknownKey
from services.registration.peers import InternalClient, Peers, nobody
from services.registration.service import OperatorService, Store
from services.registration.settings import Settings
from shared.contract.ids import Id
from shared.runtime.clock import Clock

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ETAG = re.compile(r'"(\d{1,9})"')


@dataclass(frozen=True)
class ApiContext:
    """What the API is wired to; the application keeps it as `app.state.office`."""

    store: Store
    gate: Authenticator
    settings: Settings
    clock: Clock
    peers: Peers = field(default_factory=nobody)


def office_of(request: Request) -> ApiContext:
    """The office of the application that serves this request."""
    office: ApiContext = request.app.state.office
    return office


async def _desk(
    request: Request, authorization: Annotated[str, Header(include_in_schema=False)] = ""
) -> OperatorService:
    """The desk of the operator whose key is presented: nothing beyond reaches other operators' things."""
    scheme, _, presented = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise UnknownKey("send `Authorization: Bearer <operator id>.<secret>`")
    office = office_of(request)
    operator_id = await office.gate.operator_of(presented.strip())
    return OperatorService(office.store.of(operator_id), office.clock)


def _matching(request: Request) -> InternalClient:
    return office_of(request).peers.matching


def _scheduler(request: Request) -> InternalClient:
    return office_of(request).peers.scheduler


def _revisions(if_match: Annotated[str | None, Header(max_length=200)] = None) -> tuple[int, ...]:
    """The revisions that `If-Match` allows: none given, any; none readable, none there is."""
    if if_match is None or if_match.strip() == "*":
        return ()
    return tuple(int(revision) for revision in _ETAG.findall(if_match)) or (-1,)


def is_id(text: str) -> bool:
    """Whether it can be an id at all: what is put into another service's path must be one."""
    return _ID.fullmatch(text) is not None


#: An id in a path. One that cannot be an id is not found, like any other that is not there.
PathId = Annotated[str, Path(max_length=1000)]
CurrentDesk = Annotated[OperatorService, Depends(_desk)]
#: The services that answer for registration.
AskMatching = Annotated[InternalClient, Depends(_matching)]
AskScheduler = Annotated[InternalClient, Depends(_scheduler)]
IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")] | None,
    Header(description="Names the request: sent again with the same key, it answers with what it made the first time."),
]
IfMatch = Annotated[tuple[int, ...], Depends(_revisions)]
Limit = Annotated[int, Query(ge=1, le=500, description="Most items on the page.")]
After = Annotated[Id | None, Query(description="The last id of the page before.")]
