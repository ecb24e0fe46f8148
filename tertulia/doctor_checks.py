"""The checks of `tertulia doctor`. A check asks a server, or reads settings, and returns findings."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import Any

import httpx

from services import SERVICES
from shared.contract.topics import group_of, topics_of
from shared.messaging import dead_letter_admin, topic_admin, topic_log
from shared.messaging.broker import client_options
from shared.messaging.broker_watch import BrokerQuestion
from shared.runtime.clock import utc_now
from shared.runtime.settings import ConnectionSettings, ServiceSettings, variables
from tertulia.connections import Backend, check

#: Difference of clocks from which on mails and horizons are wrong by more than people notice.
_CLOCK_SECONDS = 5.0
#: Records behind the end at which a group is worth a look.
_LAG = 1000
_ANSWER_SECONDS = 5.0
#: Services whose journal has a fence, by a unique index.
_JOURNALLED = ("matching", "scheduler", "notify")


class Verdict(StrEnum):
    """The outcome of a check. Only `wrong` makes the command fail."""

    FINE = "fine"
    UNKNOWN = "not asked"
    WRONG = "wrong"


@dataclass(frozen=True)
class Diagnosis:
    """A finding of a check, with its runbook."""

    part: str
    verdict: Verdict
    detail: str
    runbook: str = ""


Check = Callable[[ConnectionSettings], Awaitable[list[Diagnosis]]]


def wrong(part: str, detail: str, runbook: str) -> Diagnosis:
    """Return a finding of something wrong, with the name of its page in `deploy/runbooks`."""
    return Diagnosis(part, Verdict.WRONG, detail, f"deploy/runbooks/{runbook}.md")


def fine(part: str, detail: str) -> Diagnosis:
    """Return a finding of something as it should be."""
    return Diagnosis(part, Verdict.FINE, detail)


async def examine(settings: ConnectionSettings) -> list[Diagnosis]:
    """Run all checks side by side. A failed check is a finding itself."""
    parts: list[tuple[str, str, Check]] = [
        ("settings", "part-missing", settings_are_set),
        ("database", "database-away", database),
        ("relay", "mail-server-away", relay),
        ("services", "service-down", services_answer),
    ]
    broker = await _guarded("broker", "broker-silent", broker_answers, settings)
    if all(finding.verdict is Verdict.FINE for finding in broker):
        parts += [
            ("topics", "changes-unsent", topics),
            ("groups", "changes-wait", groups),
            ("dead letters", "dead-letters", dead_letters),
        ]
    found = await asyncio.gather(*(_guarded(part, page, check, settings) for part, page, check in parts))
    return [*broker, *(finding for findings in found for finding in findings), _rights()]


async def _guarded(part: str, page: str, ask: Check, settings: ConnectionSettings) -> list[Diagnosis]:
    try:
        async with asyncio.timeout(4 * _ANSWER_SECONDS):
            return await ask(settings)
    except Exception as error:  # noqa: BLE001 - whatever fails is what the reader has to know
        reason = str(error).splitlines()[0].partition(", Timeout:")[0] if str(error) else type(error).__name__
        return [wrong(part, f"could not be asked: {reason}", page)]


def settings_of(service: str) -> ServiceSettings | None:
    """Return the settings of a service as they are here; None where its package is not installed."""
    try:
        module = importlib.import_module(f"services.{service}.settings")
    except ImportError:
        return None
    settings: ServiceSettings = module.Settings()
    return settings


async def broker_answers(settings: ConnectionSettings) -> list[Diagnosis]:
    """Ask the broker for an answer to anything: a frozen broker still accepts connections."""
    await check(Backend.BROKER, settings)
    question = BrokerQuestion(settings)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await question()
    except TimeoutError:
        seconds = f"{_ANSWER_SECONDS:g} s"
        return [
            wrong("broker", f"{settings.kafka_bootstrap} accepts connections, no answer in {seconds}", "broker-silent")
        ]
    finally:
        await question.close()
    return [fine("broker", f"{settings.kafka_bootstrap} answers")]


async def settings_are_set(_: ConnectionSettings) -> list[Diagnosis]:
    """Find settings without which a part of the API answers 503, in the environment of this command."""
    found = []
    for service in SERVICES:
        settings = settings_of(service)
        if settings is None:
            continue
        unset = [f"{variable} ({part})" for variable, part in settings.unset.items()]
        text = f"{service}: not set here: {', '.join(unset)}"
        found.append(wrong("settings", text, "part-missing") if unset else fine("settings", f"{service}: all set"))
    return found


async def database(settings: ConnectionSettings) -> list[Diagnosis]:
    """Ask the database for its clock, its version, its write concern and the fences of the journals."""
    from shared.storage.mongo import Mongo  # noqa: PLC0415 - drivers load slowly

    mongo = Mongo(settings.model_copy(update={"mongo_timeout_seconds": _ANSWER_SECONDS}))
    try:
        asked = utc_now()
        hello = await mongo.database("admin").command("hello")
        ahead = (hello["localTime"].replace(tzinfo=UTC) - asked).total_seconds()
        found = [_clock(ahead), _write_concern(mongo.database("tertulia").write_concern.document, hello)]
        for service in _JOURNALLED:
            known = settings_of(service)
            name = known.database if known else f"tertulia_{service}"
            found.append(_fence(name, await mongo.database(name)["journal"].index_information()))
        return found
    finally:
        await mongo.close()


def _clock(ahead: float) -> Diagnosis:
    if abs(ahead) > _CLOCK_SECONDS:
        return wrong("clock", f"the database's clock differs from this machine's by {ahead:+.0f} s: mend NTP", "slow")
    return fine("clock", f"within {_CLOCK_SECONDS:.0f} s of the database's")


def _write_concern(concern: dict[str, Any], hello: dict[str, Any]) -> Diagnosis:
    wanted = concern.get("w")
    if wanted != "majority":
        return wrong("write concern", f"w={wanted} in {variables('mongo_url')}: remove it", "database-away")
    name = hello.get("setName")
    return fine("write concern", f"majority of {name}" if name else "majority (one node, no replica set)")


def _fence(database_name: str, indexes: dict[str, Any]) -> Diagnosis:
    if not indexes:
        return Diagnosis("indexes", Verdict.UNKNOWN, f"{database_name}: no journal yet")
    has_fence = any(
        index.get("unique") and [field for field, _ in index["key"]] == ["edition_id", "seq"]
        for index in indexes.values()
    )
    if has_fence:
        return fine("indexes", f"{database_name}: the fence of the journal is there")
    detail = f"{database_name}: journal has no unique index of edition_id and seq: restart the service, which makes it"
    return wrong("indexes", detail, "rebalances")


async def topics(settings: ConnectionSettings) -> list[Diagnosis]:
    """Compare the topics with their declarations."""
    differences = await topic_admin.diff(settings)
    found = [
        wrong(
            "topics",
            f"{d.topic}: {d.detail}" + ("; `tertulia topics apply` mends it" if d.mended_by_apply else ""),
            "changes-unsent",
        )
        for d in differences
    ]
    return found or [fine("topics", "as declared")]


async def groups(settings: ConnectionSettings) -> list[Diagnosis]:
    """Ask for the lags of the groups by the broker's offsets, which outlast the services."""
    from aiokafka import AIOKafkaConsumer, TopicPartition  # noqa: PLC0415
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415

    admin = AIOKafkaAdminClient(**client_options(settings))
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, auto_offset_reset="latest")
    await admin.start()
    try:
        await consumer.start()
        found = []
        for service in SERVICES:
            names = [topic.name for topic in topics_of(service)]
            partitions = [TopicPartition(name, number) for name in names for number in range(settings.kafka_partitions)]
            if not partitions:
                continue
            consumer.assign(partitions)
            ends = await topic_log.end_offsets(consumer, partitions)
            committed = await admin.list_consumer_group_offsets(group_of(service), partitions=partitions)
            found.append(_lag(service, ends, {partition: offset.offset for partition, offset in committed.items()}))
        return found
    finally:
        await consumer.stop()
        await admin.close()


