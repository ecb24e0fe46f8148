"""`tertulia webhooks`: receivers of an operator's events, their deliveries, and replays."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.console import Console

from tertulia.output import show_line, show_table
from tertulia.registration_api import HERE, Address, Key, answer_of, client_of

app = typer.Typer(
    no_args_is_help=True,
    help="Send an operator's events to receivers: add and test webhooks, look at deliveries, send them again.",
)
console = Console()
WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK", help="As `list` prints it.")]
_PAGE: Final = 500


@app.command("list")
def list_webhooks(registration: Address = HERE, key: Key = "") -> None:
    """List the webhooks of the operator. The operator's key is read from TERTULIA_API_KEY."""
    with client_of(registration, key) as client:
        items = answer_of(client, "GET", "/webhooks")["items"]
    if not items:
        show_line(console, "The operator has no webhooks.")
        return
    show_table(console, ("Webhook", "Label", "State", "Edition", "Types", "Delivered last", "URL"), map(_row, items))


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="The address of the receiver, https.")],
    label: Annotated[str, typer.Option(help="For people, such as the program that receives.")] = "command line",
    edition: Annotated[str | None, typer.Option(help="Only the events of this edition; all if left out.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="A kind of events, such as agenda, once or several times.")
    ] = None,
    algorithm: Annotated[str, typer.Option(help="hmac-sha256 or ed25519.")] = "hmac-sha256",
    from_start: Annotated[bool, typer.Option(help="Tell all events of the feed, before those to come.")] = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Add a webhook, and print the secret with which the receiver verifies, once."""
    body = {
        "url": url,
        "label": label,
        "edition_id": edition,
        "types": kind or [],
        "algorithm": algorithm,
        "from_start": from_start,
    }
    with client_of(registration, key) as client:
        made = answer_of(client, "POST", "/webhooks", body)
    show_line(console, f"{made['webhook_id']} added. The receiver verifies with this text, which is shown once:")
    show_line(console, made["secret"])


@app.command("test")
def send_test(webhook: WebhookId, registration: Address = HERE, key: Key = "") -> None:
    """Send a test message now, and print the receiver's answer. Exit 1 if it is not taken."""
    with client_of(registration, key) as client:
        tried = answer_of(client, "POST", f"/webhooks/{webhook}/test")
    outcome = tried["tries"][-1]
    if tried["state"] == "delivered":
        show_line(console, f"{tried['message_id']} taken: {outcome['status']} after {outcome['seconds']:.2f} s")
        return
    show_line(console, f"{tried['message_id']} not taken: {outcome['error']}", style="red")
    if tried["response_body"]:
        show_line(console, tried["response_body"])
    raise typer.Exit(1)


@app.command()
def deliveries(
    webhook: WebhookId,
    state: Annotated[str | None, typer.Option(help="Only open, delivered or failed ones.")] = None,
    most: Annotated[int, typer.Option(min=1, max=_PAGE, help="Deliveries to show, newest first.")] = 50,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """List deliveries, newest first, with the outcome of the last try."""
    query = {"limit": str(most)} | ({"state": state} if state else {})
    with client_of(registration, key) as client:
        items = answer_of(client, "GET", f"/webhooks/{webhook}/deliveries", query=query)["items"]
    if not items:
        show_line(console, "There is no such delivery.")
        return
    columns = ("Made", "Message", "State", "Event", "Thing", "Tries", "Last try", "Next try")
    show_table(console, columns, map(_delivery_row, items))


@app.command()
def replay(
    webhook: WebhookId,
    message: Annotated[str | None, typer.Option(help="Only this message; all failed ones if left out.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Made at this time or later: 2026-11-26T09:00Z.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Made before this time.")] = None,
    delivered: Annotated[bool, typer.Option("--delivered", help="Delivered messages as well.")] = False,
    registration: Address = HERE,
    key: Key = "",
) -> None:
    """Send ended deliveries again, under their message ids."""
    with client_of(registration, key) as client:
        if message is not None:
            again = answer_of(client, "POST", f"/webhooks/{webhook}/deliveries/{message}/replay")
        else:
            body = {"from": since, "to": until, "only_failed": not delivered}
            again = answer_of(client, "POST", f"/webhooks/{webhook}/replay", body)
    show_line(console, f"{again['deliveries']} deliveries are sent again.")


def _row(webhook: dict[str, Any]) -> tuple[str, ...]:
    failing = webhook["failing_since"]
    state = webhook["disabled_reason"] or (f"failing since {failing}" if failing else "at work")
    kinds = " ".join(name.removeprefix("org.tertulia.").removesuffix(".v1") for name in webhook["types"])
    return (
        webhook["webhook_id"],
        webhook["label"],
        f"disabled: {state}" if webhook["is_disabled"] else state,
        webhook["edition_id"] or "all",
        kinds or "all",
        webhook["last_delivered_at"] or "never",
        webhook["url"],
    )


def _delivery_row(delivery: dict[str, Any]) -> tuple[str, ...]:
    last = delivery["tries"][-1] if delivery["tries"] else None
    outcome = "-" if last is None else last["error"] or f"{last['status']} after {last['seconds']:.2f} s"
    return (
        delivery["created_at"],
        delivery["message_id"],
        delivery["state"],
        delivery["type"].removeprefix("org.tertulia.").removesuffix(".v1"),
        f"{delivery['edition_id']}/{delivery['thing'].partition('/')[2]}",
        str(delivery["tries_made"]),
        outcome,
        delivery["due_at"] or "-",
    )
