"""A header that would be read as more than a header is refused, and an interpreter that writes some is reported."""

from __future__ import annotations

from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.notify.app import make
from services.notify.rendering import header_guard
from services.notify.rendering.header_guard import (
    HeaderInjected,
    library_injects_headers,
    refuse_line_breaks,
    warn_of_open_library,
)
from services.notify.rendering.mail import POLICY
from services.notify.settings import Settings


class OpenPolicy(EmailPolicy):
    """A library without the mend, on every interpreter."""

    verify_generated_headers = False

    def fold_binary(self, name: str, value: str) -> bytes:
        return f"{name}: {value}\r\n".encode()


class RefusingPolicy(EmailPolicy):
    """A library that refuses what it cannot write."""

    def fold_binary(self, name: str, value: str) -> bytes:
        raise MessageError(name)


class EncodingPolicy(EmailPolicy):
    """A library that keeps a decoded line break encoded."""

    def fold_binary(self, name: str, value: str) -> bytes:
        return f"{name}: {value!r}\r\n".encode()


@pytest.mark.parametrize(
    "header",
    [
        "Subject: a\r\n",
        "Subject: a\r\n b\r\n",
        "Subject:\r\n\ta\r\n",
        "Subject: \xe9\x85\r\n",
        "Subject: =?utf-8?q?a=0d=0aBcc:_x?=\r\n",
    ],
)
def test_a_folded_header_passes(header: str) -> None:
    refuse_line_breaks(header, "\r\n")


@pytest.mark.parametrize(
    "header",
    [
        "Subject: a\r\nBcc: x\r\n",
        "Subject: a\r\n\r\n<h1>\r\n",
        "Subject: a\r\n b\r\nc\r\n",
        "Subject: a\r\n\r\n",
        "Subject: a\rBcc: x\r\n",
        "Subject: a\nBcc: x\r\n",
        "Subject: a\n Bcc: x\r\n",
        "Subject: a\r\r\n",
        "Subject: a\n",
        "Subject: a",
        *(f"Subject: a{mark}b\r\n" for mark in "\0\v\f\x1c\x1d\x1e\x7f"),
    ],
)
def test_a_line_break_that_is_no_folding_is_refused(header: str) -> None:
    with pytest.raises(HeaderInjected, match="'Subject'"):
        refuse_line_breaks(header, "\r\n")


@pytest.mark.parametrize("value", ["=?utf-8?q?a=0aBcc:_x?=", "=?utf-8?b?DQpCY2M6IHg=?="])
def test_a_mail_written_as_text_is_guarded_too(value: str) -> None:
    message = EmailMessage(policy=POLICY)
    message["Subject"] = value
    try:
        written = message.as_string()
    except HeaderInjected:
        return
    assert "\nBcc" not in written


@pytest.mark.parametrize(
    ("policy", "injects"),
    [(OpenPolicy(), True), (RefusingPolicy(), False), (EncodingPolicy(), False), (POLICY, False)],
)
def test_the_probe_tells_a_library_that_injects_headers(policy: EmailPolicy[Any], injects: bool) -> None:
    assert library_injects_headers(policy) is injects


def test_the_probe_tells_what_this_interpreter_does() -> None:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "=?utf-8?q?a=0d=0aBcc:_b?="
    try:
        injected = b"\r\nBcc: b" in bytes(message)
    except MessageError:
        injected = False
    assert library_injects_headers() is injected


def test_an_open_library_is_reported_by_a_warning() -> None:
    with capture_logs() as logs:
        warn_of_open_library(OpenPolicy())
        warn_of_open_library(RefusingPolicy())
    assert [(line["event"], line["log_level"]) for line in logs] == [("python_injects_mail_headers", "warning")]


@pytest.mark.parametrize(("injects", "warnings"), [(True, 1), (False, 0)])
def test_a_start_on_an_open_interpreter_logs_one_warning(
    injects: bool,
    warnings: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(header_guard, "library_injects_headers", lambda _: injects)
    with capture_logs() as logs:
        make(Settings(kafka_bootstrap="127.0.0.1:1", mongo_url="mongodb://127.0.0.1:1", mongo_timeout_seconds=0.2))
    assert [line["event"] for line in logs].count("python_injects_mail_headers") == warnings
