from __future__ import annotations

from pathlib import Path

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.protocol.admin import ApiVersionRequest
from pydantic import ValidationError

from shared.messaging.broker import client_options, make_broker, partition_of
from shared.runtime.settings import ConnectionSettings

PARTITIONS = list(range(12))


@pytest.mark.parametrize("edition", ["edn_1", "edn_2", "edn_ffffffffffffffffffffffffffffffff"])
def test_all_things_of_an_edition_share_the_partition_of_its_id(edition: str) -> None:
    usual = DefaultPartitioner()(edition.encode(), PARTITIONS, PARTITIONS)
    assert {partition_of(f"{edition}/{thing}".encode(), PARTITIONS) for thing in ("participant/a", "pair/b")} == {usual}


def test_a_record_without_a_key_has_a_partition() -> None:
    assert partition_of(None, PARTITIONS) in PARTITIONS


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_sasl_and_tls_come_from_settings(protocol: str, mechanism: str) -> None:
    settings = ConnectionSettings(
        kafka_security_protocol=protocol,
        kafka_sasl_mechanism=mechanism,
        kafka_sasl_username="svc",
        kafka_sasl_password="hunter2",
    )
    options = client_options(settings)
    assert options["security_protocol"] == protocol
    assert options["sasl_mechanism"] == mechanism
    assert (options["ssl_context"] is not None) == protocol.endswith("SSL")
    make_broker(settings)


def test_a_missing_ca_file_is_an_error_at_start() -> None:
    with pytest.raises(ValidationError, match="kafka_ssl_ca_file"):
        ConnectionSettings(kafka_security_protocol="SSL", kafka_ssl_ca_file=Path("/nowhere/ca.pem"))


class ResetWriter:
    """A stream writer of uvloop after the peer has reset the connection."""

    def write(self, _: bytes) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    def close(self) -> None:
        pass


async def test_a_write_to_a_reset_connection_is_a_connection_error() -> None:
    connection = AIOKafkaConnection("127.0.0.1", 9092)
    connection._writer, connection._versions = ResetWriter(), {ApiVersionRequest.API_KEY: (0, 0)}
    with pytest.raises(KafkaConnectionError, match="broken"):
        connection.send(ApiVersionRequest())
    assert not connection.connected()
