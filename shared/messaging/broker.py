"""The only `KafkaBroker(...)` of the project, with settings that lose no record, and its publisher."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError
from aiokafka.partitioner import murmur2
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.contract.cloudevents import Record, encode
from shared.contract.events import Event
from shared.runtime.metrics import PUBLISHED
from shared.runtime.settings import ConnectionSettings

#: Above the largest agenda or profile, and equal to the default limit of a broker.
MAX_RECORD_BYTES = 1_048_576
#: A dead letter holds a whole record, which may have the largest size, and headers with its origin and the reason.
MAX_LETTER_BYTES = 2 * MAX_RECORD_BYTES


def partition_of(key: bytes | None, all_partitions: Sequence[int], _available: Sequence[int] = ()) -> int:
    """Return the partition of a record key `<edition>/<kind>/<id>`: Kafka's usual hash, of the edition alone."""
    edition, _, _ = (key or b"").partition(b"/")
    hashed: int = murmur2(edition) & 0x7FFFFFFF
    return all_partitions[hashed % len(all_partitions)]


_send = AIOKafkaConnection.send


def _send_or_break(connection: AIOKafkaConnection, *request: Any, **options: Any) -> Any:  # noqa: ANN401 - it ships no types
    """Send a request, or raise `KafkaConnectionError` for a broken connection.

    On uvloop, a write to a connection that was just reset raises RuntimeError; on asyncio's own loop it raises nothing.
    aiokafka 0.14 expects only OSError. An unexpected error ends its fetching task: the consumer then stays in its group
    and keeps its partitions, but gets no more records.
    """
    try:
        return _send(connection, *request, **options)
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"the connection is broken: {error}") from error


AIOKafkaConnection.send = _send_or_break


def make_broker(settings: ConnectionSettings) -> KafkaBroker:
    """Return a broker whose writes reach all replicas and are not duplicated by retries. It creates no topics."""
    return KafkaBroker(
        settings.kafka_servers,
        client_id="tertulia",
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        partitioner=partition_of,
        linger_ms=2,
        max_request_size=MAX_LETTER_BYTES,
        request_timeout_ms=20_000,
        allow_auto_create_topics=False,
        graceful_timeout=15.0,
        security=_security(settings),
        apply_types=False,
        logger=logging.getLogger("faststream"),
    )


class KafkaPublisher:
    """Publishes through the broker: enqueues records in order, then awaits all acknowledgements."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker

    async def publish(self, *events: Event) -> None:
        """Send events in order, and return once the broker has acknowledged all of them.

        Raises:
            KafkaError: at least one event was not acknowledged, and any of them may have arrived. Send them again.
        """
        await self.send([encode(event) for event in events])

    async def send(self, records: Sequence[Record]) -> None:
        """Publish records that are already encoded, as `publish` does with events."""
        acknowledgements = [
            await self._broker.publish(
                record.value,
                topic=record.topic,
                key=record.key,
                headers={name: value.decode() for name, value in record.headers},
                no_confirm=True,
            )
            for record in records
        ]
        await asyncio.gather(*acknowledgements)
        for record in records:
            PUBLISHED.labels(topic=record.topic).inc()


def ssl_context(settings: ConnectionSettings) -> ssl.SSLContext | None:
    """Return the TLS context for the security protocol, None without TLS."""
    if settings.kafka_security_protocol not in {"SSL", "SASL_SSL"}:
        return None
    context = ssl.create_default_context(cafile=settings.kafka_ssl_ca_file)
    if settings.kafka_ssl_certificate_file:
        context.load_cert_chain(settings.kafka_ssl_certificate_file, settings.kafka_ssl_key_file)
    return context


def _security(settings: ConnectionSettings) -> BaseSecurity | None:
    context = ssl_context(settings)
    if not settings.kafka_security_protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=context, use_ssl=True) if context else None
    mechanism = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    return mechanism[settings.kafka_sasl_mechanism](
        settings.kafka_sasl_username,
        settings.kafka_sasl_password.get_secret_value(),
        ssl_context=context,
        use_ssl=context is not None,
    )


def client_options(settings: ConnectionSettings) -> dict[str, object]:
    """Return the connection options of a plain aiokafka client, for the command line's tools."""
    options: dict[str, object] = {
        "bootstrap_servers": settings.kafka_servers,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": ssl_context(settings),
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
        }
    return options
