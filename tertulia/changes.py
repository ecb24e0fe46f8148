"""`tertulia change`: changes of facts, shown before they are made, and undone."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tertulia.output import show_line, show_table, stop
from tertulia.registration_api import HERE, Address, Edition, Key, answer_of, client_of, errors, made_change, pages_of

if TYPE_CHECKING:
    import httpx

app = typer.Typer(
    no_args_is_help=True,
    help="Show a change of facts before it is made, make it, and undo it, by registration's API. "
    "The operator's key is read from TERTULIA_API_KEY.",
)
console = Console()
#: Encounters that are shown of each kind of effect.
_SHOWN = 20
_KINDS = ("moved", "waiting", "cancelled", "placed")

Patch = Annotated[str, typer.Argument(help="A JSON merge patch, such as '{\"slot_minutes\": 20}', or @FILE.")]
Token = Annotated[
    str | None, typer.Option(help="Make the change with the effects that this token names; `*`: whatever it moves.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Make the change with the effects that are shown, without asking.")]


@app.command()
def edition(
    edition_id: Edition,
    patch: Patch,
    token: Token = None,
    *,
    yes: Yes = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Change fields of an edition."""
    body = _json_of(patch)
    with client_of(registration, key) as client:
        make_change(client, "PATCH", f"/editions/{edition_id}", body, token, yes=yes)


