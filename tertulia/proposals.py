"""`tertulia proposals`: the pairs that matching proposes, with score and reasons."""

from __future__ import annotations

from itertools import chain, islice
from typing import Annotated, Any

import typer
from rich.console import Console

from tertulia.output import show_line, show_table
from tertulia.registration_api import HERE, Address, Edition, Key, client_of, pages_of

app = typer.Typer()
console = Console()


@app.command("proposals")
def list_proposals(
    edition_id: Edition,
    participant: Annotated[str, typer.Option(help="Only the proposals with this participant.")] = "",
    most: Annotated[int, typer.Option(min=1, help="Proposals to show, best first.")] = 50,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """List the pairs that matching proposes, best first. The operator's key is read from TERTULIA_API_KEY."""
    query = {"participant_id": participant} if participant else {}
    with client_of(registration, key) as client:
        pages = pages_of(client, f"/editions/{edition_id}/proposals", query)
        rows = chain.from_iterable(([_row(item, page) for item in page["items"]]) for page in pages)
        shown = list(islice(rows, most))
    if not shown:
        show_line(console, "No pair is proposed.")
        return
    show_table(console, ("Score", "Participants", "Consent", "Reasons", "Pair"), shown)


def _row(proposal: dict[str, Any], page: dict[str, Any]) -> tuple[str, str, str, str, str]:
    names, told = page["names"], page.get("told", {}).get(proposal["pair_id"], {})
    people = " and ".join(f"{names.get(person, '')} ({person})" for person in proposal["participant_ids"])
    weights = ", ".join(f"{reason['code']} {reason['weight']:.2f}" for reason in proposal["reasons"])
    lines = [f"{names.get(person, person)} reads: {told[person]}" for person in sorted(told) if told[person]]
    return f"{proposal['score']:.2f}", people, proposal["consent"], "\n".join([weights, *lines]), proposal["pair_id"]
