"""`tertulia`: the operator's and the SRE's command line.

Each command imports what it needs when it runs: with only one service installed, the others' commands say so.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tertulia import dlq, topics

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(topics.app, name="topics")
app.add_typer(dlq.app, name="dlq")
console = Console()


def run(work: Coroutine[Any, Any, int]) -> None:
    """Run a command's work and leave with its exit code; Ctrl-C is a clean end."""
    try:
        raise typer.Exit(asyncio.run(work))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


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


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="A module of bench/, such as `affinity`.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with benchmark data, where the benchmark wants any.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the rows to this file.")] = None,
) -> None:
    """Run a benchmark and print its table."""
    if not (name.isidentifier() and importlib.util.find_spec(f"bench.{name}")):
        known = sorted(p.stem for p in (Path(__file__).parent.parent / "bench").glob("[a-z]*.py"))
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(known)}")
    module = importlib.import_module(f"bench.{name}")
    rows: list[dict[str, object]] = module.run(data)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(*columns, title=(module.__doc__ or name).strip().splitlines()[0])
    for row in rows:
        table.add_row(*(_cell(row.get(column, "")) for column in columns))
    console.print(table)
    if json_file:
        json_file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run the command line from the project's folder, where there is one."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    app(prog_name="tertulia")


if __name__ == "__main__":
    main()
