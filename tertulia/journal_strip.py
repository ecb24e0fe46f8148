"""`tertulia journal strip`: moves the texts of people out of the journals of earlier versions."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from shared.runtime.clock import utc_now
from shared.runtime.settings import ServiceSettings
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo, MongoDatabase
from shared.storage.strip import CannotStrip
from tertulia.connections import Backend, run_connected
from tertulia.output import show_table, stop
from tertulia.rebuild import rebuilder_of

app = typer.Typer(no_args_is_help=True, help="Rewrite journals of earlier versions.")
console = Console()
_STRIPPED = ("matching", "notify")
#: A service that wrote an entry so recently may still run.
_QUIET = timedelta(minutes=2)


@app.callback()
def journal() -> None:
    """Rewrite journals of earlier versions."""


@app.command()
def strip(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(_STRIPPED)}, or `all`.")],
    dry_run: Annotated[bool, typer.Option(help="Write nothing: count the documents to rewrite.")] = False,
) -> None:
    """Move names, addresses and profiles of old journal entries into `people`, where erasures reach them.

    Stop the service first. The state stays the same, which is verified before a write. Repeat an interrupted strip.
    """
    if service not in (*_STRIPPED, "all"):
        raise typer.BadParameter(f"{service!r} keeps no texts in a journal: name {', '.join(_STRIPPED)}, or `all`")
    for name in _STRIPPED if service == "all" else (service,):
        try:
            counts = run_connected(_strip(name, dry_run=dry_run), Backend.DATABASE)
        except CannotStrip as error:
            stop(console, f"{name}: {error}")
        columns = tuple(dict.fromkeys(column for found in counts.values() for column in found))
        rows = [(edition_id, *(str(found[column]) for column in columns)) for edition_id, found in counts.items()]
        show_table(
            console, ("Edition", *columns), rows, f"{name}: documents {'to rewrite' if dry_run else 'rewritten'}"
        )


async def _strip(service: str, *, dry_run: bool) -> dict[str, dict[str, int]]:
    settings: ServiceSettings = rebuilder_of(service).settings
    work = importlib.import_module(f"services.{service}.strip").strip
    mongo = Mongo(settings)
    try:
        database = mongo.database(settings.database)
        if not dry_run:
            await must_be_quiet(service, database)
        editions = sorted(await MongoJournalStore(database).editions())
        return {edition_id: await work(database, edition_id, dry_run=dry_run) for edition_id in editions}
    finally:
        await mongo.close()


async def must_be_quiet(service: str, database: MongoDatabase) -> None:
    """Raise `CannotStrip` if an entry is younger than `_QUIET`: a process may still run."""
    if await database["journal"].find_one({"at": {"$gt": utc_now() - _QUIET}}, {"_id": 1}) is not None:
        raise CannotStrip(
            f"the journal has an entry of the last 2 minutes: stop all processes of {service}, and try again then"
        )
