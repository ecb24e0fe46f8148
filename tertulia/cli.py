"""The command line of operators and SREs.

A command imports its modules when it runs, so that the tool works where a single service is installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from services import SERVICES
from tertulia.lazy_group import LazyGroup
from tertulia.output import show_line, stop

if TYPE_CHECKING:
    from deploy.embedded.supervisor import Supervisor


class BrokerKind(StrEnum):
    """The brokers that `tertulia up` can start, or the choice of one by what the machine has."""

    AUTO = "auto"
    TANSU = "tansu"
    KAFKA = "kafka"


def _one_or_three(brokers: int) -> int:
    if brokers not in {1, 3}:
        raise typer.BadParameter(f"{brokers} brokers: start 1 or 3, since two lose their majority with one of them")
    return brokers


BROKERS = typer.Option(callback=_one_or_three, help="Brokers of Apache Kafka: 1 or 3.")

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tertulia's command line, for operators and SREs. `tertulia COMMAND --help` describes a command.",
)
console = Console()


@app.command()
def up(
    folder: Annotated[Path, typer.Option(help="Folder for logs, mails and data; its content outlasts Ctrl-C.")] = Path(
        ".tertulia"
    ),
    broker: Annotated[
        BrokerKind,
        typer.Option(
            help="`kafka` keeps its records, and needs Java and Maven. `tansu` starts faster, keeps nothing, and is "
            "told again from the database. `auto`: Apache Kafka where its Java is, else Tansu."
        ),
    ] = BrokerKind.AUTO,
    brokers: Annotated[int, BROKERS] = 1,
) -> None:
    """Run broker, database, mail sink and services until Ctrl-C.

    The next start in the same folder continues with its data.
    """
    from deploy.embedded.kept import FolderUnusable  # noqa: PLC0415
    from tertulia.kept_stack import KeptStack  # noqa: PLC0415

    try:
        stack = KeptStack.in_folder(folder, broker.value, brokers, console)
        _supervise(stack, stack.announce)
    except FolderUnusable as error:
        stop(console, str(error))


@app.command()
def kafka(
    folder: Annotated[Path, typer.Option(help="Folder for logs and data.")] = Path(".tertulia/kafka"),
    brokers: Annotated[int, BROKERS] = 1,
) -> None:
    """Run Apache Kafka from Maven Central until Ctrl-C."""
    from deploy.kafka.cluster import KafkaCluster  # noqa: PLC0415

    cluster = KafkaCluster(folder, brokers)
    _supervise(cluster, lambda: show_line(console, f"bootstrap servers {cluster.bootstrap}; Ctrl-C stops"))


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Seed of the edition: the same seed draws the same edition.")] = 2018,
    scale: Annotated[float, typer.Option(min=0.05, max=1.0, help="Size of the edition; 1 is ITECAM's of 2018.")] = 1.0,
    output: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("demo-output"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the stack running afterwards, and print its addresses.")
    ] = False,
    kill: Annotated[str | None, typer.Option(help="Service to kill once midway (SIGKILL) and start again.")] = None,
) -> None:
    """Run a whole edition on the embedded stack, and check it."""
    from demo.run import DemoOptions, run  # noqa: PLC0415

    if kill not in {None, *SERVICES}:
        raise typer.BadParameter(
            f"there is no service {kill!r}: it is one of {', '.join(SERVICES)}", param_hint="--kill"
        )
    options = DemoOptions(seed=seed, scale=scale, output=output, keep=keep, kill=kill)
    try:
        raise typer.Exit(asyncio.run(run(options, console)))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _supervise(supervisor: Supervisor, announce: Callable[[], None]) -> None:
    from deploy.embedded.process import ProcessFailed  # noqa: PLC0415
    from deploy.embedded.supervisor import run  # noqa: PLC0415
    from deploy.kafka.jars import KafkaUnavailable  # noqa: PLC0415

    try:
        asyncio.run(run(supervisor, announce))
    except (KafkaUnavailable, ProcessFailed) as error:
        stop(console, str(error))


@app.command()
def docs(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: list the pages that differ; exit 1 if any.")
    ] = False,
) -> None:
    """Write the reference pages from the code."""
    from tertulia import reference  # noqa: PLC0415

    paths = reference.drifted(Path()) if check else reference.write(Path())
    for path in paths:
        show_line(console, f"{path} {'differs from the code: run `tertulia docs`' if check else 'written'}")
    if check and paths:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line."""
    app(prog_name="tertulia")


if __name__ == "__main__":
    main()
