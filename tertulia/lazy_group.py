"""The commands by name, with a line of help and the module that is imported when the command runs.

Importing all of them takes two seconds, so `tertulia --help` prints names and lines from the table below.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup

from tertulia.output import stop

_OWN_PACKAGES = ("bench", "demo", "deploy", "services", "shared", "tertulia")
#: What installs a module that belongs to no extra.
_WITHOUT_EXTRA = {"pysat": "pip install --pre python-sat (a checkout has it after `make setup`)"}


class Command(NamedTuple):
    """A command, or a group of commands, in a module of its own.

    `app` of the module is a Typer. It holds the command by its name, or is the group. `extra` is the optional
    dependency that installs what the command imports; `{argument}` in it stands for the command's first argument.
    """

    module: str
    help: str
    extra: str


COMMANDS = {
    "agenda": Command("tertulia.agendas", "Print an edition's agendas as of any instant.", "scheduler"),
    "bench": Command("tertulia.benchmarks", "Run a benchmark and print its tables.", "embedded"),
    "change": Command("tertulia.changes", "Show a change of facts before it is made; undo it.", "registration"),
    "deliveries": Command("tertulia.deliveries", "Explain a delivery; resolve unconfirmed mails.", "notify"),
    "dlq": Command("tertulia.dlq", "List dead letters, send them again, or drop them.", "embedded"),
    "doctor": Command("tertulia.doctor", "Name what is wrong with an installation, and its runbook.", "registration"),
    "erase": Command("tertulia.erase", "Erase a person or an organisation.", "registration"),
    "erasures": Command("tertulia.erasures", "List erasures; erase a restored backup again.", "registration"),
    "journal": Command("tertulia.journal_strip", "Move the texts of old journal entries into `people`.", "matching"),
    "key": Command("tertulia.keys", "Add, list and revoke the API keys of an operator.", "registration"),
    "edition": Command("tertulia.editions", "Make editions, and bring them from phase to phase.", "registration"),
    "export": Command("tertulia.exports", "Export a list as a CSV file or a workbook.", "registration"),
    "import": Command("tertulia.imports", "Import a list, after a look at its effects.", "registration"),
    "learn": Command("tertulia.learn", "Fit the weights of affinities to logged decisions.", "learning"),
    "observatory": Command("tertulia.observatory", "Export an edition's graph to a file.", "matching"),
    "operator": Command("tertulia.operators", "Add operators, and set their limits.", "registration"),
    "people": Command("tertulia.people", "Find people and organisations, and correct them.", "registration"),
    "proposals": Command("tertulia.proposals", "List the pairs that matching proposes.", "registration"),
    "rebuild": Command("tertulia.rebuild", "Rebuild a service's state from the topics.", "{argument}"),
    "solve": Command("tertulia.agendas", "Solve an edition from a file.", "scheduler"),
    "topics": Command("tertulia.topics", "Create the topics, or compare them with the broker's.", "embedded"),
    "training": Command("tertulia.training", "Export decisions about pairs, to learn from.", "matching"),
    "webhooks": Command("tertulia.webhooks", "Send an operator's events to receivers.", "registration"),
    "why": Command("tertulia.why", "Explain an encounter's place from the journals.", "scheduler"),
}


class LazyGroup(TyperGroup):
    """The root command. A command of `COMMANDS` is a name and a line of help until it is called."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own, handed on
        super().__init__(**attributes)
        self._is_listing = False
        for name, command in COMMANDS.items():
            self.add_command(TyperCommand(name, help=command.help))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer keeps click's types to itself
        return sorted(super().list_commands(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - likewise
        if cmd_name not in COMMANDS or self._is_listing:
            return super().get_command(ctx, cmd_name)
        group = typer.main.get_group(importlib.import_module(COMMANDS[cmd_name].module).app)
        group.name = cmd_name
        return group.commands.get(cmd_name, group)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - likewise
        with self._listing():
            super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - likewise
        words = [*ctx._protected_args, *ctx.args]  # noqa: SLF001 - the command and its arguments, before they are parsed
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            stop(Console(stderr=True), _how_to_install(error, words))

    @contextmanager
    def _listing(self) -> Iterator[None]:
        self._is_listing = True
        try:
            yield
        finally:
            self._is_listing = False


def _how_to_install(error: ModuleNotFoundError, words: list[str]) -> str:
    module, command = (error.name or str(error)).split(".")[0], words[0]
    if module in _OWN_PACKAGES:
        return f"`tertulia {command}` needs the module {error.name}, which is not part of this installation."
    if module in _WITHOUT_EXTRA:
        return f"`tertulia {command}` needs the module {module}, which is not installed: {_WITHOUT_EXTRA[module]}."
    argument = next((word for word in words[1:] if not word.startswith("-")), "embedded")
    extra = COMMANDS[command].extra.format(argument=argument) if command in COMMANDS else "embedded"
    return (
        f"`tertulia {command}` needs the module {module}, which is not installed: "
        f"pip install 'tertulia[{extra}]' (a checkout has all extras after `make setup`)."
    )
