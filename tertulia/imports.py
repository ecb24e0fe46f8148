"""`tertulia import`: a list is tried, its effects are shown, and it is applied once they are confirmed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tertulia.changes import is_confirmed, show_effects, show_undo
from tertulia.output import show_line, show_table, stop
from tertulia.progress import progress_of
from tertulia.registration_api import HERE, Address, Edition, Key, client_of, errors, sent_file

app = typer.Typer()
console = Console()
_JSON = "application/json"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHOWN = 20
#: The writing of 10,000 rows takes half a minute.
_SECONDS = 300.0


class ListKind(StrEnum):
    """A kind of list."""

    ORGANISATIONS = "organisations"
    PARTICIPANTS = "participants"
    MATCH_REQUESTS = "match-requests"
    AVAILABILITY = "availability"
    SESSION_CHOICES = "session-choices"


@app.command("import")
def import_list(
    edition_id: Edition,
    kind: ListKind,
    file: Annotated[Path, typer.Argument(help="A CSV file or an Excel workbook, as it is.")],
    token: Annotated[
        str | None, typer.Option(help="Apply the list with the effects that this token names; `*`: whatever they are.")
    ] = None,
    marked: Annotated[
        Path | None,
        typer.Option(help="Only write a marked copy of the list there (.csv or .xlsx), with the outcome of each row."),
    ] = None,
    sheet: Annotated[str, typer.Option(help="Name of the workbook's sheet; else the sheet that fits best.")] = "",
    mapping: Annotated[
        str, typer.Option(help='JSON object of fields by heading, such as \'{"Stand": "booth"}\'.')
    ] = "",
    *,
    hidden: Annotated[bool, typer.Option("--hidden", help="Read the hidden rows of a workbook too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Apply the list without asking.")] = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Import a list, after a look at its effects.

    Rejected rows are left out: correct them, and import the file again.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        stop(errors, f"{file} cannot be read: {error.strerror}")
    path = f"/editions/{edition_id}/imports/{kind}"
    given = {
        name: value
        for name, value in (("sheet", sheet), ("mapping", mapping), ("hidden", "true" if hidden else ""))
        if value
    }
    with client_of(registration, key) as client:
        client.timeout = _SECONDS
        if marked is not None:
            media = _XLSX if marked.suffix.lower() == ".xlsx" else "text/csv"
            copy = sent_file(client, path, given | {"dry_run": "true"}, content, media)
            marked.write_bytes(copy.content)
            show_line(console, f"{marked} is written, and nothing was applied.")
            return
        if token is None:
            with progress_of(client, edition_id):
                tried = sent_file(client, path, given | {"dry_run": "true"}, content, _JSON).json()
            _show(tried)
            if not yes and not is_confirmed("Apply this list?"):
                show_line(console, f"Nothing was applied. To apply this list: --yes, or --token {tried['token']}")
                return
            token = tried["token"]
        with progress_of(client, edition_id):
            done = sent_file(client, path, given | {"token": token}, content, _JSON).json()
    show_line(console, f"The list is applied: {_counts(done)}.", style="green")
    show_undo(edition_id, done.get("amendment_id"))


def _show(report: dict[str, Any]) -> None:
    """Print how a list was read, the effects and problems of its rows, and the effects on encounters."""
    found = report["found"]
    place = (
        f"sheet {found['sheet']}" if found["sheet"] else f"{found['encoding']}, cells between {found['delimiter']!r}"
    )
    columns = ", ".join(f"{column['heading']} as {column['field']}" for column in found["columns"] if column["field"])
    show_line(console, f"Read from line {found['header_line']} on ({place}): {columns}")
    if found["ignored"]:
        show_line(console, f"Columns that are not read: {', '.join(found['ignored'])}", style="yellow")
    _show_left(found)
    show_line(console, f"In it: {_counts(report)}.")
    if made := len(report["organisations_created"]):
        show_line(console, f"{made} organisations are made along the way.")
    _show_rows("Rejected", report["rejected"], report["rejected_rows"], "red")
    for assumed in report["assumed"]:
        show_line(
            console, f"{assumed['field']} {assumed['value']} is assumed in {assumed['rows']} rows", style="yellow"
        )
    _show_rows("Doubts", report["warnings"], len(report["warnings"]), "yellow")
    if report["missing_count"]:
        names = ", ".join(report["missing"][:_SHOWN])
        show_line(console, f"{report['missing_count']} entries are not in the list, and stay: {names}", style="yellow")
    if report["preview"] and report["preview"]["announced"]:
        show_effects(report["preview"])


def _show_left(found: dict[str, Any]) -> None:
    """Print the parts of the file that are not read, or that the file hides."""
    if found.get("hidden_rows"):
        lines = ", ".join(map(str, found["hidden_lines"]))
        text = f"{found['hidden_rows']} hidden rows are not read (lines {lines}): --hidden reads them too"
        show_line(console, text, style="yellow")
    if found.get("other_lists"):
        names = ", ".join(found["other_lists"])
        show_line(console, f"Sheets with a list that are not read: {names}. Import each with --sheet.", style="yellow")
    if found.get("hidden_columns"):
        show_line(console, f"Hidden columns that are read: {', '.join(found['hidden_columns'])}", style="yellow")
    if found.get("no_entries"):
        lines = ", ".join(map(str, found["no_entries"]))
        show_line(console, f"Lines of totals and notes that are no entries: {lines}")


def _counts(report: dict[str, Any]) -> str:
    told = [f"{report[name]} {name}" for name in ("created", "changed", "unchanged", "reinstated") if report[name]]
    return ", ".join([*told, f"{report['rejected_rows']} rejected"])


def _show_rows(title: str, rows: list[dict[str, Any]], number: int, style: str) -> None:
    if rows:
        lines = [(str(row["line"]), row["column"], row["reason"]) for row in rows[:_SHOWN]]
        show_table(console, ("Line", "Column", title), lines)
    if number > _SHOWN:
        show_line(console, f"and {number - _SHOWN} more: `--marked FILE` writes them all", style=style)
