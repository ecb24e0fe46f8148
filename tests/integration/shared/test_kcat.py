"""Records on the bus, read by kcat, an outside client of Kafka."""

from __future__ import annotations

import json

import pytest

from shared.contract.cloudevents import encode
from shared.contract.topics import MATCH_REQUEST
from shared.messaging.broker import KafkaPublisher
from tests.support.kafka_consumer import match_request, partition_number
from tests.support.outside import checked

pytestmark = pytest.mark.kafka


async def test_kcat_reads_key_headers_and_body(
    publisher: KafkaPublisher, kafka_bootstrap: str, edition_id: str
) -> None:
    event = match_request(edition_id, "request")
    await publisher.publish(event)
    expected = encode(event)

    partition = str(partition_number(edition_id))
    output = checked("kcat", "-C", "-J", "-e", "-q", "-b", kafka_bootstrap, "-t", MATCH_REQUEST.name, "-p", partition)
    records = [json.loads(line) for line in output.splitlines()]
    [record] = [record for record in records if edition_id in (record["key"] or "")]

    headers = dict(zip(record["headers"][::2], record["headers"][1::2], strict=True))
    assert record["key"] == expected.key.decode()
    assert headers["ce_type"] == "org.tertulia.match-request.changed.v1"
    assert headers["content-type"] == "application/json"
    assert json.loads(record["payload"])["edition_id"] == edition_id
