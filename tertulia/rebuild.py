"""`tertulia rebuild`: rebuilds a service's state from the topics, and compares it with the live database."""

from __future__ import annotations

import importlib
import itertools
import time
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from services import SERVICES
from shared.contract.topics import group_of
from shared.messaging import topic_log
from shared.messaging.topic_log import LogUnreadable, TopicLog
from shared.storage.mongo import Mongo, MongoDatabase
from shared.storage.rebuild import CannotRebuild, Rebuilder, Rebuilt, View, differences, digest
from tertulia.connections import Backend, run_connected
from tertulia.output import Cell, show_line, show_table, stop

app = typer.Typer()
console = Console()
_MOST_SHOWN = 20


class NotEmpty(Exception):
    """The database to rebuild into has documents."""


@dataclass
class RebuildReport:
    """Result of a rebuild: the things written per edition, and the views (rebuilt, live) of the compared editions.

    `undecodable` counts records that are no events, `refused` events of another operator than their edition's.
    `unbounded` holds topics without a committed offset.
    """

    database: str
    seconds: float = 0.0
    undecodable: int = 0
    refused: int = 0
    unbounded: set[str] = field(default_factory=set)
    editions: dict[str, Rebuilt] = field(default_factory=dict)
    views: dict[str, tuple[View, View]] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """True if the hashes of all compared editions equal the hashes of the live database."""
        return all(digest(rebuilt) == digest(live) for rebuilt, live in self.views.values())


@app.command()
def rebuild(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")],
    edition: Annotated[str | None, typer.Option(help="Id of an edition; all editions if unset.")] = None,
    into: Annotated[
        str | None, typer.Option(help="Name of an empty database; `<the service's own>_rebuilt` if unset.")
    ] = None,
    compare: Annotated[bool, typer.Option(help="Compare the result with the service's own database.")] = True,
) -> None:
    """Rebuild a service's state from the topics.

    Writes into an empty database, compares it with the live database, and publishes nothing. Exit 1 if they differ:
    records that arrive during the comparison are differences, too.
    """
    if service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service!r}: it is one of {', '.join(SERVICES)}")
    rebuilder = rebuilder_of(service)
    database = into or f"{rebuilder.settings.database}_rebuilt"
    try:
        report = run_connected(run(rebuilder, database, edition, compare=compare), Backend.BROKER, Backend.DATABASE)
    except (CannotRebuild, NotEmpty, LogUnreadable) as error:
        stop(console, f"{service} not rebuilt into {database}: {error or repr(error)}")
    _show(service, report)
    raise typer.Exit(0 if report.is_equal else 1)


def rebuilder_of(service: str) -> Rebuilder:
    """Return the rebuilder of a service. It imports the service's dependencies."""
    module = importlib.import_module(f"services.{service}.rebuild")
    rebuilder: Rebuilder = getattr(module, f"{service.capitalize()}Rebuilder")()
    return rebuilder


async def run(rebuilder: Rebuilder, into: str, edition_id: str | None = None, *, compare: bool = True) -> RebuildReport:
    """Rebuild an edition, or all, into a database. With `compare`, add the views of the rebuilt and the live edition.

    Raises:
        NotEmpty: the database has documents.
        CannotRebuild: the topics hold no edition, or contradict each other.
        LogUnreadable, KafkaError, PyMongoError: broker or database does not answer.
    """
    report, settings = RebuildReport(into), rebuilder.settings
    mongo = Mongo(settings)
    try:
        target, live = mongo.database(into), mongo.database(settings.database)
        await _must_be_empty(target)
        started = time.monotonic()
        group = group_of(settings.service)
        consumed = (
            await topic_log.read(settings, rebuilder.consumed, edition_id, group) if rebuilder.consumed else TopicLog()
        )
        published = (
            await topic_log.read(settings, rebuilder.published, edition_id) if rebuilder.published else TopicLog()
        )
        report.undecodable, report.unbounded = consumed.undecodable + published.undecodable, consumed.uncommitted
        for found_id in sorted({*consumed.events, *published.events}):
            events = consumed.of(found_id)
            own_events = published.of(found_id, events.operator_id)
            report.refused += events.refused + own_events.refused
            report.editions[found_id] = await rebuilder.write(target, found_id, events, own_events)
        report.seconds = time.monotonic() - started
        if compare and into != settings.database:
            for found_id in report.editions:
                report.views[found_id] = (await rebuilder.view(target, found_id), await rebuilder.view(live, found_id))
    finally:
        await mongo.close()
    if not report.editions:
        raise CannotRebuild(
            f"the topics hold no event of {edition_id or 'any edition'}: "
            f"check the id, and the broker {settings.kafka_bootstrap} (TERTULIA_KAFKA_BOOTSTRAP)"
        )
    return report


async def _must_be_empty(database: MongoDatabase) -> None:
    for collection in await database.list_collection_names():
        if await database[collection].find_one({}, {"_id": 1}) is not None:
            raise NotEmpty(
                f"the database is not empty ({collection} has documents): drop it, or name another by --into"
            )


def _show(service: str, report: RebuildReport) -> None:
    rows = []
    for edition_id, rebuilt in report.editions.items():
        ours, theirs = (digest(view)[:16] if view else "-" for view in report.views.get(edition_id, ({}, {})))
        rows.append((edition_id, str(rebuilt.things), ours, theirs, _verdict(report, edition_id)))
    show_table(console, ("Edition", "Things", "Rebuilt", "Live", ""), rows)
    for edition_id, views in report.views.items():
        _show_differences(edition_id, *views)
    for edition_id, rebuilt in report.editions.items():
        for note in rebuilt.notes:
            show_line(console, f"{edition_id}: {note}")
    if report.undecodable:
        show_line(console, f"{report.undecodable} records are no events: see `tertulia dlq list`")
    if report.refused:
        show_line(console, f"{report.refused} events name another operator than their edition's, and were left out")
    for topic in sorted(report.unbounded):
        show_line(
            console,
            f"{topic}: the group {group_of(service)} has committed no offset, so the topic was read to its end. The "
            "service makes no decision on records that it had not handled before: register their content again.",
            style="yellow",
        )
    show_line(console, f"{service} rebuilt into {report.database} in {report.seconds:.1f} s")


def _verdict(report: RebuildReport, edition_id: str) -> Cell:
    if edition_id not in report.views:
        return "not compared"
    rebuilt, live = report.views[edition_id]
    if not live:
        return "not in the live database"
    return "equal" if digest(rebuilt) == digest(live) else Text("not equal", style="red")


def _show_differences(edition_id: str, rebuilt: View, live: View) -> None:
    if not live:
        return
    found: list[Any] = list(itertools.islice(differences(rebuilt, live), _MOST_SHOWN + 1))
    if not found:
        return
    title = f"{edition_id}: the first {_MOST_SHOWN} differences"
    show_table(console, ("Part", "Id", "Rebuilt", "Live"), found[:_MOST_SHOWN], title)
