"""Operator commands on the ledger: list and resolve unconfirmed mails (`tertulia deliveries list|resolve`)."""

from __future__ import annotations

from enum import StrEnum

from services.notify.domain.delivery import Delivery
from services.notify.domain.publication import notification_of
from services.notify.ports import Ledger, Overtaken
from shared.contract.events import DeliveryState
from shared.runtime.clock import Clock


class Finding(StrEnum):
    """The mail server's log on an unconfirmed mail: the server has accepted the mail, or has not."""

    TAKEN = "taken"
    NOT_TAKEN = "not_taken"


class NoUnconfirmedMail(Exception):
    """The participant has no unconfirmed mail in that edition."""


async def unconfirmed(ledger: Ledger, edition_id: str | None = None) -> list[Delivery]:
    """Return the deliveries with an unconfirmed mail, of one edition or of all."""
    return await ledger.unconfirmed(edition_id)


async def resolve(ledger: Ledger, edition_id: str, participant_id: str, finding: Finding, clock: Clock) -> Delivery:
    """Settle an unconfirmed mail. A mail not accepted becomes due at once; notify sends it with the newest agenda.

    Raises:
        NoUnconfirmedMail: the participant has none, or it has been resolved already.
    """
    while True:
        delivery = await ledger.find(edition_id, participant_id)
        if delivery is None or delivery.unconfirmed is None:
            raise NoUnconfirmedMail(
                f"{edition_id}/{participant_id} has no mail in doubt: `tertulia deliveries list` shows all that are"
            )
        accepted = finding is Finding.TAKEN
        resolved = delivery.resolve(accepted=accepted, now=clock())
        record = notification_of(resolved, DeliveryState.SENT, delivery.unconfirmed, clock(), "resolved by an operator")
        try:
            return await ledger.save(resolved, *([record] if accepted else []))
        except Overtaken:
            continue
