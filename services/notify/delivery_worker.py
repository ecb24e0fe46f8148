"""One mail from the ledger to the mail server, every step written down before it is taken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

from services.notify.domain.audience import Audience, Change, DeliveryWanted
from services.notify.domain.decide import reach
from services.notify.domain.delivery import Delivery, Mailing, Step, reason_to_skip
from services.notify.domain.digest import say
from services.notify.ports import InDoubt, Ledger, Line, MailerAway, NotTaken, Overtaken, Refused, Relay, Render
from services.notify.settings import Settings
from shared.contract.events import DeliveryState, NotificationRecorded
from shared.contract.ids import new_id
from shared.runtime.clock import Clock
from shared.runtime.health import Health
from shared.runtime.log import get_logger
from shared.runtime.metrics import DELIVERIES, DELIVERY_DELAY_SECONDS
from shared.runtime.retry import is_transient, waits
from shared.storage.journal import Decision, Journal

_log = get_logger(__name__)
_LONGEST_BACK_OFF_SECONDS = 900.0


class DeliveryWorker:
    """Takes a due line of the ledger through its steps."""

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

    async def deliver(self, delivery: Delivery, line: Line) -> None:
        """Deal with a due line, unless another process is faster.

        Raises:
            MailerAway: no mail can be handed over now; this one was put back.
        """
        self._health.progress("deliver")
        if delivery.step is Step.DATA_STARTED and delivery.mailing:
            await self._give_up_on(delivery, delivery.mailing)
            return
        try:
            taken = await self._ledger.save(delivery.take(new_id("claim"), self._clock(), self._settings.lease))
            await self._mail(taken, line)
        except Overtaken:
            _log.info("delivery_overtaken", delivery=delivery.key)

    async def _give_up_on(self, delivery: Delivery, mailing: Mailing) -> None:
        """Whoever had the mail in hand is gone, and with them the mail server's answer."""
        try:
            await self._settle(delivery, DeliveryState.IN_DOUBT, mailing, "its process ended after DATA")
        except Overtaken:
            _log.info("delivery_overtaken", delivery=delivery.key)

    async def _mail(self, taken: Delivery, line: Line) -> None:
        audience = await self._audience(taken)
        mailing = self._mailing(taken, audience)
        if reason := reason_to_skip(taken, audience, mailing.said):
            await self._settle(taken, DeliveryState.SKIPPED, mailing, reason)
            return
        in_hand = taken

        async def before_data() -> None:
            nonlocal in_hand
            in_hand = await self._write(taken, lambda newest: newest.start(mailing))
            if taken.claim and self._clock() >= taken.claim.until:
                # Held up for longer than the mail is ours: somebody else may have told more by now.
                raise NotTaken("out of time before DATA")

        try:
            await line.send(self._render(audience, taken, mailing), before_data)
        except Refused as error:
            await self._settle(in_hand, DeliveryState.FAILED, mailing, str(error))
        except InDoubt as error:
            await self._settle(in_hand, DeliveryState.IN_DOUBT, mailing, str(error))
        except NotTaken as error:
            await self._put_back(in_hand, str(error))
        except MailerAway as error:
            await self._put_back(in_hand, str(error))
            raise
        else:
            await self._settle(in_hand, DeliveryState.SENT, mailing)

    async def _audience(self, delivery: Delivery) -> Audience:
        """The edition as of the version wanted, or newer.

        Another process may have journalled since this one read the edition. A write is then refused by the journal's
        fence and the edition is read again: so the write of a version that the newest state has long reached.
        """
        edition_id, participant_id, wanted = delivery.edition_id, delivery.participant_id, delivery.wanted
        audience = await self._journal.read(edition_id)
        if audience.versions.get(participant_id, 0) >= wanted:
            return audience
        await self._journal.transact(edition_id, lambda state, _now: Decision(reach(state, participant_id, wanted)))
        return await self._journal.read(edition_id)

    def _mailing(self, delivery: Delivery, audience: Audience) -> Mailing:
        version = audience.versions[delivery.participant_id]
        return Mailing(
            version=version,
            agenda_revision=audience.agendas[delivery.participant_id].revision,
            message_id=delivery.message_id(version, self._settings.mail_domain),
            said=say(audience, delivery.participant_id),
        )

    async def _put_back(self, taken: Delivery, reason: str) -> None:
        ceiling = min(_LONGEST_BACK_OFF_SECONDS, self._settings.smtp_retry_seconds * 2**taken.attempts)
        until = self._clock() + timedelta(seconds=random.uniform(ceiling / 2, ceiling))  # noqa: S311 - spreads load
        await self._write(taken, lambda newest: newest.postpone(until))
        _log.warning("delivery_postponed", delivery=taken.key, reason=reason)

    async def _settle(self, taken: Delivery, state: DeliveryState, mailing: Mailing, reason: str = "") -> None:
        settled = await self._write(
            taken,
            lambda newest: newest.settle(state, mailing),
            lambda newest: (newest.record(state, mailing, self._clock(), reason),),
        )
        DELIVERIES.labels(state=state).inc()
        if state is DeliveryState.SENT and taken.first_at:
            DELIVERY_DELAY_SECONDS.observe((self._clock() - taken.first_at).total_seconds())
        _log.info("delivery_settled", delivery=taken.key, state=state, version=mailing.version, reason=reason)
        self._relay.soon(settled.key)

    async def _write(
        self,
        taken: Delivery,
        step: Callable[[Delivery], Delivery],
        records: Callable[[Delivery], tuple[NotificationRecorded, ...]] = lambda _: (),
    ) -> Delivery:
        """Take a step on the line's newest state, for as long as the mail is in our hands.

        The database may be away for a moment: the lease is ours to wait, and giving up would leave a doubt.

        Raises:
            Overtaken: the mail is in other hands now.
        """
        pauses = waits()
        newest: Delivery | None = taken
        until = taken.claim.until if taken.claim else self._clock()
        while newest and newest.claim and newest.claim == taken.claim:
            try:
                stepped = step(newest)
                return await self._ledger.save(stepped, *records(stepped))
            except Overtaken:
                newest = await self._ledger.find(taken.edition_id, taken.participant_id)
            except Exception as error:
                if not is_transient(error) or self._clock() > until:
                    raise
                await asyncio.sleep(next(pauses))
        raise Overtaken(taken.key)
