"""`tertulia topics`: creates the declared topics on the broker, compares them, and prints the least access rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from shared.messaging import access_rules, topic_admin
from shared.messaging.access_rules import RightsShared
from shared.messaging.topic_admin import TopicsDiffer
from shared.runtime.settings import ConnectionSettings, read_settings
from tertulia.connections import Backend, run_connected
from tertulia.output import show_line, show_table, stop

app = typer.Typer(no_args_is_help=True, help="Create the topics of the contract, or compare them with the broker's.")
console = Console()


class AclFormat(StrEnum):
    """A format of access rules."""

    COMMANDS = "commands"
    JSON = "json"


@app.command()
def apply() -> None:
    """Create the missing topics, and bring the compaction lag of old topics up to date. Changes nothing further."""
    settings = read_settings(ConnectionSettings)
    try:
        created = run_connected(topic_admin.apply(settings), Backend.BROKER)
    except TopicsDiffer as error:
        stop(console, f"topics not applied on {settings.kafka_bootstrap}: {error}")
    for name in created:
        show_line(console, f"applied {name}")
    show_line(console, f"{len(created)} topics created or brought up to date; the broker is as declared.")


@app.command()
def diff() -> None:
    """List the topics that differ from their declarations; exit 1 if any."""
    settings = read_settings(ConnectionSettings)
    differences = run_connected(topic_admin.diff(settings), Backend.BROKER)
    if not differences:
        show_line(console, "The broker is as declared.")
        return
    rows = [(found.topic, found.detail, "yes" if found.mended_by_apply else "no") for found in differences]
    show_table(console, ("Topic", "Difference", "Mended by `topics apply`"), rows)
    raise typer.Exit(1)


@app.command()
def restore() -> None:
    """Publish the newest event of every thing again, from the databases: after a broker has lost its records.

    Create the topics first (`tertulia topics apply`). Known revisions change nothing, so that it can be repeated.
    """
    from tertulia.restoring import restore as restore_topics  # noqa: PLC0415

    told = run_connected(restore_topics(read_settings(ConnectionSettings)), Backend.BROKER, Backend.DATABASE)
    show_table(console, ("Topic", "Records"), [(topic, str(count)) for topic, count in sorted(told.items())])


@app.command()
def acls(
    principal: Annotated[
        list[str] | None,
        typer.Option(help="`SERVICE=PRINCIPAL`, such as `matching=User:b2b-matching`; `User:SERVICE` if unset."),
    ] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(
            help="A reader outside of the services: `NAME` or `NAME=PRINCIPAL`. Its groups begin with `NAME-`."
        ),
    ] = None,
    format_: Annotated[
        AclFormat, typer.Option("--format", help="Command lines of kafka-acls, or the rules as JSON.")
    ] = AclFormat.COMMANDS,
    tool: Annotated[str, typer.Option(help="Path of Kafka's kafka-acls or kafka-acls.sh.")] = "kafka-acls",
    config_file: Annotated[
        str, typer.Option(help="The client properties of the broker's administrator, for kafka-acls.")
    ] = "admin.properties",
) -> None:
    """Print the least access rules (ACLs) of the services and of readers outside of them. Asks no broker.

    The rules follow from the declarations of the topics. Nothing is removed: compare with `kafka-acls --list`.
    """
    try:
        rules = access_rules.rules_of_all(_pairs(principal or ()), _pairs(reader or ()))
    except RightsShared as error:
        stop(console, f"no access rules: {error}")
    if format_ is AclFormat.JSON:
        typer.echo(json.dumps([rule.to_json() for rule in rules], indent=1))
    else:
        bootstrap = read_settings(ConnectionSettings).kafka_bootstrap
        typer.echo("\n".join(access_rules.commands(rules, tool, bootstrap, config_file)))


def _pairs(options: Sequence[str]) -> dict[str, str]:
    """Return principals by name; without a principal in the option, `User:<name>`."""
    named = [option.partition("=") for option in options]
    if twice := {name for name, *_ in named if [other for other, *_ in named].count(name) > 1}:
        raise RightsShared(f"{', '.join(sorted(twice))} is given twice")
    return {name: principal or f"User:{name}" for name, _, principal in named}
