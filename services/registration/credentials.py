"""The principal of a credential: an API key, or the session of a staff account."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.registration.authenticator import Authenticator, UnknownKey
from services.registration.keys import digest_of
from services.registration.staff.accounts import secret_of_session
from services.registration.staff.store import MongoStaff
from shared.access import Principal
from shared.runtime.clock import Clock

#: Time for which a session's rights are remembered: a change of them, or its end, holds everywhere after it.
_REMEMBERED_SECONDS = 5.0
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class _Remembered:
    principal: Principal
    until: float


class Credentials:
    """Finds the principal of a credential: implements `ports.Authenticating`.

    A session costs a look into the database every few seconds. Unknown sessions slow their source as unknown keys do.
    """

    def __init__(
        self, keys: Authenticator, staff: MongoStaff, clock: Clock, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._staff = staff
        self._clock = clock
        self._now = now
        self._sessions: OrderedDict[str, _Remembered] = OrderedDict()

    async def principal_of(self, presented: str, address: str = "") -> Principal:
        """Return the principal of a credential.

        Raises:
            UnknownKey: it is unknown, ended or expired.
            TooManyRefusals: it is not known in this process, and its source is slowed.
        """
        session = secret_of_session(presented)
        if session is None:
            return await self._keys.principal_of(presented, address)
        operator_id, secret = session
        digest = digest_of(secret)
        if known := self._remembered(digest):
            return known
        self._keys.must_not_be_slowed(address)
        principal = await self._principal_of_session(operator_id, digest)
        if principal is None:
            self._keys.refuse(address, "session")
            raise UnknownKey("this session has ended: sign in again")
        self._remember(digest, principal)
        return principal

    def known_operator(self, presented: str) -> str | None:
        """Return the operator of a credential if memory tells it. Nothing is read, and nothing is refused."""
        session = secret_of_session(presented)
        if session is None:
            return self._keys.known_operator(presented)
        known = self._remembered(digest_of(session[1]))
        return known.operator_id if known else None

    def early_refusal(self, address: str) -> Exception | None:
        """Return the refusal of an unknown credential of a slowed source."""
        return self._keys.early_refusal(address)

    async def read_again(self, operator_id: str) -> None:
        """Read the keys of an operator, changed just now, and forget its sessions."""
        for digest in [d for d, known in self._sessions.items() if known.principal.operator_id == operator_id]:
            del self._sessions[digest]
        await self._keys.read_again(operator_id)

    async def _principal_of_session(self, operator_id: str, digest: str) -> Principal | None:
        session = await self._staff.session(digest)
        if session is None or session.operator_id != operator_id or session.expires_at <= self._clock():
            return None
        member = await self._staff.find(operator_id, session.staff_id)
        return None if member is None or member.is_disabled else member.principal(session.expires_at)

    def _remembered(self, digest: str) -> Principal | None:
        known = self._sessions.get(digest)
        if known is None or known.until <= self._now():
            return None
        expires_at = known.principal.expires_at
        return None if expires_at is not None and expires_at <= self._clock() else known.principal

    def _remember(self, digest: str, principal: Principal) -> None:
        self._sessions[digest] = _Remembered(principal, self._now() + _REMEMBERED_SECONDS)
        if len(self._sessions) > _MOST_REMEMBERED:
            self._sessions.popitem(last=False)
