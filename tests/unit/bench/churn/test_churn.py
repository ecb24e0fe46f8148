"""Mailboxes under churn: a strict calendar program on each library equals the agenda whenever the newest mail came."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.churn.command import Churned, churn, judge, write_files
from bench.churn.readers import calendar_parts, read_text, readers, validators
from bench.churn.receiver import FileRefused, Mailbox, ReadEvent, ReadFile

AT = datetime(2027, 11, 25, 8, tzinfo=UTC)
EVENT = ReadEvent("enc_1@x", 1, AT, AT, AT + timedelta(minutes=15), "CONFIRMED", "Hall", "mailto:a@x")
CANCELLED = replace(EVENT, sequence=2, status="CANCELLED")


@pytest.fixture(scope="module")
def churned() -> Churned:
    return asyncio.run(churn(people=16, changes=60, seed=7))


def test_every_reader_agrees_with_the_agenda_and_no_validator_objects(churned: Churned, tmp_path: Path) -> None:
    files = write_files(churned.mails, tmp_path)
    for library, read in readers().items():
        row = judge(library, read, churned, files, seed=7)
        assert row["ended_with_newest_mail"], row
        assert {row[name] for name in ("refused", "doubles", "older_over_newer", "differ_from_agenda")} == {0}, row
    for library, validate in validators().items():
        assert validate(files) == [], library
    assert churned.figures()["mails_of_nil_change"] == 0


def test_every_feed_is_the_agenda_at_every_poll_and_no_validator_objects(churned: Churned, tmp_path: Path) -> None:
    files = churned.feeds.write(tmp_path)
    for library, read in readers().items():
        row = churned.feeds.judge(library, read, files)
        assert row["polls"] > len(files) > 60, row  # type: ignore[operator]
        assert {row[name] for name in ("ghosts", "doubles", "stale")} == {0}, row
    for library, validate in validators().items():
        assert validate(files) == [], library


@pytest.mark.parametrize(("is_older", "faults"), [(True, ("stale", "ghosts")), (False, ("stale",))])
def test_the_judge_sees_a_feed_that_is_behind_or_empty(
    churned: Churned, tmp_path: Path, is_older: bool, faults: tuple[str, ...]
) -> None:
    files = churned.feeds.write(tmp_path)
    whole = [read_text(file.read_bytes()) for file in files]
    wrong = [whole[0], *whole[:-1]] if is_older else [ReadFile("", ())] * len(whole)
    row = churned.feeds.judge("wrong", lambda _: wrong, files)
    assert all(row[name] for name in faults), row


def test_the_judge_sees_entries_that_are_dropped_instead_of_cancelled(churned: Churned, tmp_path: Path) -> None:
    files = write_files(churned.mails, tmp_path)

    def read(paths: list[Path]) -> list[ReadFile]:
        whole = [read_text(path.read_bytes()) for path in paths]
        return [replace(file, events=tuple(e for e in file.events if e.status != "CANCELLED")) for file in whole]

    row = judge("without cancelled", lambda paths: read(list(paths)), churned, files, seed=7)
    assert row["older_over_newer"]
    assert row["differ_from_agenda"]


def test_every_mail_has_one_calendar(churned: Churned) -> None:
    assert all(len(calendar_parts(mail.content)) == 1 for mail in churned.mails)


@pytest.mark.parametrize("order", [(EVENT, CANCELLED), (CANCELLED, EVENT), (EVENT, CANCELLED, EVENT)])
def test_a_strict_program_keeps_the_newest_state_in_any_order(order: tuple[ReadEvent, ...]) -> None:
    mailbox = Mailbox()
    for event in order:
        mailbox.accept(ReadFile("PUBLISH", (event,)))
    assert mailbox.shown() == frozenset()


@pytest.mark.parametrize(
    ("method", "events", "reason"),
    [
        ("", (EVENT,), "method"),
        ("REQUEST", (EVENT, replace(EVENT, uid="y")), "instead of one"),
        ("PUBLISH", (EVENT, EVENT), "same UID"),
        ("PUBLISH", (replace(EVENT, organizer=""),), "no organizer"),
        ("PUBLISH", (replace(EVENT, ends_at=AT),), "before it starts"),
    ],
)
def test_a_strict_program_refuses_a_faulty_file(method: str, events: tuple[ReadEvent, ...], reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        Mailbox().accept(ReadFile(method, events))


def test_a_cancel_file_takes_the_entry_away() -> None:
    mailbox = Mailbox()
    mailbox.accept(ReadFile("REQUEST", (EVENT,)))
    mailbox.accept(ReadFile("CANCEL", (replace(EVENT, sequence=2),)))
    assert mailbox.shown() == frozenset()
