"""The printed access rules on Apache Kafka with its authorizer: they allow the services' jobs and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from typer.testing import CliRunner

from deploy.embedded.probes import free_ports
from services.events import app as events
from services.events.settings import Settings as EventsSettings
from services.matching import app as matching
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.encoders import use_encoder
from services.matching.observatory.leiden import communities
from services.matching.profile_help import ProfileHelp
from services.matching.settings import Settings as MatchingSettings
from services.matching.vocabulary import labels, vocabulary
from services.notify import app as notify
from services.notify.rendering.mail import MailWriter
from services.notify.settings import Settings as NotifySettings
from services.portal import app as portal
from services.portal.registration import RegistrationProxy
from services.portal.settings import Settings as PortalSettings
from services.registration import app as registration
from services.registration.internal_clients import no_clients
from services.registration.keys import OperatorKey, digest_of
from services.registration.operator_store import MongoOperators
from services.registration.settings import Settings as RegistrationSettings
from services.scheduler import app as scheduler
from services.scheduler.settings import Settings as SchedulerSettings
from shared.app import Infrastructure, Runtime
from shared.contract.topics import AGENDA, ENCOUNTER, REGISTRATION, TOPICS, group_of
from shared.messaging import access_rules, topic_admin
from shared.messaging.access_rules import Operation
from shared.messaging.broker import client_options, make_broker
from shared.messaging.dead_letter_admin import letters
from shared.runtime.clock import utc_now
from tertulia.topics import app as command_line
from tests.support.in_memory.mongo import InMemoryMongo, MongoClient
from tests.support.notify_stage import FakeMailer
from tests.support.registration_api import OPERATORS, EditionHarness, client_of, coming_edition_body
from tests.support.scheduler_service import ControlledSolver
from tests.support.secured_kafka import SecuredKafka
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.apache_kafka]
SERVICES = access_rules.services()
READER = "crm"


@pytest.fixture(scope="module")
def secured(launch: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> SecuredKafka:
    """Start a secured broker, create the topics as its administrator, and feed the printed rules to `kafka-acls`."""
    secured = SecuredKafka.of(free_ports(1)[0], tmp_path_factory.mktemp("secured"), [*SERVICES, READER])
    launch(asyncio.run(secured.program()))
    asyncio.run(topic_admin.apply(secured.connection("admin")))
    options = ["acls", "--reader", READER, "--config-file", str(secured.admin_properties())]
    environment = {"TERTULIA_KAFKA_BOOTSTRAP": f"127.0.0.1:{secured.port}"}
    printed = CliRunner().invoke(command_line, options, env=environment)
    secured.run_in_shell(printed.stdout)
    return secured


@contextlib.asynccontextmanager
async def producer_of(secured: SecuredKafka, user: str) -> AsyncIterator[AIOKafkaProducer]:
    """Connect a producer. An idempotent producer could not start for a user without any right to write."""
    async with AIOKafkaProducer(**client_options(secured.connection(user)), acks="all") as producer:
        yield producer


@contextlib.asynccontextmanager
async def consumer_of(secured: SecuredKafka, user: str, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """Connect a consumer, in a group or in none."""
    options = client_options(secured.connection(user))
    async with AIOKafkaConsumer(**options, group_id=group, auto_offset_reset="earliest") as consumer:
        yield consumer


async def may_write(secured: SecuredKafka, user: str, topic: str) -> bool:
    """Write a record that is no event; tell whether the broker took it."""
    async with producer_of(secured, user) as producer:
        try:
            await producer.send_and_wait(topic, b"not an event", key=b"edn_none/thing/x")
        except TopicAuthorizationFailedError:
            return False
    return True


async def may_read(secured: SecuredKafka, user: str, topic: str) -> bool:
    """Fetch from a topic; tell whether the broker lets the user."""
    async with consumer_of(secured, user) as consumer:
        if topic not in await consumer.topics():  # a topic that the user may not describe is not shown
            return False
        consumer.assign([TopicPartition(topic, 0)])
        try:
            await consumer.getmany(timeout_ms=300)
        except TopicAuthorizationFailedError:
            return False
    return True


class Services:
    """The services on the secured broker, each as its own user, with a database and a mail server in memory."""

    def __init__(self, secured: SecuredKafka) -> None:
        self._secured = secured
        self._mongo = InMemoryMongo()
        self.mailer = FakeMailer()
        models = matching.Models(
            scorers=[NgramScorer()],
            default=NgramScorer(),
            quality=None,
            helper=ProfileHelp(use_encoder, vocabulary),
            communities=communities,
            labels=labels,
        )
        rapid: dict[str, Any] = {"sweep_seconds": 0.5, "batch_every_ms": 0}
        mails = NotifySettings(
            **secured.options("notify"),
            **rapid,
            window_seconds=0.2,
            window_longest_seconds=1,
            deliver_every_seconds=0.2,
        )
        plans = SchedulerSettings(
            **secured.options("scheduler"), **rapid, improve_every_seconds=0.5, announce_seconds=1, quiet_seconds=0.1
        )
        scores = MatchingSettings(**secured.options("matching"), **rapid)
        pages = PortalSettings(**secured.options("portal"), **rapid)
        feeds = EventsSettings(**secured.options("events"), **rapid)
        registrations = RegistrationSettings(**secured.options("registration"), **rapid)
        self.registration = registration.assemble(registrations, self._infrastructure("registration"), no_clients())
        self._runtimes: list[Runtime] = [
            self.registration.runtime,
            matching.assemble(scores, self._infrastructure("matching"), models).runtime,
            scheduler.assemble(plans, self._infrastructure("scheduler"), ControlledSolver()).runtime,
            notify.assemble(mails, self._infrastructure("notify"), self.mailer, MailWriter(mails, utc_now)).runtime,
            portal.assemble(pages, self._infrastructure("portal"), RegistrationProxy(None)).runtime,
            events.assemble(feeds, self._infrastructure("events")).runtime,
        ]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[EditionHarness]:
        """Run the services; yield an edition with participants that is registered over the API."""
        async with contextlib.AsyncExitStack() as stack:
            for runtime in self._runtimes:
                await stack.enter_async_context(runtime.lifespan())
            operators = MongoOperators(MongoClient(self._mongo, utc_now).database(RegistrationSettings().database))
            await operators.add("itecam", "itecam", OperatorKey(digest_of(OPERATORS["itecam"])))
            api = await stack.enter_async_context(client_of(self.registration.context, "itecam"))
            body = coming_edition_body(affinity_version="1", consent_policy="requester")
            yield await EditionHarness(api).set_up(body)

    def _infrastructure(self, user: str) -> Infrastructure:
        return Infrastructure(make_broker(self._secured.connection(user)), MongoClient(self._mongo, utc_now))


async def test_services_do_their_jobs_with_their_own_rights_alone(secured: SecuredKafka) -> None:
    """From registration over matching and the scheduler to the mail; a poisonous record becomes three dead letters."""
    services = Services(secured)
    async with services.running() as edition:
        async with producer_of(secured, "registration") as producer:
            await producer.send_and_wait(REGISTRATION.name, b"poison", key=f"{edition.edition_id}/thing/x".encode())
        await edition.request(0, 2)
        await edition.patch({"phase": "published"})
        mailed = {"a1@x.example", "a2@x.example"}
        await wait_until(lambda: mailed <= {mail.recipient for mail in services.mailer.accepted}, seconds=60)
    found = await letters(secured.connection("admin"))
    consumers = {letter.origin.consumer for letter in found if letter.origin.topic == REGISTRATION.name}
    assert consumers == {group_of(service) for service in REGISTRATION.consumers}
    async with consumer_of(secured, READER, f"{READER}-desk") as outside:
        outside.subscribe([AGENDA.name, ENCOUNTER.name])
        assert (await outside.getone()).topic in {AGENDA.name, ENCOUNTER.name}
        await outside.commit()


async def test_a_user_reads_and_writes_the_topics_of_its_rules_and_no_topic_else(secured: SecuredKafka) -> None:
    """Every user and topic, dead letters included: neither notify nor a reader forges a registration or an agenda."""
    rules = access_rules.rules_of_all({}, {READER: f"User:{READER}"})
    allowed = {(rule.principal.removeprefix("User:"), rule.operation, rule.name) for rule in rules}
    topics = [name for topic in TOPICS for name in (topic.name, topic.dlq)]
    for user in (*SERVICES, READER):
        writes = await asyncio.gather(*(may_write(secured, user, topic) for topic in topics))
        reads = await asyncio.gather(*(may_read(secured, user, topic) for topic in topics))
        assert writes == [(user, Operation.WRITE, topic) in allowed for topic in topics]
        assert reads == [(user, Operation.READ, topic) in allowed for topic in topics]
    for user in ("notify", READER):
        assert not {(user, Operation.WRITE, topic.name) for topic in (REGISTRATION, AGENDA)} & allowed
    assert {name for user, _, name in allowed if user == READER} == {AGENDA.name, ENCOUNTER.name, f"{READER}-"}


@pytest.mark.parametrize("group", ["tertulia-notify", "crmx"])
async def test_a_reader_joins_groups_with_its_own_prefix_only(secured: SecuredKafka, group: str) -> None:
    """A member of a service's group would be given partitions, and could commit offsets for the service."""
    consumer = AIOKafkaConsumer(AGENDA.name, **client_options(secured.connection(READER)), group_id=group)
    with pytest.raises(GroupAuthorizationFailedError):
        await consumer.start()
    await consumer.stop()


@pytest.mark.parametrize("user", [*SERVICES, READER])
async def test_the_administrator_alone_creates_and_deletes_topics(secured: SecuredKafka, user: str) -> None:
    admin = AIOKafkaAdminClient(**client_options(secured.connection(user)))
    await admin.start()
    created = await admin.create_topics([NewTopic("own.v1", num_partitions=1, replication_factor=1)])
    deleted = await admin.delete_topics([AGENDA.name])
    await admin.close()
    assert all(code for _, code, *_ in created.topic_errors)
    assert all(code for _, code in deleted.topic_error_codes)


async def test_a_wrong_password_connects_to_nothing(secured: SecuredKafka) -> None:
    producer = AIOKafkaProducer(**client_options(secured.connection("notify")) | {"sasl_plain_password": "guess"})
    with pytest.raises(KafkaError):
        await producer.start()
    await producer.stop()
