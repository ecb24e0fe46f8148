from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faststream.kafka import KafkaBroker

from shared.contract.topics import AGENDA, REGISTRATION, TOPICS, is_personal
from shared.messaging.dead_letters import DeadLetterCause, DeadLetterOrigin, DeadLetters


class KeepingBroker:
    """Keeps the bodies of the records that are published."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def publish(self, body: bytes, **_: Any) -> None:
        self.bodies.append(body)


@pytest.mark.parametrize(("topic", "kept"), [(REGISTRATION.name, b""), (AGENDA.name, b"Ana Ruiz")])
async def test_a_letter_of_a_topic_with_personal_data_keeps_no_body(topic: str, kept: bytes) -> None:
    broker = KeepingBroker()
    record: Any = SimpleNamespace(topic=topic, partition=0, offset=7, key=b"e/p/x", value=b"Ana Ruiz", headers=())
    await DeadLetters(cast("KafkaBroker", broker), "tertulia-notify", 10).add(
        record, DeadLetterCause.POISON, "KeyError", "op"
    )
    assert broker.bodies == [kept]


def test_only_registration_has_personal_data() -> None:
    assert [topic.name for topic in TOPICS if is_personal(topic.name)] == [REGISTRATION.name]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (b"edn_1/participant/prt_0", "edn_1/participant/prt_0"),
        (b"edn_1/agenda/ana@nandu.example", "-"),
        (b"edn_1/Ana Ruiz/x", "-"),
        (b"\xff\x00", "-"),
        (b"", "-"),
    ],
)
def test_the_key_shown_holds_ids_only(key: bytes, shown: str) -> None:
    origin = DeadLetterOrigin(
        topic="agenda.v1",
        partition=0,
        offset=7,
        consumer="tertulia.notify",
        cause="failed",
        reason="KeyError",
        at="2026-11-20T08:00:00+00:00",
        key=base64.b64encode(key).decode(),
    )
    assert origin.shown_key == shown
