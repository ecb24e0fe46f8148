"""`tertulia rebuild` on a real broker and database: equal if it is, and told where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from typer.testing import CliRunner

from services.scheduler.aggregate import AgendaAggregate, announcing
from services.scheduler.domain.changes import Removed
from services.scheduler.domain.state import AgendaState
from services.scheduler.settings import Settings
from shared.contract.cloudevents import pack
from shared.contract.events import Cause, CauseCode, Event, Phase
from shared.messaging import topic_admin
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.messaging.inputs import Input, Position
from shared.storage.aggregate import Decision
from shared.storage.journal import Journal, KafkaOutlet
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo
from tertulia.cli import app
from tests.support.scheduler_editions import affinity, edition, organisation, people

pytestmark = pytest.mark.kafka

#: In slots of a quarter of an hour: a real clock gives no slot of a day that has passed.
TEN_YEARS = 3_650 * 24 * 4


@pytest.fixture
def live(
    kafka_bootstrap: str,
    kafka_idempotence: bool,
    mongo_url: str,
    mongo_database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Publish an edition with a scheduler, whose inputs and events are on the topics; return its database."""
    for name, value in {
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "KAFKA_IDEMPOTENCE": str(kafka_idempotence),
        "MONGO_URL": mongo_url,
        "MONGO_DATABASE": mongo_database,
    }.items():
        monkeypatch.setenv(f"TERTULIA_{name}", value)
    monkeypatch.setenv("COLUMNS", "300")
    asyncio.run(_play())
    return mongo_database


async def _play() -> None:
    settings = Settings()
    await topic_admin.apply(settings)
    broker, mongo = make_broker(settings), Mongo(settings)
    await broker.start()
    publisher = KafkaPublisher(broker)
    store = MongoJournalStore(mongo.database(settings.database))
    await store.prepare()
    journal = Journal(AgendaAggregate(), store, KafkaOutlet(publisher))
    names = ["a", "b", "c", "d"]
    heard: list[Event] = [
        *(organisation(f"org-{name}") for name in names),
        *people(*names),
        affinity("a", "b"),
        affinity("c", "d"),
        edition(phase=Phase.PUBLISHED, shift=TEN_YEARS),
    ]
    await publisher.publish(*heard)
    await journal.decide("ed", [Input(event, Position("registration.v1", 0, at)) for at, event in enumerate(heard)])
    await journal.transact("ed", announcing)
    await broker.stop()
    await mongo.close()


async def _entries(database: str) -> list[dict[str, Any]]:
    mongo = Mongo(Settings())
    entries = await MongoJournalStore(mongo.database(database)).entries("ed", after=0)
    await mongo.close()
    return [vars(entry) for entry in entries]


def rebuild(into: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["rebuild", "scheduler", "--edition", "ed", "--into", into])
    return done.exit_code, done.output


def test_a_rebuild_equals_the_live_state_and_notes_the_gaps(live: str) -> None:
    code, said = rebuild(f"{live}_1")
    assert code == 0, said
    assert "equal" in said
    assert "not equal" not in said
    [entry] = asyncio.run(_entries(f"{live}_1"))
    assert entry["outbox"] == []
    assert any(place.startswith("registration.v1/") for place in entry["applied"])
    pair_id = affinity("a", "b").pair_id
    asyncio.run(_remove(pair_id))
    code, said = rebuild(f"{live}_2")
    assert code == 1
    assert "not equal" in said
    assert "placements" in said
    assert pair_id in said


async def _remove(pair_id: str) -> None:
    """Remove a meeting from the live agenda without publishing it."""

    class Nowhere:
        def pack(self, message: Event) -> dict[str, Any]:
            return pack(message)

        async def send(self, packed: Sequence[dict[str, Any]]) -> None: ...

    def remove(state: AgendaState, _now: object) -> Decision[Any, Event]:
        change = Removed(pair_id=pair_id, cause=Cause(code=CauseCode.IMPROVED, subject_id="ed"))
        AgendaAggregate().evolve(state, change)
        return Decision([change], [])

    mongo = Mongo(Settings())
    store = MongoJournalStore(mongo.database(Settings().database))
    await Journal(AgendaAggregate(), store, Nowhere()).transact("ed", remove)
    await mongo.close()
