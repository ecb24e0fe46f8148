"""`tertulia`: the operator's and the SRE's command line.

Each command imports what it needs when it runs, so that the tool works where one service alone is installed.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import itertools
import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from services import SERVICES

if TYPE_CHECKING:
    from deploy.embedded.supervisor import Supervisor


class Broker(StrEnum):
    """The brokers the embedded stack can start."""

    TANSU = "tansu"
    KAFKA = "kafka"


def _one_or_three(brokers: int) -> int:
    if brokers not in {1, 3}:
        raise typer.BadParameter("one broker, or three: two lose their majority when either is away")
    return brokers


BROKERS = typer.Option(callback=_one_or_three, help="One broker of Apache Kafka, or three.")


class _Rooms(TyperGroup):
    """Commands that are in modules of their own, each loaded when it is called: loading all takes two seconds."""

    MODULES: ClassVar = {
        "agenda": "tertulia.agendas",
        "deliveries": "tertulia.deliveries",
        "dlq": "tertulia.dlq",
        "learn": "tertulia.learn",
        "observatory": "tertulia.observatory",
        "operator": "tertulia.operators",
        "rebuild": "tertulia.rebuild",
        "solve": "tertulia.agendas",
        "topics": "tertulia.topics",
        "training": "tertulia.training",
        "why": "tertulia.why",
    }

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer keeps click's types to itself
        return sorted([*super().list_commands(ctx), *self.MODULES])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - likewise
        if cmd_name not in self.MODULES:
            return super().get_command(ctx, cmd_name)
        made = typer.main.get_group(importlib.import_module(self.MODULES[cmd_name]).app)
        return getattr(made, "commands", {}).get(cmd_name, made)


app = typer.Typer(cls=_Rooms, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console()
#: Columns of a table that goes to a file or a pipe, where nothing says how wide it may be.
_FILE_WIDTH = 220


@app.command()
def up(
    folder: Annotated[Path, typer.Option(help="For logs, mails and data.")] = Path(".tertulia"),
    broker: Annotated[
        Broker, typer.Option(help="Tansu starts faster; Apache Kafka needs Java and Maven.")
    ] = Broker.TANSU,
    brokers: Annotated[int, BROKERS] = 1,
) -> None:
    """Start the embedded stack: broker, database, mail sink and the four services, until Ctrl-C."""
    from deploy.embedded.stack import Stack  # noqa: PLC0415

    stack = Stack(folder, broker=broker.value, brokers=brokers)

    def announce() -> None:
        for name, address in stack.addresses.items():
            console.print(f"{name:<13}{address}", highlight=False)
        console.print(f"{'mails':<13}{stack.mails}\n{'logs':<13}{stack.logs}", highlight=False)
        joined = " ".join(f"{name}={value}" for name, value in stack.environment.items())
        console.print(
            f"\nFor other commands: export {joined}\nCtrl-C stops everything.", highlight=False, soft_wrap=True
        )

    _supervise(stack, announce)


@app.command()
def kafka(
    folder: Annotated[Path, typer.Option(help="For logs and data.")] = Path(".tertulia/kafka"),
    brokers: Annotated[int, BROKERS] = 1,
) -> None:
    """Fetch Apache Kafka from Maven Central, and run it until Ctrl-C."""
    from deploy.kafka.cluster import KafkaCluster  # noqa: PLC0415

    cluster = KafkaCluster(folder, brokers)
    _supervise(cluster, lambda: console.print(f"bootstrap servers {cluster.bootstrap}; Ctrl-C stops", highlight=False))


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed makes the same edition.")] = 2018,
    scale: Annotated[float, typer.Option(min=0.05, max=1.0, help="1 is ITECAM's edition of 2018.")] = 1.0,
    output: Annotated[Path, typer.Option(help="Where the results go.")] = Path("demo-output"),
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running, with its addresses.")] = False,
    kill: Annotated[str | None, typer.Option(help="A service to kill once midway (SIGKILL) and start again.")] = None,
) -> None:
    """Run a whole edition on the embedded stack, with ten late changes, and check everything about it."""
    from demo.run import DemoOptions, run  # noqa: PLC0415

    if kill not in {None, *SERVICES}:
        raise typer.BadParameter(f"{kill!r} is not one of {', '.join(SERVICES)}", param_hint="--kill")
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
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Only say what differs; exit 1 if anything does.")] = False,
) -> None:
    """Write the reference pages that are made from the code: AsyncAPI, topics, settings, metrics."""
    from tertulia import reference  # noqa: PLC0415

    paths = reference.drifted(Path()) if check else reference.write(Path())
    for path in paths:
        console.print(f"{path} {'is not what the code says: run `tertulia docs`' if check else 'written'}")
    if check and paths:
        raise typer.Exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A module of bench/, such as `matching`.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with benchmark data, where the benchmark wants any.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the rows to this file.")] = None,
) -> None:
    """Run a benchmark and print its tables; what its own `run` takes can be said too, as in `--seconds 10`."""
    if not (name.isidentifier() and importlib.util.find_spec(f"bench.{name}")):
        known = ["b2b", *sorted(p.stem for p in (Path(__file__).parent.parent / "bench").glob("[a-z]*.py"))]
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(known)}")
    module = importlib.import_module(f"bench.{name}")
    rows: list[dict[str, object]] = module.run(data, **_own_options(context.args, module.run))
    tables = console if console.is_terminal else Console(width=_FILE_WIDTH)
    tables.print((module.__doc__ or name).strip().splitlines()[0], highlight=False)
    for columns, alike in itertools.groupby(rows, key=tuple):  # a table for each kind of row
        table = Table(*columns)
        for row in alike:
            table.add_row(*(_cell(row[column]) for column in columns))
        tables.print(table)
    if json_file:
        json_file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _own_options(arguments: list[str], run: Callable[..., object]) -> dict[str, str]:
    known = list(inspect.signature(run).parameters)[1:]
    names = [name.removeprefix("--") for name in arguments[::2]]
    for name in names:
        if name not in known or len(arguments) % 2:
            raise typer.BadParameter(f"--{name} VALUE is not one of {', '.join(known) or 'none'}")
    return dict(zip(names, arguments[1::2], strict=True))


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run the command line."""
    try:
        app(prog_name="tertulia")
    except ModuleNotFoundError as missing:
        console.print(
            f"This command needs {missing.name}: install tertulia[embedded], or the service's extra.", style="red"
        )
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
