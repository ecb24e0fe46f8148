"""The principal of a credential: an API key, the session of a staff account, or the link of a participant."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.registration.authenticator import Authenticator, UnknownKey
from services.registration.keys import digest_of
from services.registration.participant_links import LINK_BEGINNING, ParticipantLinks
from services.registration.staff.accounts import secret_of_session
from services.registration.staff.store import MongoStaff
from shared.access import Principal
from shared.runtime.clock import Clock

#: Time for which a session's rights are remembered: a change of them, or its end, holds everywhere after it.
_REMEMBERED_SECONDS = 5.0
_MOST_REMEMBERED = 10_000
_SESSION_ENDED = "this session has ended: sign in again"
_LINK_ENDED = "this link has ended: the newest mail has the present one"


@dataclass(frozen=True)
class _Remembered:
    principal: Principal
    until: float


class Credentials:
    """Finds the principal of a credential: implements `ports.Authenticating`.

    A session or a link costs a look into the database every few seconds. Unknown credentials slow their source.
    """

    def __init__(
        self,
        keys: Authenticator,
        staff: MongoStaff,
        links: ParticipantLinks,
        clock: Clock,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._staff = staff
        self._links = links
        self._clock = clock
        self._now = now
        self._known: OrderedDict[str, _Remembered] = OrderedDict()

    async def principal_of(self, presented: str, address: str = "") -> Principal:
        """Return the principal of a credential.

        Raises:
            UnknownKey: it is unknown, ended or expired.
            TooManyRefusals: it is not known in this process, and its source is slowed.
        """
        session, is_link = secret_of_session(presented), presented.startswith(LINK_BEGINNING)
        if session is None and not is_link:
            return await self._keys.principal_of(presented, address)
        if known := self._remembered(presented):
            return known
        self._keys.must_not_be_slowed(address)
        principal = await (self._principal_of_session(*session) if session else self._links.principal_of(presented))
        if principal is None:
            self._keys.refuse(address, "session" if session else "link")
            raise UnknownKey(_SESSION_ENDED if session else _LINK_ENDED)
        self._remember(presented, principal)
        return principal

    def known_operator(self, presented: str) -> str | None:
        """Return the operator of a credential if memory tells it. Nothing is read, and nothing is refused."""
        known = self._remembered(presented)
        return known.operator_id if known else self._keys.known_operator(presented)

    def early_refusal(self, address: str) -> Exception | None:
        """Return the refusal of an unknown credential of a slowed source."""
        return self._keys.early_refusal(address)

    async def write_uses(self) -> None:
        """Write the times of the uses of keys since the last call."""
        await self._keys.write_uses()

    async def read_again(self, operator_id: str) -> None:
        """Read the keys of an operator, changed just now, and forget its sessions and links."""
        for digest in [d for d, known in self._known.items() if known.principal.operator_id == operator_id]:
            del self._known[digest]
        await self._keys.read_again(operator_id)

    async def _principal_of_session(self, operator_id: str, secret: str) -> Principal | None:
        session = await self._staff.session(digest_of(secret))
        if session is None or session.operator_id != operator_id or session.expires_at <= self._clock():
            return None
        member = await self._staff.find(operator_id, session.staff_id)
        return None if member is None or member.is_disabled else member.principal(session.expires_at)

    def _remembered(self, presented: str) -> Principal | None:
        known = self._known.get(digest_of(presented))
        if known is None or known.until <= self._now():
            return None
        expires_at = known.principal.expires_at
        return None if expires_at is not None and expires_at <= self._clock() else known.principal

    def _remember(self, presented: str, principal: Principal) -> None:
        self._known[digest_of(presented)] = _Remembered(principal, self._now() + _REMEMBERED_SECONDS)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
