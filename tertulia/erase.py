"""`tertulia erase`: erases a person or an organisation, after a look at what goes and what stays."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tertulia.changes import is_confirmed
from tertulia.output import show_line, show_table
from tertulia.registration_api import HERE, Address, Edition, Key, answer_of, client_of

app = typer.Typer()
console = Console()


@app.command()
def erase(
    edition_id: Edition,
    party_id: Annotated[str, typer.Argument(help="The id of a participant, or of an organisation.")],
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Erase a participant, or an organisation with its participants, for good. Ids, agendas and counts stay."""
    parties = "organisations" if party_id.startswith("org_") else "participants"
    path = f"/editions/{edition_id}/{parties}/{party_id}/erasure"
    with client_of(registration, key) as client:
        _show(answer_of(client, "POST", path, query={"dry_run": "true"}))
        if not yes and not is_confirmed("Erase for good?"):
            show_line(console, "Nothing was erased. To erase: --yes")
            return
        answer_of(client, "POST", path)
    show_line(console, "Erased. Compaction removes the texts from registration.v1 within a day.", style="green")


def _show(report: dict[str, Any]) -> None:
    show_table(console, ("Erased for good", "Id"), [(party["kind"], party["id"]) for party in report["parties"]])
    rows = [(effect, f"{kept['service']}: {kept['place']}", kept["holds"]) for effect, kept in _places(report)]
    show_table(console, ("", "Place", "Holds"), rows)
    if report["cancels"]:
        show_line(console, "Encounters are cancelled: partners get their agendas anew.", style="yellow")


def _places(report: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    return [(effect, kept) for effect in ("goes", "stays") for kept in report[effect]]
