"""`tertulia export`: a list of an edition as a CSV file or a workbook."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

import typer
from rich.console import Console

from tertulia.output import show_line, stop
from tertulia.registration_api import HERE, Address, Edition, Key, client_of, errors, file_at

app = typer.Typer()
console = Console()
_SECONDS = 300.0
_NAME = re.compile(r"filename\*=UTF-8''([^;]+)")


class ExportKind(StrEnum):
    """A kind of export."""

    PARTICIPANTS = "participants"
    ORGANISATIONS = "organisations"
    MATCH_REQUESTS = "match-requests"
    ENCOUNTERS = "encounters"
    AGENDAS = "agendas"
    ATTENDANCE = "attendance"
    WAITING = "waiting"
    UNREACHED = "unreached"


class FileFormat(StrEnum):
    """A format of the file."""

    CSV = "csv"
    XLSX = "xlsx"


@app.command("export")
def export_list(
    edition_id: Edition,
    kind: ExportKind,
    output: Annotated[
        Path | None, typer.Option(help="The file, or its folder; else this folder. It must not exist yet.")
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="The format of the file.")] = FileFormat.XLSX,
    lang: Annotated[str, typer.Option(help="Language of headings and words: es, en, pt, fr, de or it.")] = "en",
    *,
    cancelled: Annotated[
        bool, typer.Option("--cancelled", help="Include cancelled participants, organisations and requests.")
    ] = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Export a list of an edition. Lists of people, organisations and requests can be imported again unchanged."""
    path = f"/editions/{edition_id}/exports/{kind}.{file_format}"
    query = {"lang": lang} | ({"cancelled": "true"} if cancelled else {})
    with client_of(registration, key) as client:
        client.timeout = _SECONDS
        answer = file_at(client, path, query)
    target = _target(output, answer.headers.get("content-disposition", ""), f"{kind}.{file_format}")
    try:
        with target.open("xb") as file:
            file.write(answer.content)
    except OSError as error:
        stop(errors, f"{target} cannot be written: {error.strerror}")
    show_line(console, f"{target} is written.", style="green")


def _target(output: Path | None, disposition: str, plain: str) -> Path:
    """Return the file to write: the output itself, or the name that the service gives in the output's folder."""
    if output is not None and not output.is_dir():
        return output
    found = _NAME.search(disposition)
    # Only the last part counts: a name never leads out of the folder.
    return (output or Path()) / (Path(unquote(found[1])).name if found else plain)
