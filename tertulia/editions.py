"""`tertulia edition`: editions are made, looked at, and brought from phase to phase."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tertulia.output import show_line, show_table
from tertulia.registration_api import HERE, Address, Edition, Key, answer_of, client_of, pages_of

if TYPE_CHECKING:
    import httpx

app = typer.Typer(
    no_args_is_help=True,
    help="Make editions and bring them from phase to phase, by registration's API. "
    "The operator's key is read from TERTULIA_API_KEY.",
)
console = Console()
_HOURS = re.compile(r"(\d{1,2}:\d\d)-(\d{1,2}:\d\d)")


class NextPhase(StrEnum):
    """A phase that an organiser brings an edition to."""

    PUBLISHED = "published"
    CLOSED = "closed"


def _hours(text: str) -> tuple[time, time]:
    found = _HOURS.fullmatch(text.replace(" ", ""))
    try:
        starts, ends = (time.fromisoformat(clock.zfill(5)) for clock in found.groups()) if found else (None, None)
    except ValueError:
        starts = ends = None
    if starts is None or ends is None or starts >= ends:
        raise typer.BadParameter(f"{text!r} is no time of a day: write it as 09:00-14:00")
    return starts, ends


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="For people, such as 'B2B meeting 2027'.")],
    *,
    day: Annotated[list[datetime], typer.Option(formats=["%Y-%m-%d"], help="A day of meetings; repeat it for more.")],
    timezone: Annotated[str, typer.Option(help="An IANA time zone, such as Europe/Madrid.")],
    hours: Annotated[str, typer.Option(help="When meetings take place on each day.")] = "09:00-14:00",
    pause: Annotated[list[str] | None, typer.Option("--break", help="A break, such as 11:00-11:30.")] = None,
    slot_minutes: Annotated[int, typer.Option("--slot", min=5, max=240, help="Minutes of a meeting.")] = 20,
    tables: Annotated[int, typer.Option(min=1, max=500, help="Number of tables, named 1, 2, 3 ...")] = 10,
    answers: Annotated[
        bool, typer.Option(help="A request needs the answer of the other side; else two are placed once one asks.")
    ] = True,
    venue: Annotated[str, typer.Option(help="Where it takes place: mails and calendars name it.")] = "",
    address: Annotated[str, typer.Option(help="Street and town of the venue.")] = "",
    contact_email: Annotated[
        str, typer.Option(help="Where participants ask: mails name it, and replies go there.")
    ] = "",
    contact_phone: Annotated[str, typer.Option(help="A phone number for questions: mails name it.")] = "",
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Make an edition with one room of tables. The HTTP API takes more: sessions, zones, quotas, goals."""
    if address and not venue:
        raise typer.BadParameter("--address needs the name of the place before it: --venue 'Town Hall'")
    starts, ends = _hours(hours)
    breaks = [{"starts": f"{one:%H:%M}", "ends": f"{other:%H:%M}"} for one, other in map(_hours, pause or ())]
    body = {
        "name": name,
        "timezone": timezone,
        "days": [
            {"date": f"{at:%Y-%m-%d}", "starts": f"{starts:%H:%M}", "ends": f"{ends:%H:%M}", "breaks": breaks}
            for at in sorted(day)
        ],
        "slot_minutes": slot_minutes,
        "zones": [
            {"zone_id": "tables", "kind": "workspace", "name": "Tables", "tables": [str(n + 1) for n in range(tables)]}
        ],
        "consent_policy": "mutual" if answers else "requester",
        "venue": {"name": venue, "address": address or None} if venue else None,
        "contact": {"email": contact_email or None, "phone": contact_phone or None}
        if contact_email or contact_phone
        else None,
    }
    with client_of(registration, key) as client:
        made = answer_of(client, "POST", "/editions", body)
    _show_warnings(made)
    typer.echo(made["edition_id"])


@app.command("list")
def list_editions(registration: Address = HERE, key: Key = "") -> None:
    """List the operator's editions."""
    with client_of(registration, key) as client:
        rows = [
            (item["edition_id"], item["name"], item["phase"], _days(item))
            for page in pages_of(client, "/editions")
            for item in page["items"]
        ]
    if rows:
        show_table(console, ("Edition", "Name", "Phase", "Days"), rows)
    else:
        show_line(console, "No edition so far: make one with `tertulia edition new`.")


@app.command()
def show(edition_id: Edition, registration: Address = HERE, key: Key = "") -> None:
    """Count the participants, requests and encounters of an edition."""
    with client_of(registration, key) as client:
        edition = answer_of(client, "GET", f"/editions/{edition_id}")
        rows = [
            (noun, state, str(count))
            for noun, state_of in _STATES.items()
            for state, count in sorted(_by_state(client, f"/editions/{edition_id}/{noun}", state_of).items())
        ]
    show_line(console, f"{edition['name']}, {edition['phase']}, {_days(edition)} ({edition['timezone']})")
    show_table(console, ("Of", "State", "Number"), rows)


@app.command()
def phase(edition_id: Edition, to: NextPhase, registration: Address = HERE, key: Key = "") -> None:
    """Bring an edition to a phase. `published` announces the agendas: participants get their mails."""
    with client_of(registration, key) as client:
        changed = answer_of(client, "PATCH", f"/editions/{edition_id}", {"phase": to.value})
    _show_warnings(changed)
    show_line(console, f"{changed['name']} is {changed['phase']}.", style="green")


def _by_state(client: httpx.Client, path: str, state_of: States) -> Counter[str]:
    items = [item for page in pages_of(client, path, {"limit": "500"}) for item in page["items"]]
    return Counter(state_of(items))


def _states_of_requests(items: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the states of match requests: two that have asked for each other need no answer."""
    asked = {(item["requester_id"], item["target_id"]) for item in items if item["state"] in {"requested", "accepted"}}
    for item in items:
        is_mutual = item["state"] == "requested" and (item["target_id"], item["requester_id"]) in asked
        yield "asked by both" if is_mutual else "unanswered" if item["state"] == "requested" else item["state"]


States = Callable[[Sequence[dict[str, Any]]], Iterable[str]]
#: Lists of an edition, with the states of their items.
_STATES: dict[str, States] = {
    "organisations": lambda items: (item["status"] for item in items),
    "participants": lambda items: (item["status"] for item in items),
    "match-requests": _states_of_requests,
    "encounters": lambda items: (item["state"] for item in items),
}


def _days(edition: dict[str, Any]) -> str:
    return ", ".join(day["date"] for day in edition["days"])


def _show_warnings(answer: dict[str, Any]) -> None:
    for warning in answer.get("warnings", ()):
        show_line(console, f"warning: {warning['where']} {warning['message']}", style="yellow")
