from __future__ import annotations

import dataclasses

import pytest

from services import SERVICES
from shared.contract.cloudevents import Record, Undecodable, decode
from shared.contract.topics import TOPICS
from shared.messaging.broker import MAX_RECORD_BYTES
from tests.chaos.poison import MARK, READERS, SPOILS, Planted, mark_of, right_record


def is_right(record: Record) -> bool:
    try:
        event = decode(record.headers, record.value or None)
    except Undecodable:
        return False
    return record.key == event.key.encode()


def test_a_record_is_valid_before_it_is_spoilt() -> None:
    assert is_right(right_record("edn_1"))


@pytest.mark.parametrize("kind", SPOILS)
def test_each_kind_of_poison_is_undecodable_in_the_edition_s_partition(kind: str) -> None:
    spoilt = SPOILS[kind](right_record("edn_1"))
    assert not is_right(spoilt)
    assert spoilt.key.startswith(b"edn_1/")
    headers = sum(len(name) + len(value) for name, value in spoilt.headers)
    assert len(spoilt.key) + len(spoilt.value) + headers + len(MARK) < MAX_RECORD_BYTES - 200


def test_a_valid_record_is_poison_in_another_topic() -> None:
    assert right_record("edn_1").topic == "registration.v1"
    assert set(READERS) == {topic.name for topic in TOPICS} - {"notification.v1"}
    assert {reader for readers in READERS.values() for reader in readers} == set(SERVICES) - {"registration"}


def test_a_planted_record_is_recognised_by_its_mark() -> None:
    assert mark_of([("ce_type", b"x"), (MARK, b"7")]) == 7
    assert mark_of([("ce_type", b"x")]) is None


def test_poison_is_dead_lettered_by_every_reader_of_its_topic() -> None:
    planted = Planted(3, "no body", "affinity.v1")
    assert planted.letters == {(3, f"tertulia-{reader}") for reader in ("scheduler", "notify", "portal")}
    agenda = dataclasses.replace(planted, topic="agenda.v1")
    assert agenda.letters == {(3, f"tertulia-{reader}") for reader in ("notify", "portal", "events")}
