"""Signed-in people: their credentials in cookies, and their rights, which registration tells."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from services.portal.registration import RegistrationProxy
from shared.access import Action, PrincipalKind, StaffRole

#: Rights of so many people are remembered.
_MOST_VISITORS = 5000
#: Longest credential that is looked at.
LONGEST_CREDENTIAL = 700


@dataclass(frozen=True)
class Visitor:
    """A signed-in person, with the rights that registration told."""

    credential: str = field(repr=False)
    kind: PrincipalKind
    id: str
    operator_id: str
    role: StaffRole | None
    editions: frozenset[str] | None
    actions: frozenset[str]

    def may(self, action: Action, edition_id: str) -> bool:
        """Tell whether the visitor may do an action on an edition."""
        return action in self.actions and (self.editions is None or edition_id in self.editions)

    @property
    def form_token(self) -> str:
        """The text that every form of this visitor holds: another site does not know it."""
        return hmac.digest(self.credential.encode(), b"tertulia form", "sha256").hex()[:32]


class Visitors:
    """Asks registration for the person behind a credential, and remembers the answer for some seconds."""

    def __init__(self, registration: RegistrationProxy, seconds: float, monotonic: Callable[[], float]) -> None:
        self._registration = registration
        self._seconds = seconds
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[float, Visitor | None]] = OrderedDict()

    async def find(self, credential: str) -> Visitor | None:
        """Return the person of a credential; None if it has ended or is no credential.

        Raises:
            RegistrationAway: registration does not answer.
        """
        if not credential or len(credential) > LONGEST_CREDENTIAL or not credential.isascii():
            return None
        key, now = hashlib.sha256(credential.encode()).hexdigest(), self._monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        visitor = await self._ask(credential)
        self._known[key] = now + self._seconds, visitor
        self._known.move_to_end(key)
        while len(self._known) > _MOST_VISITORS:
            self._known.popitem(last=False)
        return visitor

    async def _ask(self, credential: str) -> Visitor | None:
        reply = await self._registration.ask("GET", "/v1/me", credential)
        if not reply.is_success:
            return None
        rights = reply.body
        return Visitor(
            credential=credential,
            kind=PrincipalKind(rights["kind"]),
            id=rights["id"],
            operator_id=rights["operator_id"],
            role=StaffRole(rights["role"]) if rights["role"] else None,
            editions=None if rights["editions"] is None else frozenset(rights["editions"]),
            actions=frozenset(rights["actions"]),
        )
