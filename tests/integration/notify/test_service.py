"""The whole service, as a process: from Kafka through the database to a mail server."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from deploy.embedded.probes import free_ports
from deploy.embedded.programs import service
from deploy.embedded.smtp_sink import mails
from shared.contract import ids
from shared.contract.events import Event
from shared.messaging import topic_admin
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.runtime.settings import ConnectionSettings
from tests.support.notify_stage import agenda, encounter, everybody, participant

#: Slots of ten years, of a quarter of an hour: nothing is mailed for what is over.
COMING = 4 * 24 * 3652

pytestmark = pytest.mark.kafka

SETTINGS = {"TERTULIA_WINDOW_SECONDS": "0.5", "TERTULIA_SWEEP_SECONDS": "1"}


@pytest.fixture
def connection(kafka_bootstrap: str, kafka_idempotence: bool) -> ConnectionSettings:
    return ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)


@pytest.fixture
def notify(
    launch: Callable[..., None], connection: ConnectionSettings, mongo_url: str, mongo_database: str, smtp_sink: Any
) -> None:
    asyncio.run(topic_admin.apply(connection))
    environment = SETTINGS | {
        "TERTULIA_KAFKA_BOOTSTRAP": connection.kafka_bootstrap,
        "TERTULIA_KAFKA_IDEMPOTENCE": str(connection.kafka_idempotence).lower(),
        "TERTULIA_MONGO_URL": mongo_url,
        "TERTULIA_MONGO_DATABASE": mongo_database,
        "TERTULIA_SMTP_HOST": smtp_sink.host,
        "TERTULIA_SMTP_PORT": str(smtp_sink.port),
    }
    [port] = free_ports(1)
    launch(service("notify", port, environment))


async def test_an_agenda_is_one_mail_and_a_change_another(
    notify: None, connection: ConnectionSettings, smtp_sink: Any
) -> None:
    edition_id = ids.new_id("edn")
    address, later = (f"{ids.new_id(name)}@example.org" for name in ("ana", "bea"))

    def here(*events: Event) -> list[Event]:
        return [event.model_copy(update={"edition_id": edition_id}) for event in events]

    broker = make_broker(connection)
    await broker.start()
    publisher = KafkaPublisher(broker)
    await publisher.publish(*here(agenda(1, encounter(COMING, 1)), *everybody(3), participant(0, 2, email=address)))
    [first] = await _mails(smtp_sink.directory, address, 1)
    await publisher.publish(
        *here(agenda(1, encounter(COMING, 1)), agenda(2, encounter(COMING + 4, 1), encounter(COMING + 5, 2)))
    )
    await _mails(smtp_sink.directory, address, 2)
    # A later mail to another participant shows that no third mail is on its way.
    await publisher.publish(*here(agenda(1, encounter(COMING + 4, 1), number=3), participant(3, email=later)))
    await _mails(smtp_sink.directory, later, 1)
    [_, second] = mails(smtp_sink.directory, address)
    await broker.stop()
    assert _calendar(first) == {"enc_1": 8}
    assert _calendar(second) == {"enc_1": 9, "enc_2": 9}


async def _mails(directory: Path, address: str, count: int) -> list[Path]:
    """Wait until a number of mails to an address have come, for half a minute at most."""
    async with asyncio.timeout(30):
        while len(found := mails(directory, address)) < count:
            await asyncio.sleep(0.1)
    return found


def _calendar(file: Path) -> dict[str, int]:
    """Return the hours (UTC) of the events in a mail's calendar, by entry id."""
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    [part] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    events = Calendar.from_ical(part.get_content()).events
    return {str(event["UID"]).partition("@")[0]: event.DTSTART.hour for event in events}
