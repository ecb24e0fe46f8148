"""`tertulia export`: the file of the API under its name, against an API that the test plays."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from services.registration.exports.service import EXPORTS
from tertulia import exports
from tertulia.cli import app

NAME = "../../participantes%20-%20B2B.xlsx"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[httpx.Request]:
    made: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request)
        if "unreached" in request.url.path:
            return httpx.Response(503, json={"type": "urn:tertulia:problem:unavailable", "detail": "ask later"})
        headers = {"content-disposition": f"attachment; filename=\"x\"; filename*=UTF-8''{NAME}"}
        return httpx.Response(200, content=b"rows", headers=headers)

    client = httpx.Client(base_url="http://registration/v1", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(exports, "client_of", lambda *_: client)
    monkeypatch.chdir(tmp_path)
    return made


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["export", "edn_1", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_the_file_is_written_under_its_name_and_never_outside_of_the_folder(
    calls: list[httpx.Request], tmp_path: Path
) -> None:
    run("participants", "--lang", "es", "--cancelled")
    assert (tmp_path / "participantes - B2B.xlsx").read_bytes() == b"rows"
    assert calls[0].url.path == "/v1/editions/edn_1/exports/participants.xlsx"
    assert dict(calls[0].url.params) == {"lang": "es", "cancelled": "true"}


def test_a_file_that_exists_is_kept(calls: list[httpx.Request], tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    assert "cannot be written" in run("agendas", "--format", "csv", "--output", "mine.csv", code=1)
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_a_problem_is_told_and_nothing_written(calls: list[httpx.Request], tmp_path: Path) -> None:
    assert "503 unavailable: ask later" in run("unreached", code=1)
    assert list(tmp_path.iterdir()) == []


def test_each_export_of_the_api_has_its_command() -> None:
    assert set(exports.ExportKind) == set(EXPORTS)
