"""`tertulia people`: participants and organisations are found, and corrected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from tertulia.changes import Token, Yes, is_confirmed, make_change
from tertulia.output import show_line, show_table
from tertulia.registration_api import HERE, Address, Edition, Key, answer_of, client_of

app = typer.Typer(
    no_args_is_help=True,
    help="Find participants and organisations, and correct them, by registration's API. "
    "The operator's key is read from TERTULIA_API_KEY.",
)
console = Console()

InEdition = Annotated[str, typer.Option("--edition", help="Only in this edition; without it in all editions.")]
Name = Annotated[str, typer.Option(help="Words of the name, in any order and case; a word may be cut at its end.")]
ExternalId = Annotated[str, typer.Option(help="The id in the operator's own system.")]
Participant = Annotated[str, typer.Argument(help="The participant's id.")]
_MOST = "200"


@app.command()
def find(
    name: Name = "",
    email: Annotated[str, typer.Option(help="The whole address.")] = "",
    external_id: ExternalId = "",
    organisation: Annotated[str, typer.Option(help="The id of the organisation.")] = "",
    edition: InEdition = "",
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Find participants by name, address, external id or organisation."""
    query = {"name": name, "email": email, "external_id": external_id, "organisation": organisation}
    rows = [
        (
            item["participant_id"],
            item["name"],
            item["email"],
            item["organisation_id"],
            item["status"],
            item["edition_id"],
        )
        for item in _found("participants", query, edition, registration, key)
    ]
    _show(("Participant", "Name", "Address", "Organisation", "Status", "Edition"), rows)


@app.command()
def organisations(
    name: Name = "",
    domain: Annotated[str, typer.Option(help="The domain of the website; subdomains are found too.")] = "",
    external_id: ExternalId = "",
    edition: InEdition = "",
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Find organisations by name, domain or external id."""
    query = {"name": name, "domain": domain, "external_id": external_id}
    rows = [
        (
            item["organisation_id"],
            item["name"],
            item["country"],
            item["website"] or "",
            item["status"],
            item["edition_id"],
        )
        for item in _found("organisations", query, edition, registration, key)
    ]
    _show(("Organisation", "Name", "Country", "Website", "Status", "Edition"), rows)


@app.command()
def move(
    edition_id: Edition,
    participant_id: Participant,
    organisation_id: Annotated[str, typer.Argument(help="The id of the organisation to move to.")],
    token: Token = None,
    *,
    yes: Yes = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Move a participant to another organisation."""
    path = f"/editions/{edition_id}/participants/{participant_id}"
    with client_of(registration, key) as client:
        make_change(client, "PATCH", path, {"organisation_id": organisation_id}, token, yes=yes)


@app.command()
def replace(
    edition_id: Edition,
    participant_id: Participant,
    name: Annotated[str, typer.Option(help="The name of the successor.")],
    email: Annotated[str, typer.Option(help="The address of the successor.")],
    language: Annotated[list[str], typer.Option(help="Languages of the successor; mails are in the first.")],
    job_title: Annotated[str, typer.Option(help="The job title of the successor.")] = "",
    phone: Annotated[str, typer.Option(help="The phone number of the successor.")] = "",
    token: Token = None,
    *,
    yes: Yes = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Give a participant's place to another person. Both are told."""
    person = {"name": name, "email": email, "languages": language, "job_title": job_title, "phone": phone}
    path = f"/editions/{edition_id}/participants/{participant_id}/replacement"
    body = {field: value for field, value in person.items() if value}
    with client_of(registration, key) as client:
        make_change(client, "POST", path, body, token, yes=yes)


@app.command()
def merge(
    edition_id: Edition,
    kept_id: Annotated[str, typer.Argument(help="The participant, or the organisation, to keep.")],
    merged_id: Annotated[str, typer.Argument(help="The duplicate, which is merged into it.")],
    token: Token = None,
    *,
    yes: Yes = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Merge a duplicate into a participant or an organisation; the effects are shown first."""
    parties = "organisations" if kept_id.startswith("org_") else "participants"
    path = f"/editions/{edition_id}/{parties}/{kept_id}/merges"
    body = {"merged_id": merged_id}
    with client_of(registration, key) as client:
        if token is None:
            tried = answer_of(client, "POST", path, body, {"dry_run": "true"})
            _show_merge(tried["preview"])
            if not yes and not is_confirmed():
                show_line(console, f"Nothing was changed. To merge the two: --token {tried['token']}")
                return
            token = tried["token"]
        answer_of(client, "POST", path, body, {"token": token})
    show_line(console, f"{merged_id} is merged into {kept_id}.", style="green")


def _show_merge(preview: dict[str, Any]) -> None:
    if "moved_participants" in preview:
        effect = f"{len(preview['moved_participants'])} participants would move."
    else:
        moved, withdrawn = len(preview["moved_requests"]), len(preview["withdrawn_requests"])
        effect = f"{moved} requests would move and {withdrawn} be withdrawn."
    show_line(console, f"{effect} Fields that change: {', '.join(preview['fields']) or 'none'}.")
    if not preview.get("agenda_known", True):
        show_line(console, "The scheduler does not answer: encounters were not compared.", style="yellow")
    for conflict in preview["conflicts"]:
        show_line(console, f"{conflict['slug']}: {conflict['message']} ({', '.join(conflict['ids'])})", style="yellow")


def _found(kind: str, query: dict[str, str], edition: str, registration: str, key: str) -> list[dict[str, Any]]:
    """Return what a search finds, 200 at most."""
    asked = {name: value for name, value in query.items() if value} | {"limit": _MOST}
    with client_of(registration, key) as client:
        path = f"/editions/{edition}/{kind}" if edition else f"/{kind}"
        answer = answer_of(client, "GET", path, query=asked)
    if answer.get("more") or answer.get("next"):
        show_line(console, f"The first {_MOST} are shown: search for more properties.", style="yellow")
    items: list[dict[str, Any]] = answer["items"]
    return items


def _show(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        show_line(console, "None is found.")
        return
    show_table(console, columns, rows)
