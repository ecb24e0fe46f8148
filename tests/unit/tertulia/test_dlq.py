from __future__ import annotations

import asyncio
import base64
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from shared.messaging import dead_letter_admin
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


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three letters of two causes and days wait; the ids of the replayed letters are noted."""
    replayed: list[str] = []
    origins = [
        replace(LETTER.origin, offset=1, cause="failed", at="2026-11-19T08:00:00+00:00"),
        replace(LETTER.origin, offset=2, cause="undecodable"),
        replace(LETTER.origin, offset=3, cause="failed"),
    ]

    async def letters(_: object, topic: str | None = None) -> list[DeadLetter]:
        return [replace(LETTER, origin=origin) for origin in origins if topic in {None, origin.topic}]

    async def replay(_: object, letter: DeadLetter) -> None:
        replayed.append(letter.letter_id.rpartition("/")[2])

    monkeypatch.setattr(dead_letter_admin, "letters", letters)
    monkeypatch.setattr(dlq, "_replay", replay)
    monkeypatch.setattr(dlq, "run_connected", lambda work, *_: asyncio.run(work))
    return replayed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["1", "2", "3"]),
        (["--cause", "failed"], ["1", "3"]),
        (["--since", "2026-11-20"], ["2", "3"]),
        (["--cause", "failed", "--since", "2026-11-19T09:00"], ["3"]),
        (["--topic", "registration.v1"], []),
    ],
)
def test_letters_are_replayed_in_bulk_by_topic_cause_and_time(
    waiting: list[str], options: list[str], expected: list[str]
) -> None:
    dry = CliRunner().invoke(app, ["dlq", "replay", "--all", "--dry-run", *options])
    assert (dry.exit_code, waiting) == (0, [])
    assert (f"{len(expected)} letters would be replayed" if expected else "No dead letters") in dry.output
    done = CliRunner().invoke(app, ["dlq", "replay", "--all", *options])
    assert (done.exit_code, waiting) == (0, expected)


@pytest.mark.parametrize("arguments", [[], ["a/b/0/1", "--all"], ["a/b/0/1", "--cause", "failed"]])
def test_a_replay_is_of_one_letter_or_of_all_that_are_chosen(waiting: list[str], arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["dlq", "replay", *arguments]).exit_code == 2
    assert waiting == []
