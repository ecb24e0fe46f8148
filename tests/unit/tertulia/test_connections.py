"""Errors of commands: a database or a broker that does not answer, and wrong values."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from services.registration import operators
from services.registration.operators import NoSuchOperator
from shared.runtime.settings import ConnectionSettings
from tertulia import connections
from tertulia.cli import app
from tertulia.connections import Backend, NoAnswer

_NEEDS_DATABASE = ["operator add acme Acme", "operator keys acme", "deliveries list", "why enc_1", "agenda edn_1"]
_NEEDS_BROKER = ["dlq list", "topics diff", "topics apply", "rebuild registration"]


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_MONGO_URL", "mongodb://ana:s%40cret@127.0.0.1:9/?authSource=admin")
    monkeypatch.setenv("TERTULIA_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr(connections, "_ANSWER_SECONDS", 0.2)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        *((command, "no database answers at 127.0.0.1:9 (from TERTULIA_MONGO_URL)") for command in _NEEDS_DATABASE),
        *((command, "no broker answers at 127.0.0.1:9 (from TERTULIA_KAFKA_BOOTSTRAP)") for command in _NEEDS_BROKER),
    ],
)
def test_a_server_that_does_not_answer_is_named_in_one_line(command: str, message: str) -> None:
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(message)
    assert "tertulia up" in line


def test_no_credentials_are_shown() -> None:
    done = CliRunner().invoke(app, ["operator", "keys", "acme"])
    assert "cret" not in done.output
    assert "ana" not in done.output


@pytest.mark.parametrize("command", [*_NEEDS_DATABASE, *_NEEDS_BROKER])
@pytest.mark.parametrize("url", ["mongodb://ana:p/secret@host:27017", "mongodb://ana:secret@host:abc"])
def test_a_malformed_address_is_named_by_its_setting_alone(
    monkeypatch: pytest.MonkeyPatch, url: str, command: str
) -> None:
    monkeypatch.setenv("TERTULIA_MONGO_URL", url)
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 1
    [line] = done.output.splitlines()
    assert line.startswith("TERTULIA_MONGO_URL: is not a MongoDB connection string: ")
    assert "secret" not in line


def test_an_address_that_only_the_driver_refuses_is_named_by_its_setting_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_MONGO_URL", "mongodb://ana:secret@host/?authMechanism=MONGODB-X509")
    done = CliRunner().invoke(app, ["deliveries", "list"])
    assert done.exit_code == 1
    assert done.stderr.startswith("TERTULIA_MONGO_URL is no address of a database: ")
    assert "secret" not in done.output


def test_a_default_address_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERTULIA_MONGO_URL")
    message = str(NoAnswer(Backend.DATABASE, ConnectionSettings()))
    assert "127.0.0.1:27017 (the default, since TERTULIA_MONGO_URL is not set)" in message


@pytest.mark.parametrize("command", ["keys nobody", "add-key nobody", "revoke nobody 0123456789ab"])
def test_an_unknown_operator_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    async def answers(*_: object) -> None: ...

    async def unknown(*_: object) -> None:
        raise NoSuchOperator("nobody")

    monkeypatch.setattr(connections, "check", answers)
    for use_case in ("list_keys", "add_key", "revoke_key"):
        monkeypatch.setattr(operators, use_case, unknown)
    done = CliRunner().invoke(app, ["operator", *command.split()])
    assert done.exit_code == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line == "there is no operator 'nobody': add it with `tertulia operator add nobody NAME`"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--edition", "no id"], "editions: 'no id': it has characters, or a length, that are not taken here"),
        (["--label", ""], "label: must not be empty"),
    ],
)
def test_a_wrong_field_of_a_key_is_named_in_our_words(wrong: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["key", "add", "acme", *wrong])
    assert (done.exit_code, done.output.strip()) == (1, message)
