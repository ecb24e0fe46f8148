"""`tertulia topics`: the broker's topics, from their declarations."""

from __future__ import annotations

import asyncio

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from shared.messaging import topic_admin
from shared.messaging.topic_admin import TopicsDiffer
from shared.runtime.settings import ConnectionSettings

app = typer.Typer(no_args_is_help=True, help="Create the topics of the contract, or compare them with the broker's.")
console = Console()


@app.command()
def apply() -> None:
    """Create what is missing. Never changes a topic that exists."""
    settings = ConnectionSettings()
    try:
        created = asyncio.run(topic_admin.apply(settings))
    except (KafkaError, TopicsDiffer) as error:
        console.print(f"[red]topics not applied[/red] on {settings.kafka_bootstrap}: {error}")
        raise typer.Exit(1) from None
    for name in created:
        console.print(f"created {name}")
    console.print(f"{len(created)} topics created; the broker is as declared.")


@app.command()
def diff() -> None:
    """Say where the broker is not as declared; exit 1 if anywhere."""
    settings = ConnectionSettings()
    try:
        differences = asyncio.run(topic_admin.diff(settings))
    except KafkaError as error:
        console.print(f"[red]no answer[/red] from {settings.kafka_bootstrap}: {error}")
        raise typer.Exit(1) from None
    table = Table("Topic", "Difference", "Mended by `topics apply`")
    for difference in differences:
        table.add_row(difference.topic, difference.what, "yes" if difference.mended_by_apply else "no")
    console.print(table if differences else "The broker is as declared.")
    raise typer.Exit(1 if differences else 0)
