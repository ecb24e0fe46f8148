"""An edition whose services lose their databases in turn and rebuild them from the topics."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from demo import run as demo
from demo.audit import SchedulerJournal
from demo.changes import Condition, LateChange
from demo.client import RegistrationRefused
from demo.edition import generate
from demo.mails import read_mails
from demo.phases import DemoRun
from demo.registered_edition import RegisteredEdition
from deploy.embedded.stack import Stack
from services import SERVICES
from shared.storage.mongo import Mongo
from shared.storage.rebuild import digest
from tertulia.cli import app
from tertulia.rebuild import rebuilder_of, run
from tests.support.waiting import stays

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


async def lose_and_rebuild(stack: Stack, service: str) -> None:
    """The procedure of docs/reliability.md: stop, rebuild into the service's own database, start."""
    await stack.kill(service)
    settings = rebuilder_of(service).settings
    mongo = Mongo(settings)
    database = mongo.database(settings.database)
    kept = [one for one in await database.list_collection_names() if one != "operators"]
    for collection in kept:
        await database[collection].drop()
    keys = [document async for document in database["operators"].find({})]
    await database["operators"].drop()
    outcome = await run(rebuilder_of(service), settings.database)
    assert all(rebuilt.things for rebuilt in outcome.editions.values())
    if keys:  # keys are not on the bus: the operator is given new ones, or these back
        await database["operators"].insert_many(keys)
    await mongo.close()
    await stack.restart(service)


async def play(stack: Stack, demo_run: DemoRun) -> None:
    summary = await demo_run.run(0)
    assert not summary.faults
    for service in SERVICES:
        outcome = await run(rebuilder_of(service), f"{service}_beside")
        [(rebuilt, live)] = outcome.views.values()
        assert digest(rebuilt) == digest(live), service
        assert sum(map(len, rebuilt.values())) > 100

    def published() -> tuple[int, int]:
        return demo_run.observer.seen.events, len(read_mails(stack.mails))

    cursor = await check_feed(demo_run)
    before = published()
    for service in SERVICES:
        await lose_and_rebuild(stack, service)
    assert await stays(lambda: published() == before, seconds=3)
    with pytest.raises(RegistrationRefused, match="cursor-gone"):
        await demo_run.registered.client.get(f"{demo_run.registered.path}/events?after={cursor}")
    await check_feed(demo_run)
    demo_run.journal = SchedulerJournal(demo_run.journal._store, demo_run.registered.edition_id)
    effect = await demo_run.make_change(LateChange("another table is lost", lose_a_table))
    assert effect.moved + effect.cancelled > 0
    assert effect.mails > 0


async def check_feed(demo_run: DemoRun) -> str:
    """Compare the agenda that the change feed tells with that of Kafka, by pages and by stream; return a cursor."""
    client, path = demo_run.registered.client, f"{demo_run.registered.path}/events"
    expected = {encounter.encounter_id: encounter.to_json() for encounter in demo_run.observer.seen.placed().values()}
    paged, page = dict[str, Any](), await client.get(f"{path}?from=snapshot&types=encounter&limit=50")
    while True:
        paged |= {item["data"]["encounter_id"]: item["data"] for item in page["items"]}
        cursor, page = page["next"], await client.get(f"{path}?types=encounter&after={page['next']}")
        if cursor == page["next"]:
            break
    assert {key: data for key, data in paged.items() if data["place"]} == expected
    streamed = dict[str, Any]()
    assert client._http is not None
    async with client._http.get(f"{client._addresses[0]}/v1{path}/stream?types=encounter") as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                data = json.loads(line.removeprefix(b"data: "))["data"]
                streamed[data["encounter_id"]] = data
            if streamed == paged:
                break
    return str(cursor)


async def lose_a_table(registered: RegisteredEdition) -> Condition:
    """Remove a table with an encounter."""
    [place, *_] = [encounter.place for encounter in registered.seen.placed().values() if encounter.place]
    zones = [
        zone
        | {"tables": [table for table in zone["tables"] if (zone["zone_id"], table) != (place.zone_id, place.table)]}
        for zone in registered.demo.payload["zones"]
    ]
    await registered.amend({"zones": zones})
    return lambda seen: all(
        encounter.place is None or (encounter.place.zone_id, encounter.place.table) != (place.zone_id, place.table)
        for encounter in seen.placed().values()
    )


async def test_services_with_rebuilt_databases_move_and_mail_nothing_and_go_on(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path / "runs", settings=demo.SETTINGS)
    for name, value in (stack.environment | {"TERTULIA_MONGO_URL": stack.addresses["mongo"]}).items():
        environment.setenv(name, value)
    options = demo.DemoOptions(scale=0.1, output=tmp_path)
    console = Console(file=io.StringIO(), width=160)
    async with stack, demo.open_demo_run(options, console, stack, generate(options.seed, options.scale)) as demo_run:
        await play(stack, demo_run)
        await asyncio.to_thread(look_back, demo_run)


def look_back(demo_run: DemoRun) -> None:
    """Read the rebuilt journals with the commands `why` and `agenda`."""
    edition_id, [encounter_id, *_] = demo_run.registered.edition_id, demo_run.observer.seen.placed()
    why = CliRunner().invoke(app, ["why", encounter_id, "--edition", edition_id], env={"COLUMNS": "240"})
    assert why.exit_code == 0, why.output
    assert "placed" in why.output
    agenda = CliRunner().invoke(app, ["agenda", edition_id], env={"COLUMNS": "240"})
    assert agenda.exit_code == 0, agenda.output
    assert encounter_id in agenda.output