def _lag(service: str, ends: dict[Any, int], committed: dict[Any, int]) -> Diagnosis:
    behind = {partition: max(0, end - max(0, committed.get(partition, -1))) for partition, end in ends.items()}
    total = sum(behind.values())
    if total < _LAG:
        return fine("groups", f"{group_of(service)}: {total} records behind")
    worst = max(behind, key=lambda partition: behind[partition])
    detail = f"{group_of(service)}: {total} records behind, {behind[worst]} of them in {worst.topic}/{worst.partition}"
    return wrong("groups", detail, "changes-wait")


async def dead_letters(settings: ConnectionSettings) -> list[Diagnosis]:
    """Count the dead letters that wait, by topic and cause."""
    counts: dict[str, int] = {}
    for letter in await dead_letter_admin.letters(settings):
        name = f"{letter.origin.topic} {letter.origin.cause}"
        counts[name] = counts.get(name, 0) + 1
    found = [
        wrong("dead letters", f"{name}: {count}; see `tertulia dlq list`", "dead-letters")
        for name, count in sorted(counts.items())
    ]
    return found or [fine("dead letters", "none")]


async def relay(_: ConnectionSettings) -> list[Diagnosis]:
    """Ask the mail server for its greeting. No mail is sent."""
    settings: Any = settings_of("notify")
    if settings is None:
        return [Diagnosis("relay", Verdict.UNKNOWN, "notify is not installed here")]
    address = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(settings.smtp_host, settings.smtp_port)
            greeting = (await reader.readline()).decode("ascii", "replace").strip()
            writer.write(b"QUIT\r\n")
            writer.close()
    except (OSError, TimeoutError):
        return [wrong("relay", f"no mail server answers at {address}", "mail-server-away")]
    if not greeting.startswith("220"):
        return [wrong("relay", f"{address} refuses connections: {greeting[:100]}", "mail-server-away")]
    return [fine("relay", f"{address} answers")]


