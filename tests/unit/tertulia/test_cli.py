"""The command line as a reader and as scripts see it: names, suggestions, missing extras, held lines."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.registration import operators
from tertulia import cli, connections
from tertulia.cli import app
from tertulia.lazy_group import COMMANDS

NAMES = sorted([*COMMANDS, "demo", "docs", "kafka", "up"])
_LISTED = "import sys; from tertulia.cli import app; app(['--help'], standalone_mode=False); print(*sys.modules)"


def output_of(*arguments: str) -> str:
    return " ".join(CliRunner().invoke(app, arguments).output.replace("│", " ").split())


def test_help_lists_each_command_by_name_with_one_line_of_help() -> None:
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["--help"]).stdout
    listed = re.findall(r"^│ ([a-z]+) +(\S.*\S) +│$", shown.split(" Commands ")[1], re.MULTILINE)
    assert [name for name, _ in listed] == NAMES
    assert [line for _, line in listed if not line.endswith(".")] == []


def test_help_imports_no_command_and_no_driver() -> None:
    done = subprocess.run([sys.executable, "-c", _LISTED], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {
        "aiokafka",
        "fastapi",
        "motor",
        "numpy",
        "pydantic",
        "pymongo",
        *(entry.module for entry in COMMANDS.values()),
    }
    assert loaded & heavy == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_each_listed_command_is_loaded_by_its_name(name: str) -> None:
    assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0
    assert output_of(name, "--help").startswith(f"Usage: root {name} ")


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [(["rebuidl"], "rebuild"), (["demoo"], "demo"), (["dlq", "lst"], "list"), (["operator", "ad-key"], "add-key")],
)
def test_a_mistyped_command_is_answered_with_the_nearest_name(arguments: list[str], suggestion: str) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2
    assert f"Did you mean '{suggestion}'" in output_of(*arguments)


@pytest.mark.parametrize(
    ("missing", "arguments", "remedy"),
    [
        ("sklearn", ["learn", __file__], "pip install 'tertulia[learning]'"),
        ("services.notify.store", ["deliveries", "list"], "not part of this installation"),
        ("email_validator", ["rebuild", "registration"], "pip install 'tertulia[registration]'"),
        ("pysat", ["solve", "three.dzn"], "pip install --pre python-sat"),
    ],
)
def test_a_missing_module_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, missing: str, arguments: list[str], remedy: str
) -> None:
    def load(_: str) -> None:
        raise ModuleNotFoundError(name=missing)

    monkeypatch.setattr(importlib, "import_module", load)
    assert CliRunner().invoke(app, arguments).exit_code == 1
    assert missing.split(".", maxsplit=1)[0] in output_of(*arguments)
    assert remedy in output_of(*arguments)


def test_up_prints_the_lines_that_scripts_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def announce(supervisor: Any, report: Callable[[], None]) -> None:
        report()
        supervisor._held.close()

    monkeypatch.setattr(cli, "_supervise", announce)
    folder = tmp_path / ("m" * 80)
    cli.up(folder, cli.BrokerKind.TANSU, 1)
    *addresses, empty, kept, sender, others, file, end = capsys.readouterr().out.splitlines()
    assert [re.sub(r":\d{5}\b", ":PORT", line) for line in addresses] == [
        "kafka        127.0.0.1:PORT",
        "mongo        mongodb://127.0.0.1:PORT/?retryWrites=false",
        "smtp         127.0.0.1:PORT",
        "registration http://127.0.0.1:PORT",
        "matching     http://127.0.0.1:PORT",
        "scheduler    http://127.0.0.1:PORT",
        "notify       http://127.0.0.1:PORT",
        "portal       http://127.0.0.1:PORT",
        "events       http://127.0.0.1:PORT",
        f"mails        {folder}/mails",
        f"logs         {folder}/logs",
    ]
    assert (empty, kept.split()[0], end.split(";")[0]) == ("", "Tansu", "Ctrl-C stops everything")
    assert sender.startswith("Mails stay in the folder of mails. Their sender is ")
    assert others.startswith("For other commands: export TERTULIA_KAFKA_BOOTSTRAP=127.0.0.1:")
    assert file == f"The same from a file: . {folder}/environment"
    read_by_shell = ["/bin/sh", "-c", f". {folder}/environment; env"]
    told = subprocess.run(read_by_shell, check=True, capture_output=True, text=True).stdout
    assert f"TERTULIA_MONGO_URL={addresses[1].split()[1]}" in told


def test_operator_add_prints_the_key_alone_on_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async def add_operator(*_: object) -> str:
        return f"key_0123456789ab.{'s' * 90}"

    async def answers(*_: object) -> None: ...

    monkeypatch.setattr(connections, "check", answers)
    monkeypatch.setattr(operators, "add_operator", add_operator)
    shown = CliRunner().invoke(app, ["operator", "add", "acme", "Acme"])
    assert shown.exit_code == 0
    assert re.fullmatch(r"[\w-]+\.[\w-]+", shown.stdout.splitlines()[-1])


def test_two_brokers_are_refused_with_the_reason() -> None:
    with pytest.raises(typer.BadParameter, match="2 brokers: start 1 or 3"):
        cli._one_or_three(2)
