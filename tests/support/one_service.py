"""One service between Kafka and MongoDB in memory, in virtual time: it consumes records to the end of the topics."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.state import Audience
from services.notify.ports import RenderedMail
from shared.contract.cloudevents import Record, encode
from shared.contract.events import Event
from shared.contract.topics import TOPICS
from shared.messaging.dead_letters import DeadLetterOrigin
from shared.runtime.clock import utc_now
from shared.runtime.settings import PARTITIONS
from shared.storage.rebuild import View
from tertulia.rebuild import rebuilder_of
from tests.simulation.faults import NoFaults
from tests.simulation.loop import run_virtually
from tests.simulation.services import Environment, RunningService
from tests.simulation.smtp import MailServer, plain
from tests.simulation.world import START
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.mongo import InMemoryMongo, MongoClient
from tests.support.in_memory.process import Process

#: Virtual time for a service to handle a part of the records, and to send the mails that they cause.
_SECONDS = 60


@dataclass
class Outcome:
    """The outcome of a run: dead letters, mail addresses, the state, and the events that the service published."""

    letters: list[DeadLetterOrigin] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    state: View = field(default_factory=dict)
    published: list[Record] = field(default_factory=list)

    @property
    def lettered_keys(self) -> list[str]:
        """The keys of the dead-lettered records, in order."""
        return [letter.shown_key for letter in self.letters]


def consumed_by(service: str, *parts: Sequence[Event | Record], edition_id: str = "edn_1") -> Outcome:
    """Run a service on recordsin order of the parts, and return the outcome."""
    outcome = Outcome()

    def render(audience: Audience, delivery: Delivery, mailing: Mailing) -> RenderedMail:
        mail = plain(audience, delivery, mailing)
        outcome.addresses.append(mail.recipient)
        return mail

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def now() -> datetime:
            return START + timedelta(milliseconds=int(loop.time() * 1000))

        chance = random.Random(1)  # noqa: S311 - no secret
        kafka, mongo = InMemoryKafka(PARTITIONS, START.timestamp(), chance), InMemoryMongo()
        outside = Environment(kafka, mongo, MailServer(), now, chance, render)
        running = RunningService(Process(service, 1, NoFaults(chance), []), outside)
        async with running.lifespan():
            for part in parts:
                _append(kafka, part)
                await asyncio.sleep(_SECONDS)
        rebuilder = rebuilder_of(service)
        database = MongoClient(mongo, utc_now).database(rebuilder.settings.database)
        outcome.state = await rebuilder.view(database, edition_id)
        for topic in TOPICS:
            outcome.letters += filter(None, map(DeadLetterOrigin.of, kafka.records(topic.dlq)))
            if topic.source == service:
                records = kafka.records(topic.name)
                outcome.published += [Record(topic.name, r.key, list(r.headers), r.value) for r in records]

    run_virtually(run)
    return outcome


def _append(kafka: InMemoryKafka, part: Iterable[Event | Record]) -> None:
    for item in part:
        record = encode(item) if isinstance(item, Event) else item
        kafka.append(record.topic, record.key, record.headers, record.value)
