"""The proof of an erasure: no byte of the person is left in any collection or topic, and everything still works."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import bson
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner

from deploy.embedded.stack import Stack
from services import SERVICES
from services.registration.operators import add_operator
from services.registration.settings import Settings
from shared.contract.topics import REGISTRATION, TOPICS
from shared.messaging import topic_log
from shared.runtime.clock import utc_now
from shared.storage.mongo import Mongo
from shared.storage.rebuild import digest
from tertulia.cli import app
from tertulia.rebuild import rebuilder_of, run
from tests.support.registration_api import ANY_REVISION, coming_edition_body, organisation_body, participant_body
from tests.support.text_encodings import texts_in
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.apache_kafka, pytest.mark.timeout(400)]

SETTINGS = {
    "TERTULIA_QUIET_SECONDS": "0.3",
    "TERTULIA_ANNOUNCE_SECONDS": "1",
    "TERTULIA_OPERATOR_REQUESTS_PER_SECOND": "1000",
    "TERTULIA_OPERATOR_REQUEST_BURST": "10000",
}
#: Compaction within seconds: small segments that are closed at once, and no wait for dirt.
FAST_COMPACTION = {
    "cleanup.policy": "compact",
    "segment.ms": "500",
    "max.compaction.lag.ms": "500",
    "min.cleanable.dirty.ratio": "0.0",
    "delete.retention.ms": "100",
}
PEOPLE = 6
ZACA: dict[str, Any] = {
    "name": "Zacarías Ibáñez Muñiz",
    "email": "zacarias.ibanez@quimeras.example",
    "phone": "+34926777888",
    "job_title": "Soplador de vidrio",
    "external_id": "EXT-98765-Z",
    "profile": {"offers": ["Vidrio soplado borosilicato"], "needs": ["Hornos de inducción"]},
}
QUIMERAS: dict[str, Any] = {
    "name": "Quimeras y Alambiques",
    "website": "https://www.quimeras.example/alambique",
    "description": "Destilamos quimeras desde 1871",
    "phone": "+34926111999",
    "booth": "PABELLÓN-K77",
}
HIDDEN = (
    *(ZACA[field] for field in ("name", "email", "phone", "job_title", "external_id")),
    *ZACA["profile"]["offers"],
    *ZACA["profile"]["needs"],
    *QUIMERAS.values(),
    "quimeras.example",
    "Zacarías",
)


class AnnouncedEdition:
    """An edition of six participants whose agendas are mailed; the first participant is the given person, if any."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self._api = api
        self.path = ""
        self.edition_id = ""
        self.organisations: list[str] = []
        self.people: list[str] = []

    async def post(self, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self._api.post(path, json=body)
        assert answer.is_success, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def set_up(self, organisation: dict[str, Any], person: dict[str, Any]) -> AnnouncedEdition:
        body = coming_edition_body(consent_policy="requester")
        self.edition_id = (await self.post("/editions", body))["edition_id"]
        self.path = f"/editions/{self.edition_id}"
        for number in range(PEOPLE):
            of_organisation = organisation_body(**{"name": f"Empresa {number}", **({} if number else organisation)})
            made = await self.post(f"{self.path}/organisations", of_organisation)
            self.organisations.append(made["organisation_id"])
            named = {"name": f"P {number}", "email": f"p{number}@x.example", **({} if number else person)}
            body = participant_body(made["organisation_id"], **named)
            self.people.append((await self.post(f"{self.path}/participants", body))["participant_id"])
        for requester, target in itertools.combinations(self.people, 2):
            await self.post(f"{self.path}/match-requests", {"requester_id": requester, "target_id": target})
        await self.move_to("published")
        await wait_until(self._is_placed, 60)
        return self

    async def move_to(self, phase: str) -> None:
        answer = await self._api.patch(self.path, json={"phase": phase}, headers=ANY_REVISION, params={"token": "*"})
        assert answer.is_success, answer.text

    async def figures(self) -> dict[str, Any]:
        """Return the encounters with their places and states, and the numbers of parties and requests."""
        encounters = (await self._api.get(f"{self.path}/encounters")).json()["items"]
        lists = [
            (await self._api.get(f"{self.path}/{kind}")).json()["items"]
            for kind in ("participants", "organisations", "match-requests")
        ]
        by_id = {one["encounter_id"]: (one["state"], one["place"], one["participant_ids"]) for one in encounters}
        return {"encounters": by_id, "counts": [len(found) for found in lists], "requests": lists[2]}

    async def _is_placed(self) -> bool:
        encounters = (await self._api.get(f"{self.path}/encounters")).json()["items"]
        return sum(encounter["place"] is not None for encounter in encounters) == math.comb(PEOPLE, 2)


async def stored_bytes(settings: Settings) -> list[tuple[str, bytes]]:
    """Return the documents of every collection of every database, as BSON."""
    mongo = Mongo(settings)
    try:
        found = []
        for name in await mongo._client.list_database_names():
            database = mongo.database(name)
            for collection in await database.list_collection_names():
                documents = [part async for document in database[collection].find({}) for part in parts_of(document)]
                found.append((f"{name}.{collection}", b"\n".join(documents)))
        return found
    finally:
        await mongo.close()


def parts_of(document: dict[str, Any]) -> Iterator[bytes]:
    """Yield a document as BSON, then its compressed fields (snapshots of journals) as they are unpacked."""
    yield bson.encode(document)
    for value in document.values():
        if isinstance(value, bytes):
            with contextlib.suppress(zlib.error):
                yield zlib.decompress(value)


async def published_bytes(settings: Settings) -> list[tuple[str, bytes]]:
    """Return keys, headers and bodies of all records of all topics, dead letters included."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        letters = [TopicPartition(topic.dlq, 0) for topic in TOPICS]
        partitions = [*await topic_log._partitions(settings, TOPICS), *letters]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await topic_log.end_offsets(consumer, partitions)
        return [
            (
                record.topic,
                b"\n".join([record.key or b"", record.value or b"", *(value for _, value in record.headers)]),
            )
            async for record in topic_log.records(consumer, ends)
        ]
    finally:
        await consumer.stop()


async def compact(settings: Settings) -> None:
    """Have the broker compact registration.v1 within seconds, and close the segments in use by further records."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    await producer.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, REGISTRATION.name, FAST_COMPACTION)])
        for _ in range(2):
            await asyncio.sleep(0.6)  # longer than a segment's time: the next record begins a segment
            for partition in await producer.partitions_for(REGISTRATION.name):
                await producer.send_and_wait(REGISTRATION.name, b"{}", key=b"filler", partition=partition)
    finally:
        await producer.stop()
        await admin.close()


async def hidden_in(settings: Settings) -> list[str]:
    return texts_in([*await stored_bytes(settings), *await published_bytes(settings)], HIDDEN)


@pytest.fixture
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


async def erase(edition: AnnouncedEdition, settings: Settings) -> None:
    """Erase a person and an organisation, and wait until every service has emptied its stores."""
    await edition.post(f"{edition.path}/participants/{edition.people[0]}/erasure")
    await edition.post(f"{edition.path}/organisations/{edition.organisations[0]}/erasure")

    async def in_stores() -> list[str]:
        return texts_in(await stored_bytes(settings), HIDDEN)

    await until_nothing_is_left(in_stores, 30)


async def until_nothing_is_left(search: Callable[[], Awaitable[list[str]]], seconds: float) -> None:
    """Return once a search finds nothing; fail with the last findings."""
    left: list[str] = []

    async def is_gone() -> bool:
        left[:] = await search()
        return not left

    try:
        await wait_until(is_gone, seconds)
    except TimeoutError:
        pytest.fail("still found: " + "; ".join(left))


def command(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "240"})
    assert done.exit_code == 0, done.output
    return done.output


