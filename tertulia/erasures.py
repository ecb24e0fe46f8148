"""`tertulia erasures`: the ids of erased parties, and the erasure of a restored backup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from services.registration.amendment_store import MongoAmendmentStore
from services.registration.domain.entity import Entity
from services.registration.erasure_store import MongoErasureStore
from services.registration.erasures import Erasure, ErasureStores
from services.registration.rebuild import erasures_in
from services.registration.settings import Settings
from services.registration.store import MongoStore
from services.registration.use_cases.erasure import repeat_erasure
from shared.contract.topics import REGISTRATION
from shared.messaging import topic_log
from shared.messaging.topic_log import LogUnreadable, TopicLog
from shared.runtime.settings import read_settings
from shared.storage.mongo import Mongo
from tertulia.connections import Backend, run_connected
from tertulia.output import show_line, stop

app = typer.Typer(no_args_is_help=True, help="List the ids of erased parties; erase them again in a restored backup.")
console = Console()


@app.command("list")
def list_erasures() -> None:
    """Print the erasures of all operators, as lines of JSON with ids and times. Keep them with the backups."""
    for erasure in run_connected(_all(), Backend.DATABASE):
        typer.echo(erasure.model_dump_json())


@app.command()
def apply(
    file: Annotated[Path | None, typer.Option(help="Erasures that `tertulia erasures list` printed.")] = None,
) -> None:
    """Erase a restored backup again, before the service starts.

    Carries out the erasures of the file, of the database and of registration.v1.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file else []
        kept = [Erasure.model_validate_json(line) for line in lines if line.strip()]
    except (OSError, ValidationError) as error:
        stop(console, f"{file} holds no erasures, as `tertulia erasures list` prints them: {type(error).__name__}")
    try:
        count = run_connected(_apply(kept), Backend.DATABASE, Backend.BROKER)
    except LogUnreadable as error:
        stop(console, str(error))
    show_line(console, f"{count} erasures are carried out. Registration publishes them when it starts.", style="green")


def _told(log: TopicLog) -> Iterator[Erasure]:
    for edition_id in log.events:
        yield from erasures_in(log.of(edition_id))


async def _all() -> list[Erasure]:
    settings = read_settings(Settings)
    mongo = Mongo(settings)
    try:
        return list(await MongoErasureStore(mongo.database(settings.database)).all())
    finally:
        await mongo.close()


async def _apply(kept: Iterable[Erasure]) -> int:
    settings = read_settings(Settings)
    mongo = Mongo(settings)
    try:
        database = mongo.database(settings.database)
        told = await topic_log.read(settings, [REGISTRATION])
        found = [*kept, *await _all(), *_told(told)]
        by_path = {erasure.path: erasure for erasure in found}
        erasures = MongoErasureStore(database)
        stores = ErasureStores(MongoStore(database, _publish_later), erasures, MongoAmendmentStore(database))
        for erasure in by_path.values():
            await erasures.add(erasure)
            await repeat_erasure(erasure, stores, mongo.now)
        return len(by_path)
    finally:
        await mongo.close()


def _publish_later(_kind: type[Entity], _paths: Sequence[str]) -> None:
    """Do nothing: registration sends the outboxes when it starts."""
