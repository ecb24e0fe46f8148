"""The progress of an import on a terminal."""

from __future__ import annotations

import io
import threading

import httpx
import pytest
from rich.console import Console

from tertulia import progress


@pytest.mark.parametrize("answer", [{"running": True, "list": "people", "step": "writing", "percent": 40}, None])
def test_the_progress_is_asked_for_until_the_import_has_ended(
    answer: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(progress, "errors", terminal)
    monkeypatch.setattr(progress, "_EVERY_SECONDS", 0.001)
    asked = threading.Semaphore(0)

    def answered(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/editions/edn_1/imports/progress"
        asked.release()
        return httpx.Response(200, json=answer) if answer else httpx.Response(503)

    transport = httpx.MockTransport(answered)
    with (
        httpx.Client(transport=transport, base_url="http://here/v1") as client,
        progress.progress_of(client, "edn_1"),
    ):
        for _ in range(3):
            asked.acquire()
    shown = terminal.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    assert ("writing people" in shown) is bool(answer)


def test_nothing_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "errors", Console(file=io.StringIO()))
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500))) as client,
        progress.progress_of(client, "edn_1"),
    ):
        pass
