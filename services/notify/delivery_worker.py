"""The delivery worker: takes a mail from the ledger to the mail server, and writes every step before it is taken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from services.notify.domain.changes import Change
from services.notify.domain.decide import raise_version_to
from services.notify.domain.delivery import Delivery, DeliveryStep, DeliveryWanted, Mailing, kind_of
from services.notify.domain.letter import Letter, agenda_letter, invitation, last_letter
from services.notify.domain.publication import notification_of
from services.notify.domain.state import Audience
from services.notify.old_hashes import number_of, renumbered
from services.notify.ports import (
    Ledger,
    MailConnection,
    MailServerUnavailable,
    NotAccepted,
    Overtaken,
    Refused,
    RefusedByServer,
    Relay,
    Render,
    Unconfirmed,
)
from services.notify.settings import Settings
from shared.contract.events import DeliveryState, NotificationRecorded
from shared.contract.ids import new_id
from shared.runtime.clock import Clock
from shared.runtime.health import Health
from shared.runtime.log import get_logger
from shared.runtime.metrics import DELIVERIES, DELIVERY_DELAY_SECONDS, DELIVERY_ERRORS, DELIVERY_LATE_SECONDS
from shared.runtime.retry import is_transient, waits
from shared.storage.aggregate import Decision
from shared.storage.journal import Journal

_log = get_logger(__name__)
_LONGEST_BACK_OFF_SECONDS = 900.0
#: Different mails in a row, none of them accepted, after which the server is unavailable.
_MOST_TURNED_DOWN = 5
_REFUSED_BEFORE = "the mail server has refused this address before: correct it, or `tertulia deliveries resend`"


class DeliveryWorker:
    """Takes a due delivery through its steps."""

    def __init__(
        self,
        journal: Journal[Audience, Change, DeliveryWanted],
        ledger: Ledger,
        relay: Relay,
        render: Render,
        settings: Settings,
        clock: Clock,
        health: Health,
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._relay = relay
        self._render = render
        self._settings = settings
        self._clock = clock
        self._health = health
        #: Time of the last mail that the server accepted from this process.
        self._accepted_at: datetime | None = None
        #: Keys of the mails that the server has not accepted since.
        self._turned_down: set[str] = set()

    async def deliver(self, delivery: Delivery, connection: MailConnection) -> None:
        """Deliver a due mail, unless another process is faster.

        Raises:
            MailServerUnavailable: no mail can be handed over now; this mail was postponed.
        """
        self._health.progress("deliver")
        if delivery.step is DeliveryStep.DATA_STARTED and delivery.mailing:
            await self._leave_unconfirmed(delivery, delivery.mailing)
            return
        try:
            claim = delivery.claim_for(new_id("claim"), self._clock(), self._settings.lease)
            await self._mail(await self._ledger.save(claim), connection)
        except Overtaken:
            _log.info("delivery_overtaken", delivery=delivery.key)

    async def _leave_unconfirmed(self, delivery: Delivery, mailing: Mailing) -> None:
        """Settle a mail as unconfirmed: its process has ended, and the mail server's answer is lost with it."""
        try:
            await self._settle(delivery, DeliveryState.IN_DOUBT, mailing, "its process ended after DATA")
        except Overtaken:
            _log.info("delivery_overtaken", delivery=delivery.key)

    async def _mail(self, claimed: Delivery, connection: MailConnection) -> None:
        audience = await self._audience(claimed)
        claimed = renumbered(claimed, audience)
        letter = await self._letter(claimed, audience)
        if letter.skipped:
            await self._settle(claimed, DeliveryState.SKIPPED, letter.mailing, letter.skipped)
        elif claimed.is_refused(letter.mailing.content):
            await self._settle(claimed, DeliveryState.FAILED, letter.mailing, _REFUSED_BEFORE)
        else:
            await self._hand_over(claimed, letter, connection)

    async def _hand_over(self, claimed: Delivery, letter: Letter, connection: MailConnection) -> None:
        current, mailing = claimed, letter.mailing

        async def before_data() -> None:
            nonlocal current
            until = self._clock() + self._settings.data_lease
            current = await self._write(claimed, lambda newest: newest.start(mailing, until))
            if claimed.claim and self._clock() >= claimed.claim.until:
                # The lease is over: another process may have mailed a newer version by now.
                raise NotAccepted("out of time before DATA")

        try:
            await connection.send(self._render(letter.audience, claimed, mailing), before_data)
        except RefusedByServer as error:
            await self._refused(current, mailing, error)
        except Refused as error:
            DELIVERY_ERRORS.labels(kind="unwritable").inc()
            await self._settle(current, DeliveryState.FAILED, mailing, str(error))
        except Unconfirmed as error:
            DELIVERY_ERRORS.labels(kind="unconfirmed").inc()
            await self._settle(current, DeliveryState.IN_DOUBT, mailing, str(error))
        except NotAccepted as error:
            DELIVERY_ERRORS.labels(kind="deferred").inc()
            await self._postpone(current, str(error))
            self._turn_down(current.key)
        except MailServerUnavailable as error:
            DELIVERY_ERRORS.labels(kind="unavailable").inc()
            await self._postpone(current, str(error))
            raise
        else:
            self._accepted_at = self._clock()
            self._turned_down.clear()
            await self._settle(current, DeliveryState.SENT, mailing)

    async def _refused(self, current: Delivery, mailing: Mailing, error: RefusedByServer) -> None:
        """Fail a mail whose refusal is believed; hold it until another mail is accepted otherwise."""
        DELIVERY_ERRORS.labels(kind="refused_address" if error.is_address else "refused_mail").inc()
        if not current.believes_refusal(self._accepted_at):
            await self._postpone(current, f"{error}; held until the server accepts another mail", self._clock())
            self._turn_down(current.key)
        else:
            await self._settle(current, DeliveryState.FAILED, mailing, str(error), is_address=error.is_address)

    def _turn_down(self, key: str) -> None:
        """Count a mail that was not accepted.

        Raises:
            MailServerUnavailable: the server has accepted none of the last mails. A further round tries a few.
        """
        if len(self._turned_down) < _MOST_TURNED_DOWN:
            self._turned_down.add(key)
        if len(self._turned_down) == _MOST_TURNED_DOWN:
            raise MailServerUnavailable(f"the mail server accepted none of the last {_MOST_TURNED_DOWN} mails")

    async def _audience(self, delivery: Delivery) -> Audience:
        """Return the edition's state as of the wanted version, or newer.

        Another process may have written the journal since this process read the edition. Then the write below is
        refused by the journal's fence, which reads the edition again. On the newest state the write changes nothing.
        """
        edition_id, participant_id, wanted = delivery.edition_id, delivery.participant_id, delivery.wanted
        audience = await self._journal.read(edition_id)
        if audience.versions.get(participant_id, 0) >= wanted:
            return audience
        await self._journal.transact(
            edition_id, lambda state, _now: Decision(raise_version_to(state, participant_id, wanted))
        )
        return await self._journal.read(edition_id)

    async def _letter(self, claimed: Delivery, audience: Audience) -> Letter:
        domain, now, participant_id = self._settings.mail_domain, self._clock(), claimed.participant_id
        if claimed.subject is None:
            return agenda_letter(audience, claimed, domain, now)
        known = await self._ledger.find(claimed.edition_id, participant_id)
        main = renumbered(known, audience) if known else None
        if claimed.about is None:
            return invitation(audience, claimed, main, domain, now)
        about = number_of(claimed.about, audience, participant_id)
        return last_letter(audience, claimed.model_copy(update={"about": about}), main, domain, now)

    async def _postpone(self, claimed: Delivery, reason: str, refused_at: datetime | None = None) -> None:
        ceiling = min(_LONGEST_BACK_OFF_SECONDS, self._settings.smtp_retry_seconds * 2**claimed.attempts)
        until = self._clock() + timedelta(seconds=random.uniform(ceiling / 2, ceiling))  # noqa: S311 - spreads load
        await self._write(claimed, lambda newest: newest.postpone(until, reason, refused_at))
        _log.warning("delivery_postponed", delivery=claimed.key, reason=reason)

    async def _settle(
        self,
        claimed: Delivery,
        state: DeliveryState,
        mailing: Mailing,
        reason: str = "",
        *,
        is_address: bool = False,
    ) -> None:
        """Finish a version; with `is_address`, the address was refused for good."""
        settled = await self._write(
            claimed,
            lambda newest: (
                newest.refuse_address(mailing, reason) if is_address else newest.settle(state, mailing, reason)
            ),
            # Last mails and invitations have no record: notification.v1 has a record of the agenda only.
            lambda newest: () if newest.subject else (notification_of(newest, state, mailing, self._clock(), reason),),
        )
        DELIVERIES.labels(state=state, kind=kind_of(claimed)).inc()
        if state is DeliveryState.SENT and claimed.first_at:
            delay = self._clock() - claimed.first_at
            DELIVERY_DELAY_SECONDS.observe(delay.total_seconds())
            DELIVERY_LATE_SECONDS.observe(max(0.0, (delay - self._settings.window.longest).total_seconds()))
        _log.info("delivery_settled", delivery=claimed.key, state=state, version=mailing.version, reason=reason)
        self._relay.soon(settled.key)

    async def _write(
        self,
        claimed: Delivery,
        step: Callable[[Delivery], Delivery],
        records: Callable[[Delivery], tuple[NotificationRecorded, ...]] = lambda _: (),
    ) -> Delivery:
        """Apply a step to the newest delivery and write it, for as long as the claim is this process's.

        The database may be unavailable for a moment. The step waits until the lease ends: to give up would leave an
        unconfirmed mail.

        Raises:
            Overtaken: another process has claimed the delivery.
        """
        pauses = waits()
        newest: Delivery | None = claimed
        until = claimed.claim.until if claimed.claim else self._clock()
        while newest and newest.claim and newest.claim == claimed.claim:
            try:
                stepped = step(newest)
                return await self._ledger.save(stepped, *records(stepped))
            except Overtaken:
                newest = await self._ledger.find(claimed.edition_id, claimed.participant_id, claimed.subject)
            except Exception as error:
                if not is_transient(error) or self._clock() > until:
                    raise
                await asyncio.sleep(next(pauses))
        raise Overtaken(claimed.key)
