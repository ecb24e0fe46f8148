"""Structured logs: an event a line, bounded in size, without personal data or secrets (`scrubbing`, `flood`)."""

from __future__ import annotations

import json
import logging
import math
import re
import sys
import threading
import time
from typing import Any, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.runtime import trace
from shared.runtime.flood import FloodDamper
from shared.runtime.scrubbing import HIDDEN, OUR_PACKAGES, Scrubber, secrets_of
from shared.runtime.settings import ConnectionSettings

Logger = structlog.stdlib.BoundLogger

#: Most bytes of a line, less than the 16 KiB at which container runtimes split lines.
LONGEST_LINE = 16_000
#: Longest texts of a line, tried in turn until the line is short enough.
_LONGEST_TEXTS = (2_000, 200)
_LONGEST_MESSAGE = 300
_TRACEBACK = "Traceback (most recent call last)"
#: An argument of a library's message that cannot be a text or an address: a host, a topic, a path, a number.
_WORD = re.compile(r"[\w.:/\[\]-]{1,80}")
#: Libraries with INFO lines that operators need, at the start and the end of a process.
_TELLING = ("uvicorn.error",)


def configure(settings: ConnectionSettings, service: str) -> None:
    """Send our logs and the logs of libraries, scrubbed and bounded, through one handler to standard error.

    Libraries log from WARNING: their DEBUG and INFO lines hold documents, headers and URLs.
    """
    scrubber = Scrubber(secrets_of(settings))
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _TraceOf(service),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = DampedHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _LibraryMessage(scrubber)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _Line(scrubber, is_json=settings.log_format == "json"),
            ],
            use_get_message=False,
            pass_foreign_args=True,
        )
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    for package in OUR_PACKAGES:
        logging.getLogger(package).setLevel(level)
    for name in _TELLING:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    logging.captureWarnings(capture=True)
    _log_uncaught_exceptions()


def get_logger(name: str) -> Logger:
    """Return the logger of a module."""
    return cast("Logger", structlog.get_logger(name))


class DampedHandler(logging.StreamHandler[Any]):
    """Writes to standard error; drops repeated lines of libraries, and reports their number after a minute."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._damper = FloodDamper()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless a library repeats it."""
        now = time.monotonic()
        self._report(now)
        if _is_ours(record.name) or self._damper.admits(record.name, _template_of(record), now):
            super().emit(record)

    def close(self) -> None:
        """Report the lines that were dropped last."""
        self._report(math.inf)
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - of logging
        """Name the logger of a record that cannot be written: logging itself would print the record's arguments."""
        kind = type(sys.exc_info()[1]).__name__
        sys.stderr.write(json.dumps({"event": "log_failed", "logger": record.name, "error": kind}) + "\n")

    def _report(self, now: float) -> None:
        for logger, template, lines in self._damper.dropped(now):
            _log.warning("library_lines_dropped", library=logger, message=template, lines=lines)


class _TraceOf:
    """Adds the service, the trace and the request to a line."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = self._service
        if trace_id := trace.trace_id():
            event["trace_id"] = trace_id
        if request_id := trace.request_id():
            event["request_id"] = request_id
        return event


class _LibraryMessage:
    """Formats the message of a library from arguments that can be neither texts nor documents."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        record: logging.LogRecord = event["_record"]
        arguments = event.pop("positional_args", ())
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(record.msg, BaseException):
            event["event"], event["exc_info"] = type(record.msg).__name__, record.msg
        elif not isinstance(record.msg, str):
            event["event"] = f"<{type(record.msg).__name__}>"
        elif arguments:
            event["event"] = self._formatted(record.msg, arguments)
        else:
            event["event"] = _first_statement(self._scrubber.without_text_of(error, record.msg))
        return event

    def _formatted(self, template: str, arguments: Any) -> str:  # noqa: ANN401 - of logging
        try:
            if isinstance(arguments, dict):
                return template % {name: self._safe(value) for name, value in arguments.items()}
            return template % tuple(map(self._safe, arguments))
        except (TypeError, ValueError, KeyError):
            return template

    def _safe(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, BaseException):
            return f"{type(value).__name__} {self._scrubber.exception_text(value)}".strip()
        if isinstance(value, str):
            return value if _WORD.fullmatch(value) else HIDDEN
        return f"<{value.__name__ if isinstance(value, type) else type(value).__name__}>"


class _Line:
    """Renders a line of at most `LONGEST_LINE` bytes."""

    def __init__(self, scrubber: Scrubber, *, is_json: bool) -> None:
        self._scrubber = scrubber
        self._is_json = is_json
        self._console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        event.pop("stack_info", None)
        error = _exception_of(event.pop("exc_info", None))
        if error is not None:
            event["exception"] = self._scrubber.exception(error)
        for longest in _LONGEST_TEXTS:
            line = self._rendered(logger, method, self._scrubber.plain(event, longest))
            if len(line.encode(errors="replace")) <= LONGEST_LINE:
                return line
        names = ("timestamp", "level", "service", "logger", "event", "trace_id", "request_id")
        short = {name: self._scrubber.plain(event[name], 200) for name in names if name in event}
        return self._rendered(logger, method, short | {"cut": True})

    def _rendered(self, logger: WrappedLogger, method: str, plain: dict[str, Any]) -> str:
        if self._is_json:
            return self._scrubber.without_secrets(json.dumps(plain))
        if "exception" in plain:  # the console's renderer writes a text under this name as a traceback
            plain["error_at"] = plain.pop("exception")
        return self._scrubber.without_secrets(str(self._console(logger, method, plain)))


def _exception_of(exc_info: object) -> BaseException | None:
    """Return the exception of the `exc_info` of a line: an exception, a triple, or True for the current exception."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return cast("BaseException | None", exc_info[1])
    return sys.exc_info()[1] if exc_info else None


def _is_ours(logger: str) -> bool:
    return logger.partition(".")[0] in OUR_PACKAGES


def _template_of(record: logging.LogRecord) -> str:
    """Return the template of a library's message, with the type of its exception."""
    template = record.msg.partition("\n")[0] if isinstance(record.msg, str) else type(record.msg).__name__
    error = record.exc_info[1] if record.exc_info else None
    return f"{template} {type(error).__name__}" if error else template


def _first_statement(message: str) -> str:
    """Return the first statement of a message that a library has formatted itself: details follow a colon."""
    if _TRACEBACK in message:
        kind = message.strip().rpartition("\n")[2].partition(":")[0]
        return kind if _WORD.fullmatch(kind) else _TRACEBACK
    statement, colon, _ = message.partition("\n")[0].partition(": ")
    return statement[:_LONGEST_MESSAGE] + (f": {HIDDEN}" if colon else "")


def _log_uncaught_exceptions() -> None:
    """Log exceptions that end the process or a thread, in the place of Python's own tracebacks."""

    def on_process(kind: type[BaseException], error: BaseException, _: object) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            _log.critical("process_failed", exc_info=error)

    def on_thread(failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
            _log.error("thread_failed", exc_info=failed.exc_value)

    def on_unraisable(failed: Any) -> None:  # noqa: ANN401 - sys.UnraisableHookArgs has no name at run time
        _log.error("exception_ignored", exc_info=failed.exc_value)

    sys.excepthook = on_process
    threading.excepthook = on_thread
    sys.unraisablehook = on_unraisable


_log = get_logger(__name__)
