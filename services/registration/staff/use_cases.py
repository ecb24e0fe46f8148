"""Use cases of staff accounts, and of their sign-in by a mailed link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from services.registration.authenticator import TooManyRefusals, UnknownKey
from services.registration.domain.errors import CeilingReached, ChangedMeanwhile, NotFound
from services.registration.keys import digest_of, new_secret
from services.registration.staff.accounts import (
    LINK_LIFE,
    MOST_STAFF,
    SESSION_LIFE,
    SignInFacts,
    StaffFacts,
    StaffMember,
    StaffSession,
    session_text,
)
from services.registration.staff.store import MongoStaff
from shared.runtime.clock import Clock
from shared.runtime.log import get_logger
from shared.runtime.refused_keys import RefusalsBySource

_log = get_logger(__name__)


class LinkMailer(Protocol):
    """Mails a sign-in link. Raises `ServiceUnavailable`."""

    async def mail_link(self, member: StaffMember, secret: str) -> None: ...


class StaffService:
    """Use cases of the staff accounts of an operator. `actor` is the author of new accounts."""

    def __init__(self, staff: MongoStaff, operator_id: str, actor: str, clock: Clock) -> None:
        self._staff = staff
        self._operator_id = operator_id
        self._actor = actor
        self._clock = clock

    async def list_staff(self) -> Sequence[StaffMember]:
        """List the accounts, oldest first."""
        return await self._staff.of_operator(self._operator_id, MOST_STAFF)

    async def get(self, staff_id: str) -> StaffMember:
        """Return an account. Raises `NotFound`."""
        found = await self._staff.find(self._operator_id, staff_id)
        if found is None:
            raise NotFound("there is no such staff account")
        return found

    async def create(self, facts: StaffFacts) -> StaffMember:
        """Add an account. It signs in by links that are mailed to its address.

        Raises:
            Conflict: the operator has an account of this address.
            CeilingReached: the operator has as many accounts as it may have.
        """
        if len(await self.list_staff()) >= MOST_STAFF:
            raise CeilingReached(f"an operator may have {MOST_STAFF} staff accounts: disable and reuse one")
        member = StaffMember.made(facts, self._operator_id, self._clock(), self._actor)
        await self._staff.add(member)
        return member

    async def change(self, staff_id: str, change: Callable[[StaffMember], StaffFacts]) -> StaffMember:
        """Change the fields that `change` returns. Sessions end if the account is disabled or has another address.

        Raises:
            NotFound: there is no such account.
            Conflict: another account has the address.
            ChangedMeanwhile: a concurrent request changes the account.
        """
        before = await self.get(staff_id)
        after = before.changed(change(before).values())
        if after is before:
            return before
        if not await self._staff.replace(after):
            raise ChangedMeanwhile
        if after.is_disabled or after.email != before.email:
            await self._staff.end_sessions(staff_id)
        return after


class SignIn:
    """Signs staff in. An answer never tells whether an address has an account."""

    def __init__(self, staff: MongoStaff, mailer: LinkMailer, clock: Clock) -> None:
        self._staff = staff
        self._mailer = mailer
        self._clock = clock
        self._asked = RefusalsBySource()
        self._mailing: set[asyncio.Task[None]] = set()

    def ask(self, facts: SignInFacts, address: str) -> None:
        """Mail a link in the background if there is such an account: the time of the answer tells nothing.

        Raises:
            TooManyRefusals: the source has asked too often.
        """
        self._must_be_patient(address)
        self._asked.refuse(address, "sign_in_asked")
        task = asyncio.create_task(self._mail(facts))
        self._mailing.add(task)
        task.add_done_callback(self._mailing.discard)

    async def enter(self, link: str, address: str) -> tuple[str, StaffSession]:
        """Use a link up, and return the credential of a new session.

        Raises:
            UnknownKey: the link is unknown, used or expired, or its account is disabled.
            TooManyRefusals: the source has tried too many.
        """
        self._must_be_patient(address)
        found = await self._staff.use_link(digest_of(link), self._clock())
        member = await self._staff.find(*found) if found else None
        if member is None or member.is_disabled:
            self._asked.refuse(address, "sign_in_link")
            raise UnknownKey("this sign-in link is unknown, used or expired: ask for a new one")
        return await self._begin(member)

    async def enter_as(self, operator_id: str, email: str) -> tuple[str, StaffSession]:
        """Return the credential of a new session for a proven address. Raises `UnknownKey` without an account."""
        member = await self._staff.by_address(operator_id, email)
        if member is None or member.is_disabled:
            raise UnknownKey("this operator has no staff account of your address: ask an owner for one")
        return await self._begin(member)

    async def _begin(self, member: StaffMember) -> tuple[str, StaffSession]:
        secret = new_secret()
        session = StaffSession(
            digest=digest_of(secret),
            operator_id=member.operator_id,
            staff_id=member.staff_id,
            expires_at=self._clock() + SESSION_LIFE,
        )
        await self._staff.add_session(session)
        return session_text(member.operator_id, secret), session

    async def drain(self) -> None:
        """Wait for the mails that are being handed over."""
        await asyncio.gather(*self._mailing, return_exceptions=True)

    def _must_be_patient(self, address: str) -> None:
        if seconds := self._asked.wait(address):
            raise TooManyRefusals(seconds)

    async def _mail(self, facts: SignInFacts) -> None:
        try:
            member = await self._staff.by_address(facts.operator_id, facts.email)
            if member is None or member.is_disabled:
                _log.info("sign_in_not_mailed", operator=facts.operator_id, known=member is not None)
                return
            secret = new_secret()
            await self._staff.add_link(digest_of(secret), member, self._clock() + LINK_LIFE)
            await self._mailer.mail_link(member, secret)
        except Exception as error:  # noqa: BLE001 - the person asks again
            _log.warning("sign_in_not_mailed", operator=facts.operator_id, error=error)
