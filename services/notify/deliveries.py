"""What an operator can see and settle of the ledger: the mails in doubt (`tertulia deliveries list|resolve`)."""

from __future__ import annotations

from enum import StrEnum

from services.notify.domain.delivery import Delivery
from services.notify.ports import Ledger, Overtaken
from shared.contract.events import DeliveryState
from shared.runtime.clock import Clock


class Finding(StrEnum):
    """What the mail server's log says of a mail in doubt: it was taken; or it was not, and is to be sent again."""

    TAKEN = "taken"
    NOT_TAKEN = "not_taken"


class NoDoubt(Exception):
    """The participant has no mail in doubt in that edition."""


async def in_doubt(ledger: Ledger, edition_id: str | None = None) -> list[Delivery]:
    """The deliveries with a mail in doubt, of one edition or of all; `delivery.doubt` says which mail."""
    return await ledger.in_doubt(edition_id)


async def resolve(ledger: Ledger, edition_id: str, participant_id: str, finding: Finding, clock: Clock) -> Delivery:
    """Settle a doubt. A mail not taken becomes due at once, as the agenda stands; the running service sends it.

    Raises:
        NoDoubt: there is none, or it has been settled already.
    """
    while True:
        delivery = await ledger.find(edition_id, participant_id)
        if delivery is None or delivery.doubt is None:
            raise NoDoubt(f"{edition_id}/{participant_id} has no mail in doubt")
        resolved = delivery.resolve(taken=finding is Finding.TAKEN, now=clock())
        records = [resolved.record(DeliveryState.SENT, delivery.doubt, clock(), "resolved by an operator")]
        try:
            return await ledger.save(resolved, *(records if finding is Finding.TAKEN else []))
        except Overtaken:
            continue
