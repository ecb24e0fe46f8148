from __future__ import annotations

import base64

import pytest

from shared.messaging.dead_letters import DeadLetterOrigin


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
