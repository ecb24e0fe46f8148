"""Access of commands to the services' journals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console

from shared.runtime.settings import ServiceSettings
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo
from tertulia.output import stop

_console = Console(stderr=True)


@asynccontextmanager
async def journal_of(settings: ServiceSettings) -> AsyncIterator[MongoJournalStore]:
    """Open the journal of the service with these settings."""
    mongo = Mongo(settings)
    try:
        yield MongoJournalStore(mongo.database(settings.database))
    finally:
        await mongo.close()


async def entries_of(settings: ServiceSettings, edition_id: str) -> list[Entry]:
    """Return all entries of an edition, first to last.

    Raises:
        typer.Exit: the edition has no entries; an error was printed.
    """
    async with journal_of(settings) as journal:
        entries = await journal.entries(edition_id, after=0)
    if not entries:
        stop(
            _console,
            f"no journal of edition {edition_id!r} in database {settings.database!r}: "
            "check the edition's id, and TERTULIA_MONGO_URL",
        )
    return entries
