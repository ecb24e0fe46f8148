"""Operator commands on the ledger: `tertulia deliveries list|resend|resolve|show`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum

from services.notify.aggregate import AudienceAggregate
from services.notify.domain.delivery import Delivery
from services.notify.domain.evolve import evolve
from services.notify.domain.explain import Explanation, NewestEvents, explain
from services.notify.domain.history import steps_of
from services.notify.domain.publication import notification_of
from services.notify.domain.state import Audience
from services.notify.ports import Ledger, Overtaken
from shared.contract.events import DeliveryState
from shared.runtime.clock import Clock
from shared.storage.history import Step, read_back
from shared.storage.journal_entry import JournalStore

_PAGE = 500


class Finding(StrEnum):
    """The mail server's log on an unconfirmed mail: the server has accepted the mail, or has not."""

    TAKEN = "taken"
    NOT_TAKEN = "not_taken"


class NoUnconfirmedMail(Exception):
    """The participant has no unconfirmed mail in that edition."""


class UnknownEdition(Exception):
    """Notify's journal has no such edition."""


class UnknownParticipant(Exception):
    """The edition has no such participant in notify's journal."""


@dataclass(frozen=True)
class DeliveryReport:
    """A participant's delivery, its explanation, and its past, without personal data.

    `agenda_revision` is the newest announced agenda in notify's journal, 0 if there is none. The scheduler issued it
    at `agenda_issued_at`.
    """

    explanation: Explanation
    delivery: Delivery | None
    agenda_revision: int
    agenda_issued_at: datetime | None
    steps: list[Step]


async def report(
    journal: JournalStore,
    ledger: Ledger,
    edition_id: str,
    participant_id: str,
    newest: NewestEvents,
    now: datetime,
) -> DeliveryReport:
    """Report on a participant's delivery; `newest` are the participant's events on the topics.

    Raises:
        UnknownEdition: the journal has no entry of the edition.
        UnknownParticipant: the edition has neither a contact nor an agenda of the participant.
    """
    entries = read_back(AudienceAggregate.change_type, await journal.entries(edition_id, after=0))
    if not entries:
        known = await journal.editions()
        raise UnknownEdition(f"notify has no edition {edition_id!r}: it knows {_some_of(known, edition_id)}")
    audience = Audience(edition_id=edition_id)
    for entry in entries:
        for change in entry.changes:
            evolve(audience, change)
    participant_ids = audience.contacts.keys() | audience.agendas.keys()
    if participant_id not in participant_ids:
        known = sorted(participant_ids)
        raise UnknownParticipant(
            f"edition {edition_id!r} has no participant {participant_id!r}: it has {_some_of(known, participant_id)}"
        )
    delivery = await ledger.find(edition_id, participant_id)
    agenda = audience.agendas.get(participant_id)
    return DeliveryReport(
        explanation=explain(audience, participant_id, delivery, newest, now),
        delivery=delivery,
        agenda_revision=agenda.revision if agenda else 0,
        agenda_issued_at=agenda.issued_at if agenda else None,
        steps=list(steps_of(participant_id, entries)),
    )


def _some_of(ids: list[str], wrong_id: str) -> str:
    """Name the ids closest to a wrong id, and the number of all ids."""
    close = get_close_matches(wrong_id, ids) or ids[:3]
    return f"{', '.join(close)} ({len(ids)} in all)" if close else "none"


async def refused(ledger: Ledger, edition_id: str) -> list[Delivery]:
    """Return the deliveries of an edition whose newest mail was refused for good, by participant."""
    return [
        delivery
        async for delivery in _all_of(ledger, edition_id)
        if delivery.outcome is DeliveryState.FAILED and not delivery.is_owed
    ]


async def resend(ledger: Ledger, edition_id: str, participant_ids: Sequence[str], clock: Clock) -> list[str]:
    """Mail participants again, as after a corrected mail server; notify sends the newest agenda if it is news.

    Unconfirmed mails and mails that are being sent are left alone. Return the ids of the participants.
    """
    resent = []
    for participant_id in participant_ids:
        while delivery := await ledger.find(edition_id, participant_id):
            wanted = delivery.resend(clock())
            if wanted is delivery:
                break
            with contextlib.suppress(Overtaken):
                await ledger.save(wanted)
                resent.append(participant_id)
                break
    return resent


async def _all_of(ledger: Ledger, edition_id: str) -> AsyncIterator[Delivery]:
    after = ""
    while page := await ledger.page(edition_id, after, _PAGE):
        for delivery in page:
            yield delivery
        after = page[-1].participant_id


async def unconfirmed(ledger: Ledger, edition_id: str | None = None) -> list[Delivery]:
    """Return the deliveries with an unconfirmed mail, of an edition or of all editions."""
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
                f"{edition_id}/{participant_id} has no unconfirmed mail: `tertulia deliveries list` shows all of them"
            )
        accepted = finding is Finding.TAKEN
        resolved = delivery.resolve(accepted=accepted, now=clock())
        record = notification_of(resolved, DeliveryState.SENT, delivery.unconfirmed, clock(), "resolved by an operator")
        try:
            return await ledger.save(resolved, *([record] if accepted else []))
        except Overtaken:
            continue
