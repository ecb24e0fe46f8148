"""Resolution of unconfirmed deliveries: the mails are looked up at the mail server.

A service that is killed during the delivery of a mail cannot know the server's answer, and never sends the mail again
by itself. An operator looks the mail up in the server's log; the demo looks it up in the folder of the mail sink.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from demo.mails import read_mails
from services.notify.deliveries import Finding, NoUnconfirmedMail, resolve, unconfirmed
from services.notify.ports import Ledger
from shared.runtime.clock import utc_now

_EVERY_SECONDS = 1.0


class DeliveryResolver:
    """Resolves the unconfirmed deliveries of a ledger. `settled` counts the resolved deliveries."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder
        self.settled = 0

    async def run(self) -> None:
        """Resolve unconfirmed deliveries every second, until cancelled."""
        while True:
            await self.settle()
            await asyncio.sleep(_EVERY_SECONDS)

    async def settle(self) -> None:
        """Resolve the deliveries that are unconfirmed now."""
        deliveries = await unconfirmed(self._ledger)
        if not deliveries:
            return
        taken = {mail.message_id for mail in read_mails(self._folder)}
        for delivery in deliveries:
            if delivery.unconfirmed is None:
                continue
            finding = Finding.TAKEN if delivery.unconfirmed.message_id in taken else Finding.NOT_TAKEN
            try:
                await resolve(self._ledger, delivery.edition_id, delivery.participant_id, finding, utc_now)
            except NoUnconfirmedMail:
                continue
            self.settled += 1
