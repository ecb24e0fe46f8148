"""Calendar files, read and validated by outside libraries: icalendar, and what `make tools` installs."""

from __future__ import annotations

import email
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from icalendar import Calendar

from bench.churn.receiver import ReadEvent, ReadFile

#: Reads the files of mails, in their order.
Reader = Callable[[Sequence[Path]], list[ReadFile]]
_STATUS = Path(__file__).parents[2] / ".cache" / "tools" / "status.json"
_SECONDS = 300


def calendar_parts(mail: bytes) -> list[bytes]:
    """Return the `text/calendar` parts of a mail."""
    parts = email.message_from_bytes(mail).walk()
    found = [part.get_payload(decode=True) for part in parts if part.get_content_type() == "text/calendar"]
    return [payload for payload in found if isinstance(payload, bytes)]


def read_with_icalendar(files: Sequence[Path]) -> list[ReadFile]:
    """Read files with icalendar."""
    return [read_text(file.read_bytes()) for file in files]


def read_text(text: bytes) -> ReadFile:
    """Read a calendar with icalendar."""
    calendar = Calendar.from_ical(text)
    events = tuple(
        ReadEvent(
            uid=str(event["UID"]),
            sequence=int(event.get("SEQUENCE", 0)),
            stamp=_utc(event.decoded("DTSTAMP")),
            starts_at=_utc(event.decoded("DTSTART")),
            ends_at=_utc(event.decoded("DTEND")),
            status=str(event.get("STATUS", "CONFIRMED")),
            location=str(event.get("LOCATION", "")),
            organizer=str(event.get("ORGANIZER", "")),
        )
        for event in calendar.walk("VEVENT")
    )
    return ReadFile(str(calendar.get("METHOD", "")), events)


def readers() -> dict[str, Reader]:
    """Return the readers that this machine has, by the name of the library."""
    found: dict[str, Reader] = {"icalendar": read_with_icalendar}
    for library, tool in (("ical.js", "ical.js"), ("ical4j", "calendars")):
        if command := _command(tool):
            found[library] = _reader(command)
    return found


def validators() -> dict[str, Callable[[Sequence[Path]], list[str]]]:
    """Return the validators that this machine has, by the name of the library. They list their findings."""
    found: dict[str, Callable[[Sequence[Path]], list[str]]] = {}
    if command := _command("calendars"):
        found["ical4j"] = _validator([*command, "--validate"])
    if command := _command("libical"):
        found["libical"] = _validator(command)
    return found


def _reader(command: Sequence[str]) -> Reader:
    def read(files: Sequence[Path]) -> list[ReadFile]:
        return [_read_line(line) for line in _output(command, files)]

    return read


def _validator(command: Sequence[str]) -> Callable[[Sequence[Path]], list[str]]:
    def validate(files: Sequence[Path]) -> list[str]:
        return list(_output(command, files))

    return validate


def _output(command: Sequence[str], files: Sequence[Path]) -> Iterator[str]:
    """Yield the lines that a program prints of the files; it reads so many at once as fit a command line."""
    for start in range(0, len(files), 500):
        arguments = [*command, *map(str, files[start : start + 500])]
        process = subprocess.run(arguments, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
        if process.returncode not in {0, 1}:
            raise OSError(f"{command[0]} ended with {process.returncode}: {process.stderr.strip()[-300:]}")
        yield from process.stdout.splitlines()


def _read_line(line: str) -> ReadFile:
    """Read a file as the outside programs print it: an object with `method` and `events`."""
    document = json.loads(line)
    moments = ("stamp", "starts_at", "ends_at")
    events = (
        event | {name: datetime.fromisoformat(event[name]).astimezone(UTC) for name in moments}
        for event in document["events"]
    )
    return ReadFile(document["method"], tuple(ReadEvent(**event) for event in events))


def _command(tool: str) -> list[str]:
    """Return the command that `make tools` has written down; empty if there is none."""
    if not _STATUS.exists():
        return []
    entry = json.loads(_STATUS.read_text(encoding="utf-8")).get(tool, {})
    return list(entry.get("command", []))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
