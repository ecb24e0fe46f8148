"""What commands read of a service's journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import typer
from rich.console import Console

from shared.runtime.settings import ServiceSettings
from shared.storage.journal import Entry
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo

_console = Console(stderr=True)


@asynccontextmanager
async def journal_of(settings: ServiceSettings) -> AsyncIterator[MongoJournalStore]:
    """The journal of the service whose settings these are."""
    mongo = Mongo(settings)
    try:
        yield MongoJournalStore(mongo.database(settings.database))
    finally:
        await mongo.close()


async def entries_of(settings: ServiceSettings, edition_id: str) -> list[Entry]:
    """All entries of an edition, from its first. Raises `typer.Exit`, having said so, where there are none."""
    async with journal_of(settings) as journal:
        entries = await journal.entries(edition_id, after=0)
    if not entries:
        _console.print(f"no journal of edition {edition_id!r} in {settings.database}", style="red", markup=False)
        raise typer.Exit(1)
    return entries
