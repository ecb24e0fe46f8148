"""The operator of the demo's mail: settles mails in doubt by looking whether the mail server has them.

A service that is killed while it hands over a mail cannot know whether it was taken, and never sends it again by
itself. Who can look into the mail server knows; here that is the sink's folder.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from demo.mails import read_mails
from services.notify.deliveries import Finding, NoUnconfirmedMail, resolve, unconfirmed
from services.notify.ports import Ledger
from shared.runtime.clock import utc_now

_LOOK_EVERY_SECONDS = 1.0


class DeliveryResolver:
    """Looks for mails in doubt for as long as it runs. `settled` counts them."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder
        self.settled = 0

    async def run(self) -> None:
        """Settles every doubt as it comes up, until cancelled."""
        while True:
            await self.settle()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def settle(self) -> None:
        """Settles the doubts there are."""
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
