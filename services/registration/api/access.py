"""Dependencies of the endpoints: the operator of a request, its idempotency key, and the revisions it allows."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from pydantic import StringConstraints

from services.registration.affinity_versions import BuiltInVersions
from services.registration.amendment_store import AmendmentStore, InMemoryAmendmentStore
from services.registration.api.admission import Admission, price_of
from services.registration.api.queries import must_know_query
from services.registration.api.rights import must_be_allowed
from services.registration.change_gate import ChangeGate
from services.registration.effects import Effects
from services.registration.erasure_store import InMemoryErasureStore
from services.registration.erasures import Erasures, ErasureStores
from services.registration.import_capacity import ImportCapacity
from services.registration.internal_clients import InternalClient, InternalClients, no_clients
from services.registration.mapping_store import InMemoryMappingStore, MappingStore
from services.registration.memory_store import InMemoryOperators
from services.registration.operator_limits import NoOverrides
from services.registration.ports import AffinityVersions, Authenticating, EntityStore, OperatorKeys, OperatorOverrides
from services.registration.retention_store import InMemoryRetentionStore, RetentionStore
from services.registration.service import OperatorService
from services.registration.settings import Settings
from services.registration.staff.oidc import OidcProvider
from services.registration.staff.store import MongoStaff
from services.registration.staff.use_cases import SignIn
from services.registration.use_cases.addresses import AddressMailer
from services.registration.use_cases.amendments import AmendmentService
from services.registration.use_cases.keys import KeyService
from services.registration.waiting_readers import WaitingReaders
from shared.access import Principal, PrincipalKind, Sight
from shared.contract.ids import Id
from shared.runtime.clock import Clock

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ETAG = re.compile(r'"(\d{1,9})"')


@dataclass(frozen=True)
class ApiContext:
    """The services that the API is wired to; the application holds it as `app.state.context`."""

    store: EntityStore
    authenticator: Authenticating
    settings: Settings
    clock: Clock
    clients: InternalClients = field(default_factory=no_clients)
    versions: AffinityVersions = field(default_factory=BuiltInVersions)
    imports: ImportCapacity = field(default_factory=ImportCapacity)
    overrides: OperatorOverrides = field(default_factory=NoOverrides)
    monotonic: Callable[[], float] = time.monotonic
    amendments: AmendmentStore = field(default_factory=InMemoryAmendmentStore)
    mappings: MappingStore = field(default_factory=InMemoryMappingStore)
    keys: OperatorKeys = field(default_factory=lambda: InMemoryOperators({}))
    staff: MongoStaff | None = None
    sign_in: SignIn | None = None
    oidc: OidcProvider | None = None
    erasures: Erasures = field(default_factory=InMemoryErasureStore)

    retentions: RetentionStore = field(default_factory=InMemoryRetentionStore)
    address_mailer: AddressMailer | None = None
    readers: WaitingReaders = field(default_factory=WaitingReaders)

    @property
    def erasure_stores(self) -> ErasureStores:
        """The stores that an erasure reaches."""
        return ErasureStores(self.store, self.erasures, self.amendments)

    @cached_property
    def admission(self) -> Admission:
        """The limits of all operators in this process."""
        return Admission(self.settings, self.overrides, self.monotonic, self.imports.courtesy)


def staff_of(request: Request) -> MongoStaff:
    """Return the store of staff accounts."""
    staff = context_of(request).staff
    if staff is None:
        raise RuntimeError("this context has no store of staff accounts")
    return staff


def context_of(request: Request) -> ApiContext:
    """Return the context of the application that serves a request."""
    context: ApiContext = request.app.state.context
    return context


def key_in(authorization: str) -> str:
    """Return the API key in the value of the header `Authorization`; empty if there is none."""
    scheme, _, presented = authorization.partition(" ")
    return presented.strip() if scheme.lower() == "bearer" else ""


# All dependencies are coroutines: FastAPI runs a plain function in a thread, and a busy loop lets no thread begin.
async def _principal(
    request: Request, authorization: Annotated[str, Header(include_in_schema=False)] = ""
) -> Principal:
    """Return the principal whose credential is presented, once its rights allow the action of the route."""
    address = request.client.host if request.client else ""
    principal = await context_of(request).authenticator.principal_of(key_in(authorization), address)
    must_be_allowed(principal, request)
    must_know_query(request)
    return principal


CurrentPrincipal = Annotated[Principal, Depends(_principal)]


async def _service(request: Request, principal: CurrentPrincipal) -> AsyncIterator[OperatorService]:
    """Yield the use cases of the principal's operator, once its limits admit the call.

    The use cases reach no other operator's entities.
    """
    context, operator_id = context_of(request), principal.operator_id
    async with context.admission.admit(operator_id, price_of(request.scope)) as room:
        yield OperatorService(context.store.of(operator_id), context.clock, context.versions, room, principal)


async def _matching(request: Request) -> InternalClient:
    return context_of(request).clients.matching


async def _scheduler(request: Request) -> InternalClient:
    return context_of(request).clients.scheduler


async def _keys(
    request: Request,
    principal: CurrentPrincipal,
    _: Annotated[OperatorService, Depends(_service, scope="function")],
) -> KeyService:
    context = context_of(request)
    return KeyService(context.keys, principal.operator_id, principal.actor, context.clock)


async def _amendments(
    request: Request, service: Annotated[OperatorService, Depends(_service, scope="function")]
) -> AmendmentService:
    operator_id = service.unit_of_work.repository.operator_id
    return AmendmentService(service, context_of(request).amendments.of(operator_id))


async def _gate(
    request: Request,
    service: Annotated[OperatorService, Depends(_service, scope="function")],
    dry_run: Annotated[
        bool, Query(description="`true` changes nothing, and returns the preview of the change with its token.")
    ] = False,
    token: Annotated[
        str | None,
        Query(max_length=64, description="Confirms the effects of a preview; `*` any effects, without a preview."),
    ] = None,
) -> ChangeGate:
    """Put a gate in front of the changes of this request, and return it."""
    context = context_of(request)
    unit = service.unit_of_work
    effects = Effects(
        unit.repository,
        context.clients,
        context.settings.preview_seconds,
        unit.principal.sight >= Sight.NAMES,
        unit.principal.id if unit.principal.kind is PrincipalKind.PARTICIPANT else None,
    )
    gate = ChangeGate(context.amendments.of(unit.repository.operator_id), effects, dry_run, token)
    unit.gate = gate
    return gate


_IfMatchHeader = Annotated[
    str | None, Header(max_length=200, description="The ETag of the entity as it was read; * allows any revision.")
]


async def _revisions(if_match: _IfMatchHeader = None) -> tuple[int, ...] | None:
    """Return the revisions that `If-Match` allows: any if empty; None without the header.

    A header without a readable revision allows none.
    """
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return ()
    return tuple(int(revision) for revision in _ETAG.findall(if_match)) or (-1,)


async def _optional_revisions(if_match: _IfMatchHeader = None) -> tuple[int, ...]:
    return await _revisions(if_match) or ()


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id, so that it can stand in the path of another service."""
    return _ID.fullmatch(text) is not None


#: An id in a path. A text that has not the form of an id is answered with 404, as an unknown id is.
PathId = Annotated[str, Path(max_length=1000)]
CurrentKeys = Annotated[KeyService, Depends(_keys)]
CurrentService = Annotated[OperatorService, Depends(_service, scope="function")]
#: Changes of the request can be tried, and large ones need a token.
Gate = Annotated[ChangeGate, Depends(_gate)]
CurrentAmendments = Annotated[AmendmentService, Depends(_amendments)]
MatchingClient = Annotated[InternalClient, Depends(_matching)]
SchedulerClient = Annotated[InternalClient, Depends(_scheduler)]
IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")] | None,
    Header(description="Names the request. A repeat with the same key returns the result of the first request."),
]
#: Revisions for a change that replaces fields. A request without the header is refused (428).
IfMatch = Annotated[tuple[int, ...] | None, Depends(_revisions)]
#: Revisions for a change of a single member of a list, which overwrites no concurrent change.
OptionalIfMatch = Annotated[tuple[int, ...], Depends(_optional_revisions)]
Limit = Annotated[int, Query(ge=1, le=500, description="Most items on the page.")]
After = Annotated[Id | None, Query(description="The last id of the page before.")]