@app.command()
def postpone(
    edition_id: Edition,
    days: Annotated[int, typer.Argument(min=-366, max=366, help="Number of days; -7: a week earlier.")],
    token: Token = None,
    *,
    yes: Yes = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Move all days of an edition, with its sessions and the availability of its participants."""
    with client_of(registration, key) as client:
        make_change(client, "POST", f"/editions/{edition_id}/postponements", {"days": days}, token, yes=yes)


@app.command()
def participant(
    edition_id: Edition,
    participant_id: Annotated[str, typer.Argument(help="The participant's id.")],
    patch: Patch,
    token: Token = None,
    *,
    yes: Yes = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Change fields of a participant."""
    body = _json_of(patch)
    with client_of(registration, key) as client:
        make_change(client, "PATCH", f"/editions/{edition_id}/participants/{participant_id}", body, token, yes=yes)


@app.command()
def cancel(
    edition_id: Edition,
    party_id: Annotated[str, typer.Argument(help="The id of a participant or of an organisation.")],
    token: Token = None,
    *,
    yes: Yes = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Cancel a participant, or an organisation with its participants."""
    parties = "organisations" if party_id.startswith("org_") else "participants"
    path = f"/editions/{edition_id}/{parties}/{party_id}/cancellation"
    with client_of(registration, key) as client:
        make_change(client, "POST", path, None, token, yes=yes)


@app.command("list")
def list_changes(edition_id: Edition, registration: Address = HERE, key: Key = "") -> None:
    """List the changes of the last seven days that can be undone, oldest first."""
    with client_of(registration, key) as client:
        rows = [
            (
                item["amendment_id"],
                item["amended_at"],
                item["kind"],
                item["entity_id"],
                _amended(item),
            )
            for page in pages_of(client, f"/editions/{edition_id}/amendments")
            for item in page["items"]
        ]
    if not rows:
        show_line(console, "No change can be undone.")
        return
    show_table(console, ("Amendment", "At", "Of", "Id", "Fields"), rows)


def _amended(item: dict[str, Any]) -> str:
    """Return the changed fields of an amendment; of a list, its kind and the numbers of its rows."""
    rows = item.get("rows")
    if not rows:
        return ", ".join(sorted(item["after"]))
    told = [f"{rows[name]} {name}" for name in ("created", "changed", "reinstated") if rows[name]]
    return f"{rows['list']}: {', '.join(told)}"


@app.command()
def undo(
    edition_id: Edition,
    amendment_id: Annotated[str, typer.Argument(help="The amendment, as `tertulia change list` shows it.")],
    token: Token = None,
    *,
    yes: Yes = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Undo a change. Places that have changed since are left, and named."""
    path = f"/editions/{edition_id}/amendments/{amendment_id}/undo"
    with client_of(registration, key) as client:
        make_change(client, "POST", path, None, token, yes=yes)


def make_change(client: httpx.Client, method: str, path: str, body: Any, token: str | None, *, yes: bool) -> None:  # noqa: ANN401 - JSON
    """Show the effects of a change, and make it once they are confirmed."""
    if token is None:
        tried = answer_of(client, method, path, body, {"dry_run": "true"}, _show_problem)
        _show(tried)
        if not yes and not is_confirmed():
            show_line(console, f"Nothing was changed. To make this change: --token {tried['token']}")
            return
        token = tried["token"]
    done, amendment_id = made_change(client, method, path, body, token, _show_problem)
    show_line(console, f"The change is made, as revision {done['revision']}.", style="green")
    show_undo(path.split("/")[2], amendment_id)
    _show_notes(done)


def show_undo(edition_id: str, amendment_id: str | None) -> None:
    """Print the command that undoes a change; nothing without an amendment."""
    if amendment_id:
        show_line(console, f"To undo it within seven days: tertulia change undo {edition_id} {amendment_id}")


def is_confirmed(question: str = "Make this change?") -> bool:
    """Ask for a confirmation at a terminal; False without a terminal."""
    return sys.stdin.isatty() and typer.confirm(question)


def _show_problem(slug: str, problem: dict[str, Any]) -> None:
    """Show the effects that a problem tells. End the command if they differ from those of the token."""
    if "preview" in problem:
        _show(problem)
    if slug == "preview-stale":
        stop(errors, f"The effects differ by now. To make the change with those above: --token {problem['token']}")


def _show(tried: dict[str, Any]) -> None:
    show_effects(tried["preview"])
    _show_notes(tried)


def show_effects(preview: dict[str, Any]) -> None:
    """Print the effects of a change or a list: the numbers, then the encounters with names."""
    counts = preview["counts"]
    told = "They know their agendas." if preview["announced"] else "Agendas are not announced: nobody gets a mail."
    show_line(
        console,
        f"Of {counts['encounters']} encounters {counts['moved']} would move, {counts['waiting']} lose their place and "
        f"wait, {counts['cancelled']} be cancelled; {counts['placed']} more would get a place. {counts['mailed']} "
        f"participants would get a mail. {told}",
    )
    rows = [row for kind in _KINDS for row in _rows(kind, preview[kind], preview["names"])]
    if rows:
        show_table(console, ("Effect", "Participants", "Before", "After"), rows)
    if preview["outside"]:
        show_line(console, f"Sessions outside the days: {', '.join(preview['outside'])}", style="yellow")


def _rows(kind: str, effects: Sequence[dict[str, Any]], names: dict[str, str]) -> list[tuple[str, str, str, str]]:
    rows = [
        (
            kind,
            ", ".join(names.get(person, person) for person in effect["participant_ids_before"]),
            _place(effect["before"]),
            effect["waiting_reason"] or _place(effect["after"]),
        )
        for effect in effects[:_SHOWN]
    ]
    more = len(effects) - len(rows)
    return [*rows, (kind, f"and {more} more", "", "")] if more else rows


def _place(place: dict[str, Any] | None) -> str:
    if place is None:
        return "-"
    return f"{place['starts_at'][:16].replace('T', ' ')}Z {place['zone_id']} {place['table']}"


def _show_notes(answer: dict[str, Any]) -> None:
    for name, style in (("warnings", "yellow"), ("left", "yellow")):
        for note in answer.get(name, ()):
            show_line(console, f"{name}: {note['where']} {note['message']}", style=style)


def _json_of(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        stop(errors, f"{text[:80]} is no JSON merge patch: {error}")
