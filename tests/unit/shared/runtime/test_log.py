from __future__ import annotations

import json
import logging
import sys
from typing import ClassVar

import pytest

from shared.runtime import trace
from shared.runtime.log import LONGEST_LINE, get_logger
from shared.runtime.settings import ServiceSettings
from tests.support.planted import captured_logs


class Settings(ServiceSettings):
    service: ClassVar[str] = "logging"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_line_is_longer_than_16_kb(log_format: str) -> None:
    with captured_logs(Settings.model_validate({"log_format": log_format})) as log:
        logger = get_logger("shared.test")
        logger.warning("long", text="ñ" * 100_000)
        logger.warning("wide", **{f"field_{number}": "ñ" * 3000 for number in range(1000)})
        logger.warning("nested", items=[[["ñ" * 3000] * 100] * 100] * 100, quoted="'" + "Ana " * 3000)
        logger.warning("ñ" * 100_000)
        logging.getLogger("library").warning("x" * 100_000)
    assert "Ana" not in log.getvalue()
    lines = log.getvalue().splitlines()
    assert len(lines) == 5
    assert max(len(line.encode()) for line in lines) <= LONGEST_LINE


def test_a_line_names_its_service_logger_trace_and_request() -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    with captured_logs(Settings()) as log:
        trace.follow_request(
            [(b"traceparent", f"00-{trace_id}-b7ad6b7169203331-01".encode()), (b"x-request-id", b"r7")]
        )
        get_logger("shared.test").info("happened", edition="edn_1")
        logging.getLogger("library").warning("happened too")
    for line in map(json.loads, log.getvalue().splitlines()):
        assert line["service"] == "logging"
        assert (line["trace_id"], line["request_id"]) == (trace_id, "r7")
        assert line["logger"] in {"shared.test", "library"}


def test_libraries_log_from_warning_whatever_our_level_is() -> None:
    with captured_logs(Settings(log_level="debug")) as log:
        logging.getLogger("httpx").info("HTTP Request: %s", "http://example/?name=Ana")
        get_logger("shared.test").debug("seen")
    assert [json.loads(line)["event"] for line in log.getvalue().splitlines()] == ["seen"]


def test_a_record_that_cannot_be_written_is_reported_without_its_arguments() -> None:
    class Unprintable(dict[str, object]):
        def items(self) -> object:  # type: ignore[override]
            raise RuntimeError("Ana Ruiz")

    with captured_logs(Settings()) as log:
        get_logger("shared.test").info("happened", field=Unprintable(name="Ana Ruiz"))
    assert json.loads(log.getvalue()) == {"event": "log_failed", "logger": "shared.test", "error": "RuntimeError"}


def test_an_exception_that_ends_the_process_is_a_line_without_its_text() -> None:
    with captured_logs(Settings()) as log:
        error = ValueError("Ana Ruiz")
        sys.excepthook(ValueError, error, None)
    line = json.loads(log.getvalue())
    assert (line["event"], line["exception"]) == ("process_failed", {"type": "ValueError"})