async def services_answer(_: ConnectionSettings) -> list[Diagnosis]:
    """Ask the services with a known address whether they are ready, and for their version."""
    found: list[Diagnosis] = []
    versions: dict[str, set[str]] = {}
    async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:
        for service, address in _addresses().items():
            found += await _service(client, service, address, versions)
    if len(versions) > 1:
        listed = "; ".join(f"{version}: {', '.join(sorted(names))}" for version, names in sorted(versions.items()))
        found.append(wrong("versions", listed, "versions"))
    return found or [Diagnosis("services", Verdict.UNKNOWN, "no address of a service is set here")]


def _addresses() -> dict[str, str]:
    """Return the addresses of services in the settings of registration and the portal."""
    named: dict[str, str] = {}
    for holder in ("registration", "portal"):
        settings = settings_of(holder)
        for service in SERVICES:
            address = getattr(settings, f"{service}_url", "") if settings else ""
            if address:
                named[service] = str(address).rstrip("/")
    return named


async def _service(
    client: httpx.AsyncClient, service: str, address: str, versions: dict[str, set[str]]
) -> list[Diagnosis]:
    try:
        ready, metrics = await client.get(f"{address}/readyz"), await client.get(f"{address}/metrics")
    except httpx.HTTPError as error:
        return [wrong("services", f"{service} does not answer at {address}: {type(error).__name__}", "service-down")]
    for version in _versions(metrics.text.splitlines()):
        versions.setdefault(version, set()).add(service)
    if ready.is_success:
        return [fine("services", f"{service} is ready")]
    try:
        missing = ready.json()["missing"]
    except (ValueError, KeyError):
        return [Diagnosis("services", Verdict.UNKNOWN, f"{service} answers; probes are on another port")]
    reasons = "; ".join(f"{part}: {reason}" for part, reason in missing.items())
    return [wrong("services", f"{service} is not ready: {reasons}", "part-missing")]


def _versions(lines: Iterable[str]) -> set[str]:
    named = [line.partition('version="')[2].partition('"')[0] for line in lines if "tertulia_build_info{" in line]
    return {version for version in named if version}


def _rights() -> Diagnosis:
    detail = "the client cannot ask for access rules: compare `kafka-acls --list` with `tertulia topics acls`"
    return Diagnosis("rights", Verdict.UNKNOWN, detail, "deploy/runbooks/forged-records.md")