async def test_no_byte_of_an_erased_person_is_left_after_compaction(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path / "runs", broker="kafka", settings=SETTINGS)
    for name, value in (stack.environment | {"TERTULIA_MONGO_URL": stack.addresses["mongo"]}).items():
        environment.setenv(name, value)
    async with stack:
        settings = Settings()
        key = await add_operator(settings, "itecam", "Itecam")
        async with httpx.AsyncClient(
            base_url=f"{stack.addresses['registration']}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30
        ) as api:
            erased = await stack.unless_crashed(AnnouncedEdition(api).set_up(QUIMERAS, ZACA))
            untouched = await stack.unless_crashed(AnnouncedEdition(api).set_up({}, {}))
            await erased.move_to("closed")
            announced_at = utc_now().isoformat()
            before = [await edition.figures() for edition in (erased, untouched)]
            assert {found.partition(": ")[2] for found in await hidden_in(settings)} == set(HIDDEN)
            await erase(erased, settings)
            assert [await edition.figures() for edition in (erased, untouched)] == before
            for service in SERVICES:
                await stack.kill(service)
            await compact(settings)

            await until_nothing_is_left(lambda: hidden_in(settings), 90)
            for service in SERVICES:
                outcome = await run(rebuilder_of(service), f"{service}_beside")
                for rebuilt, live in outcome.views.values():
                    assert digest(rebuilt) == digest(live), service
            assert await hidden_in(settings) == []
            agenda = await asyncio.to_thread(command, "agenda", erased.edition_id, "--at", announced_at)
            assert erased.people[0] in agenda
            assert erased.people[1] in agenda
