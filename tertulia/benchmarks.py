"""`tertulia bench`: the benchmarks of `bench/`, with their options and tables."""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console

from bench import BenchmarkError
from tertulia.output import show_line, show_table, stop

app = typer.Typer()
console = Console()
_FOLDER = Path(__file__).parent.parent / "bench"


def benchmarks() -> dict[str, str]:
    """The benchmarks: name to module. A benchmark is a module of `bench/`, or a package with a module `command`."""
    modules = {path.stem: f"bench.{path.stem}" for path in _FOLDER.glob("[a-z]*.py")}
    packages = {path.parent.name: f"bench.{path.parent.name}.command" for path in _FOLDER.glob("*/command.py")}
    return dict(sorted({**modules, **packages}.items()))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(benchmarks())}.")],
    data: Annotated[
        Path | None, typer.Option(help="The folder with the benchmark's data, for a benchmark that reads data.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the rows to this file.")] = None,
) -> None:
    """Run a benchmark and print its tables.

    A benchmark's own options are the parameters of its `run`, such as `--seconds 10`.
    """
    module = _module_of(name)
    options = _own_options(context.args, module.run)
    try:
        rows: list[dict[str, object]] = module.run(data, **options)
    except BenchmarkError as error:
        stop(Console(stderr=True), f"the benchmark {name} cannot run: {error}")
    show_line(console, (module.__doc__ or name).strip().splitlines()[0])
    for columns, alike in itertools.groupby(rows, key=tuple):  # a table for each kind of row
        show_table(console, columns, [[_cell(row[column]) for column in columns] for row in alike])
    if json_file:
        json_file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _module_of(name: str) -> ModuleType:
    known = benchmarks()
    if name not in known:
        close = get_close_matches(name, known)
        hint = f": did you mean {close[0]!r}?" if close else f": it is one of {', '.join(known)}"
        raise typer.BadParameter(f"there is no benchmark {name!r}{hint}", param_hint="NAME")
    return importlib.import_module(known[name])


def _own_options(arguments: list[str], run: Callable[..., object]) -> dict[str, str]:
    known = list(inspect.signature(run).parameters)[1:]
    names = [argument.removeprefix("--") for argument in arguments[::2]]
    for name in names:
        if name not in known or len(arguments) % 2:
            raise typer.BadParameter(f"--{name} VALUE is not one of {', '.join(known) or 'none'}")
    return dict(zip(names, arguments[1::2], strict=True))


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
