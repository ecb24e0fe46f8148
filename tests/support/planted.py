"""Canaries: personal data and secrets that are planted where things fail, and must never reach a log line."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import structlog
from aiokafka.errors import KafkaConnectionError
from aiosmtplib import SMTPRecipientRefused
from pydantic import BaseModel, ValidationError
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError, WriteError

from services.notify.ports import MailServerUnavailable
from shared.contract.cloudevents import Undecodable
from shared.runtime.log import configure
from shared.runtime.settings import ServiceSettings

ADDRESS = "jane.canary@planted.example"
NAME = "Jane Plantedname"
TEXT = "planted profile of laser welding"
KEY = "itecam.pLantedKey_0123456789-abcdefghijklmnopqrstu"
TOKEN = "planted-internal-token"
PASSWORD = "planted-password"
URL = f"mongodb://tertulia:{PASSWORD}@db.example:27017/"
DOCUMENT: dict[str, Any] = {"email": ADDRESS, "name": NAME, "profile": {"offers": [TEXT] * 200}, "key": KEY}
SENTENCE = f"cannot write {DOCUMENT} for {NAME} with Bearer {TOKEN} at {URL}"
#: Parts of the canaries, so that a cut or escaped value is found too.
CANARIES = ("jane.canary", "planted.example", "Plantedname", "laser welding", "pLantedKey", TOKEN, PASSWORD)
SETTINGS: dict[str, Any] = {"internal_token": TOKEN, "mongo_url": URL}


class _Form(BaseModel):
    email: int


def failures() -> list[Exception]:
    """Return exceptions of libraries and of our own, with canaries in their texts, details and inputs."""
    text = SENTENCE
    try:
        _Form.model_validate({"email": ADDRESS, NAME: TEXT})
    except ValidationError as error:
        broken: Exception = error
    chained = MailServerUnavailable(f"no connection to mail.example:25: {text}")
    chained.__cause__ = OSError(text)
    noted = RuntimeError("failed")
    noted.add_note(text)
    return [
        RuntimeError(text),
        KeyError(NAME),
        WriteError(text, 121, {"codeName": "DocumentValidationFailure", "errInfo": DOCUMENT}),
        BulkWriteError({"writeErrors": [{"op": DOCUMENT}], "errmsg": text}),
        DuplicateKeyError(text, 11000, {"keyValue": DOCUMENT}),
        AutoReconnect(text, [DOCUMENT]),
        KafkaConnectionError(text),
        OSError(2, text, ADDRESS),
        SMTPRecipientRefused(550, text, ADDRESS),
        Undecodable(f"{ADDRESS!r} is no name; {NAME!r}; {DOCUMENT}; Bearer {TOKEN}; {URL}"),
        ExceptionGroup(text, [RuntimeError(text), KeyError(NAME)]),
        chained,
        noted,
        broken,
    ]


def endless_failures() -> Iterator[Exception]:
    """Yield fresh exceptions of all kinds in turn."""
    while True:
        yield from failures()


def found_in(lines: str) -> list[str]:
    """Return the canaries in log lines, and the lengths of lines over 16 KB."""
    found = [canary for canary in CANARIES if canary in lines]
    return found + [f"a line of {len(line)}" for line in lines.splitlines() if len(line.encode()) > 16_384]


@contextmanager
def captured_logs(settings: ServiceSettings) -> Iterator[io.StringIO]:
    """Log as a service process does, into a text; restore the logging of the tests afterwards."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    root.handlers = []
    written = io.StringIO()
    with mock.patch.object(sys, "stderr", written):
        configure(settings, settings.service)
        structlog.configure(cache_logger_on_first_use=False)
        try:
            yield written
        finally:
            for handler in root.handlers:
                handler.close()
            logging.captureWarnings(capture=False)
            root.handlers = handlers
            root.setLevel(level)
            structlog.configure(**before)
            sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
