from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from demo.unconfirmed import DeliveryResolver
from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import MailContent
from services.notify.store import InMemoryLedger
from shared.contract.events import DeliveryState

NOW = datetime(2026, 11, 1, tzinfo=UTC)


async def ledger_with_unconfirmed_of(*participants: str) -> InMemoryLedger:
    ledger = InMemoryLedger(lambda: NOW)
    for participant in participants:
        mailing = Mailing(
            version=3,
            agenda_revision=2,
            message_id=f"<{participant}@tertulia.example>",
            content=MailContent(addressee="a", timezone="Europe/Madrid", lines=()),
        )
        line = Delivery(operator_id="demo", edition_id="edn_demo", participant_id=participant, wanted=3)
        await ledger.save(line.settle(DeliveryState.IN_DOUBT, mailing))
    return ledger


def deliver(folder: Path, participant: str) -> None:
    head = f"To: {participant}@ana.example\nMessage-ID: <{participant}@tertulia.example>\n"
    mail = f"{head}X-Tertulia-Participant: {participant}\nX-Tertulia-Agenda-Revision: 2\n\nSu agenda\n"
    (folder / f"{participant}.eml").write_text(mail)


async def test_a_mail_found_at_the_server_is_sent_and_a_missing_mail_is_due_again(tmp_path: Path) -> None:
    ledger = await ledger_with_unconfirmed_of("prt_taken", "prt_lost")
    deliver(tmp_path, "prt_taken")
    resolver = DeliveryResolver(ledger, tmp_path)
    await resolver.settle()
    assert resolver.settled == 2
    assert await ledger.unconfirmed() == []
    taken, lost = [await ledger.find("edn_demo", participant_id) for participant_id in ("prt_taken", "prt_lost")]
    assert taken is not None
    assert taken.sent_content is not None
    assert taken.due_at is None
    assert lost is not None
    assert lost.sent_content is None
    assert lost.due_at is not None


async def test_without_unconfirmed_deliveries_no_mail_is_read(tmp_path: Path) -> None:
    resolver = DeliveryResolver(await ledger_with_unconfirmed_of(), tmp_path / "never made")
    await resolver.settle()
    assert resolver.settled == 0
