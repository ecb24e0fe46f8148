"""Commands that read journals on a real database; a rebuild refuses a database with documents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from typer.testing import CliRunner

from services.scheduler.aggregate import AgendaAggregate, announcing
from services.scheduler.settings import Settings
from shared.contract.cloudevents import pack
from shared.contract.events import Event, Phase
from shared.contract.ids import encounter_id
from shared.messaging.inputs import Input, Position
from shared.runtime.clock import utc_now
from shared.storage.journal import Journal
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo
from tertulia.cli import app
from tests.support.scheduler_editions import HALL, NOW, affinity, edition, participant, people, session, workspace

ENCOUNTER = encounter_id("ed", "a", "b")


class Nowhere:
    def pack(self, message: Event) -> dict[str, Any]:
        return pack(message)

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        """Drop the messages."""


@pytest.fixture
def history(mongo_url: str, mongo_database: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write three entries: placed, moved by a keynote, announced. Return the times of the entries."""
    monkeypatch.setenv("TERTULIA_MONGO_URL", mongo_url)
    monkeypatch.setenv("TERTULIA_MONGO_DATABASE", mongo_database)
    monkeypatch.setenv("COLUMNS", "240")

    async def write() -> list[str]:
        mongo = Mongo(Settings())
        store = MongoJournalStore(mongo.database(mongo_database))
        await store.prepare()
        seconds = (NOW + timedelta(seconds=second) for second in count())
        journal = Journal(AgendaAggregate(), store, Nowhere(), clock=lambda: next(seconds))
        keynote = edition(revision=2, zones=(workspace(), HALL), sessions=(session("k", 0, 1),))
        await journal.decide("ed", _inputs(edition(), *people("a", "b"), affinity("a", "b")))
        await journal.decide("ed", _inputs(keynote, participant("a", revision=2, session_ids=("k",))))
        await journal.decide("ed", _inputs(keynote.model_copy(update={"revision": 3, "phase": Phase.PUBLISHED})))
        await journal.transact("ed", announcing)
        entries = await store.entries("ed", after=0)
        await mongo.close()
        return [entry.at.isoformat() for entry in entries]

    return asyncio.run(write())


def _inputs(*events: Event) -> list[Input]:
    return [Input(event, Position("registration.v1", 0, offset)) for offset, event in enumerate(events)]


def tertulia(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, " ".join(done.output.split())


def test_an_agenda_is_shown_as_of_any_instant(history: list[str]) -> None:
    first = tertulia("agenda", "ed", "--at", history[0], "--participant", "b")
    then = tertulia("agenda", "ed", "--participant", "b", "--seq", "2")
    assert first[0] == then[0] == 0
    assert "2026-11-19 09:00:00Z" in first[1]
    assert ENCOUNTER in first[1]
    assert "2026-11-19 09:15:00Z" in then[1]
    assert "as of entry 1" in first[1]
    assert tertulia("agenda", "ed", "--at", "2020-01-01T00:00Z")[0] == 1
    assert tertulia("agenda", "ed", "--participant", "nobody")[0] == 1
    assert tertulia("agenda", "ed", "--at", utc_now().replace(tzinfo=None).isoformat())[0] == 2
    assert tertulia("agenda", "elsewhere")[0] == 1


def test_why_lists_each_place_and_the_cause_of_each_move(history: list[str]) -> None:
    code, said = tertulia("why", ENCOUNTER)
    assert code == 0, said
    assert "placed 11-19 09:00 slot 0" in said
    assert "pair_granted" in said
    assert "moved 11-19 09:00 slot 0" in said
    assert "registration.v1/0@1" in said
    assert "participant_changed a" in said
    assert "the steps of matching are left out" in said
    code, said = tertulia("why", "enc_nobody")
    assert code == 1
    assert "enc_nobody" in said


@pytest.mark.kafka
def test_a_rebuild_refuses_a_database_with_documents(
    history: list[str], mongo_database: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERTULIA_KAFKA_BOOTSTRAP", kafka_bootstrap)
    code, said = tertulia("rebuild", "scheduler", "--into", mongo_database)
    assert code == 1
    assert "not empty" in said
