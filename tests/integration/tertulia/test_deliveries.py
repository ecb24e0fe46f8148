"""`tertulia deliveries show` on a real database, with a broker and without."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from deploy.embedded.probes import free_ports
from services.notify.aggregate import AudienceAggregate
from services.notify.domain.delivery import Delivery, Mailing, Window
from services.notify.domain.digest import mail_content
from services.notify.settings import Settings
from services.notify.store import LedgerOutlet, MongoLedger
from shared.contract.events import Channel, DeliveryState, NotificationRecorded
from shared.messaging import topic_admin
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.messaging.inputs import Input, Position
from shared.storage.journal import Journal
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo
from tertulia.cli import app
from tests.support.notify_stage import COMMON, agenda, encounter, everybody

WINDOW = Window(quiet=timedelta(hours=1), longest=timedelta(hours=2))


@pytest.fixture(autouse=True)
def deliveries(mongo_url: str, mongo_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`prt_0` has an unconfirmed mail, `prt_1` waits for the window, and `prt_2` was sent a mail. No broker runs."""
    [port] = free_ports(1)
    monkeypatch.setenv("TERTULIA_MONGO_URL", mongo_url)
    monkeypatch.setenv("TERTULIA_MONGO_DATABASE", mongo_database)
    monkeypatch.setenv("TERTULIA_KAFKA_BOOTSTRAP", f"127.0.0.1:{port}")

    async def write() -> None:
        mongo = Mongo(Settings())
        await mongo.ping()
        database = mongo.database(mongo_database)
        store, ledger = MongoJournalStore(database), MongoLedger(database, mongo.now)
        await store.prepare()
        journal = Journal(AudienceAggregate(), store, LedgerOutlet(ledger, WINDOW), mongo.now)
        events = [
            *everybody(),
            agenda(1, encounter(0, 1)),
            agenda(3, encounter(0, 0), number=1),
            agenda(2, encounter(1, 1), number=2),
        ]
        await journal.decide("edn_1", [Input(event, Position("agenda.v1", 0, n)) for n, event in enumerate(events)])
        audience = await journal.read("edn_1")
        for participant_id, state in (("prt_0", DeliveryState.IN_DOUBT), ("prt_2", DeliveryState.SENT)):
            content = mail_content(audience, participant_id)
            mailing = Mailing(version=1, agenda_revision=1, message_id="<m@tertulia.example>", content=content)
            delivery = await ledger.find("edn_1", participant_id)
            assert delivery is not None
            await ledger.save(delivery.settle(state, mailing))
        await mongo.close()

    asyncio.run(write())


def show(*arguments: str) -> tuple[int, str]:
    """Run the command; return its exit code and its output."""
    done: Result = CliRunner().invoke(app, ["deliveries", "show", *arguments])
    return done.exit_code, " ".join(done.output.split())


def test_a_waiting_mail_is_shown_with_its_due_time_and_its_past() -> None:
    code, output = show("edn_1", "prt_1")
    assert code == 0
    assert "edn_1/prt_1: waiting version 1 waits for more changes, and is due at 20" in output
    assert "revision 3" in output
    assert "notify:1" in output
    assert "agenda revision 3 (entries: 1); version 1 wanted" in output


def test_an_unconfirmed_mail_is_shown_with_the_command_that_resolves_it() -> None:
    code, output = show("edn_1", "prt_0")
    assert code == 0
    assert "tertulia deliveries resolve edn_1 prt_0 --taken" in output
    assert "<m@tertulia.example>" in output


def test_without_a_broker_a_delivery_is_shown_with_a_warning() -> None:
    output = show("edn_1", "prt_2")[1]
    assert "edn_1/prt_2: sent the last mail that was sent has the content of the newest agenda" in output
    assert "notification.v1 and agenda.v1 cannot be read" in output
    assert "newest agenda of notify │ revision 2 of 2026-11-20 08:00:00Z" in output


def test_no_address_and_no_name_is_printed() -> None:
    for participant_id in ("prt_0", "prt_1", "prt_2"):
        output = show("edn_1", participant_id)[1]
        assert "example.org" not in output
        assert "Person" not in output


def test_an_unknown_participant_is_an_error_that_names_close_ids() -> None:
    code, output = show("edn_1", "prt_11")
    assert code == 1
    assert "edition 'edn_1' has no participant 'prt_11': it has prt_1" in output


def test_an_unknown_edition_is_an_error_that_names_close_ids() -> None:
    code, output = show("edn_2", "prt_0")
    assert code == 1
    assert "notify has no edition 'edn_2': it knows edn_1 (1 in all)" in output


@pytest.mark.kafka
def test_a_move_that_notify_has_not_received_is_told_with_the_last_mail(
    kafka_bootstrap: str, kafka_idempotence: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERTULIA_KAFKA_BOOTSTRAP", kafka_bootstrap)
    monkeypatch.setenv("TERTULIA_KAFKA_IDEMPOTENCE", str(kafka_idempotence))
    message_id = Delivery(operator_id="op_1", edition_id="edn_1", participant_id="prt_2").message_id(1, "mail.example")
    sent = NotificationRecorded(
        **COMMON,
        revision=1,
        participant_id="prt_2",
        channel=Channel.EMAIL,
        agenda_revision=2,
        state=DeliveryState.SENT,
        message_id=message_id,
    )

    async def publish() -> None:
        settings = Settings()
        await topic_admin.apply(settings)
        broker = make_broker(settings)
        await broker.start()
        await KafkaPublisher(broker).publish(sent, agenda(3, encounter(2, 1), number=2))
        await broker.stop()

    asyncio.run(publish())
    output = show("edn_1", "prt_2")[1]
    assert "edn_1/prt_2: not received the scheduler published agenda revision 3" in output
    assert "notify has revision 2" in output
    assert "newest agenda of the scheduler │ revision 3 of 2026-11-20 08:00:00Z" in output
    assert f"its Message-ID │ {message_id} │" in output
    assert "last mail recorded │ sent at 2026-11-20 08:00:00Z" in output
    assert "its version │ 1, with agenda revision 2" in output
