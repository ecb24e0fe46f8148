from __future__ import annotations

import pytest
from pydantic import SecretStr
from pymongo.errors import AutoReconnect, WriteError

from shared.runtime.retry import Unready
from shared.runtime.scrubbing import Scrubber, secrets_of
from shared.runtime.settings import ConnectionSettings
from tests.support import planted

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("no mail to Ana <ana@nandu.example>", "no mail to Ana <<address>>"),
        ("mongodb://user:pass@db.example:27017/x away", "mongodb://…@db.example:27017/x away"),
        ("http://db.example/x?password=hidden&y=1", "http://db.example/x?password=…&y=1"),
        ("Authorization: Bearer abc.def", "Authorization: … …"),
        (f"refused {planted.KEY}", "refused …"),
        (
            "'Ana Ruiz' is no country; participant 'prt_0af3' has none",
            "'…' is no country; participant 'prt_0af3' has none",
        ),
        ('the participant\'s {"name": "Ana"} is wrong', 'the participant\'s {"…": "…"} is wrong'),
        ("agenda.v1/edn_1 at 127.0.0.1:9092", "agenda.v1/edn_1 at 127.0.0.1:9092"),
    ],
)
def test_addresses_credentials_and_quoted_values_are_hidden(text: str, scrubbed: str) -> None:
    assert SCRUBBER.text(text) == scrubbed


def test_secrets_of_the_settings_are_hidden_wherever_they_stand() -> None:
    settings = ConnectionSettings(
        kafka_sasl_password=SecretStr("kafka pass"), mongo_url=SecretStr("mongodb://me:mongo%20pass@db/")
    )
    scrubber = Scrubber(secrets_of(settings))
    assert scrubber.plain({"a": "x kafka pass y", "b": ["mongo pass"]}, 100) == {"a": "x … y", "b": ["…"]}
    assert secrets_of(ConnectionSettings(mongo_url=SecretStr("mongodb://db:27017"))) == {""}


@pytest.mark.parametrize("error", planted.failures(), ids=lambda error: type(error).__name__)
def test_no_exception_shows_its_planted_text(error: Exception) -> None:
    assert planted.found_in(str(Scrubber([planted.TOKEN]).exception(error))) == []


def test_codes_and_known_reasons_of_libraries_are_kept() -> None:
    written = WriteError("Document failed validation: …", 121, {"codeName": "DocumentValidationFailure"})
    assert SCRUBBER.exception_text(written) == "code 121, DocumentValidationFailure"
    assert SCRUBBER.exception_text(AutoReconnect("db:27017: [Errno 111] Connection refused")) == "Connection refused"
    assert SCRUBBER.exception_text(OSError(28, "Ana")) == "ENOSPC: No space left on device"


def test_our_exception_keeps_its_text_but_not_the_text_of_a_foreign_cause() -> None:
    ours = Unready("entry 7 of edition edn_1 is newer: Ana Ruiz")
    assert SCRUBBER.exception_text(ours) == str(ours)
    ours.__cause__ = ValueError("Ana Ruiz")
    assert SCRUBBER.exception_text(ours) == "entry 7 of edition edn_1 is newer: ValueError"


def test_places_are_lines_of_our_code_without_locals() -> None:
    token = planted.TOKEN
    try:
        secrets_of(token)  # type: ignore[arg-type]
    except AttributeError as error:
        described = SCRUBBER.exception(error)
    assert described["type"] == "AttributeError"
    assert [place.partition(":")[0] for place in described["at"]] == ["shared.runtime.scrubbing"]
    assert token not in str(described)


def test_values_are_bounded_in_length_number_and_depth() -> None:
    deep: object = "end"
    for _ in range(20):
        deep = [deep]
    plain = SCRUBBER.plain({"text": "x" * 5000, "items": list(range(5000)), "deep": deep, "object": object()}, 500)
    assert plain["text"] == "x" * 500 + "… of 5000 characters"
    assert plain["items"] == [*range(10), "… 4990 more"]
    assert plain["deep"] == [[[["<list>"]]]]
    assert plain["object"] == "<object>"


def test_a_summary_is_a_line_without_the_text_of_a_foreign_exception() -> None:
    assert SCRUBBER.summary(KeyError("Ana Ruiz")) == "KeyError"
    try:
        ConnectionSettings(mongo_timeout_seconds=-1)
    except ValueError as error:
        summary = SCRUBBER.summary(error)
    assert summary.startswith("ValidationError: 1 broken rules: mongo_timeout_seconds: greater_than (at ")
