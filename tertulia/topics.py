"""`tertulia topics`: creates the declared topics on the broker, and compares them."""

from __future__ import annotations

import typer
from rich.console import Console

from shared.messaging import topic_admin
from shared.messaging.topic_admin import TopicsDiffer
from shared.runtime.settings import ConnectionSettings
from tertulia.connections import Backend, run_connected
from tertulia.output import show_line, show_table, stop

app = typer.Typer(no_args_is_help=True, help="Create the topics of the contract, or compare them with the broker's.")
console = Console()


@app.command()
def apply() -> None:
    """Create the missing topics. Never changes a topic that exists."""
    settings = ConnectionSettings()
    try:
        created = run_connected(topic_admin.apply(settings), Backend.BROKER)
    except TopicsDiffer as error:
        stop(console, f"topics not applied on {settings.kafka_bootstrap}: {error}")
    for name in created:
        show_line(console, f"created {name}")
    show_line(console, f"{len(created)} topics created; the broker is as declared.")


@app.command()
def diff() -> None:
    """List the topics that differ from their declarations; exit 1 if any."""
    settings = ConnectionSettings()
    differences = run_connected(topic_admin.diff(settings), Backend.BROKER)
    if not differences:
        show_line(console, "The broker is as declared.")
        return
    rows = [(found.topic, found.detail, "yes" if found.mended_by_apply else "no") for found in differences]
    show_table(console, ("Topic", "Difference", "Mended by `topics apply`"), rows)
    raise typer.Exit(1)
