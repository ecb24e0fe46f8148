from __future__ import annotations

from pathlib import Path

import pytest

from deploy.kafka import cluster


@pytest.fixture(autouse=True)
def no_kafka(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No jars, and storage tools that do nothing."""
    monkeypatch.setattr(cluster, "fetch", lambda: tmp_path / "jars")
    monkeypatch.setattr(cluster, "java", lambda: "java")
    monkeypatch.setattr(cluster, "run", lambda *_: None)


def properties_in(path: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in Path(path).read_text().splitlines())


@pytest.mark.parametrize(("brokers", "in_sync"), [(1, "1"), (3, "2")])
async def test_a_cluster_loses_no_acknowledged_write_with_one_broker(
    tmp_path: Path, brokers: int, in_sync: str
) -> None:
    ports = list(range(11_000, 11_000 + brokers))

    programs = await cluster.broker_programs(tmp_path, ports)

    assert [program.name for program in programs] == [f"kafka-{node}" for node in range(1, brokers + 1)]
    for port, program in zip(ports, programs, strict=True):
        properties = properties_in(program.command[-1])
        assert properties["min.insync.replicas"] == in_sync
        assert properties["default.replication.factor"] == str(brokers)
        assert properties["auto.create.topics.enable"] == "false"
        assert f"PLAINTEXT://127.0.0.1:{port}," in properties["listeners"]
        assert len(properties["controller.quorum.voters"].split(",")) == brokers


async def test_clients_of_a_proxy_listener_are_sent_to_the_proxy(tmp_path: Path) -> None:
    listeners = [cluster.ProxyListener(12_000 + node, advertised=13_000 + node) for node in range(3)]

    programs = await cluster.broker_programs(tmp_path, [11_000, 11_001, 11_002], listeners)

    properties = properties_in(programs[1].command[-1])
    assert "PLAINTEXT://127.0.0.1:11001" in properties["listeners"].split(",")
    assert "FRONT://127.0.0.1:12001" in properties["listeners"].split(",")
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:11001,FRONT://127.0.0.1:13001"
    assert properties["inter.broker.listener.name"] == "PLAINTEXT"


def test_bootstrap_names_every_broker(tmp_path: Path) -> None:
    assert cluster.KafkaCluster(tmp_path, brokers=3).bootstrap.count("127.0.0.1:") == 3
