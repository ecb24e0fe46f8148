from __future__ import annotations

import base64
from collections.abc import Coroutine
from typing import Any

import pytest
from typer.testing import CliRunner

from shared.messaging.dead_letter_admin import DeadLetter
from shared.messaging.dead_letters import DeadLetterOrigin
from tertulia import dlq
from tertulia.cli import app

LETTER = DeadLetter(
    origin=DeadLetterOrigin(
        topic="agenda.v1",
        partition=0,
        offset=7,
        consumer="tertulia-notify",
        cause="failed",
        reason="KeyError (at services.notify.domain.decide:120 decide)",
        at="2026-11-20T08:00:00.123456+00:00",
        key=base64.b64encode(b"edn_1/participant/prt_0").decode(),
    ),
    headers={},
    value=b'{"name": "Ana Ruiz"}',
)


def test_the_list_shows_the_thing_of_a_dead_letter_and_no_personal_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(work: Coroutine[Any, Any, Any]) -> list[DeadLetter]:
        work.close()
        return [LETTER]

    monkeypatch.setattr(dlq, "_run", run)
    output = " ".join(CliRunner().invoke(app, ["dlq", "list"]).output.split())
    assert "tertulia-notify/agenda.v1/0/7 │ edn_1/participant/prt_0 │ failed │ KeyError (at" in output
    assert "2026-11-20 08:00:00Z" in output
    assert "Ana" not in output
