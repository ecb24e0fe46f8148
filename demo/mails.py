"""The mails of a run in the sink's folder, and their comparison with the published agendas."""

from __future__ import annotations

import email
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path

from icalendar import Calendar

from shared.contract.events import AgendaChanged, EntryKind, ParticipantChanged

#: Start, end, and encounter id (empty for a session): the fields on which a calendar and an agenda must agree.
CalendarLine = tuple[datetime, datetime, str]


@dataclass(frozen=True)
class Mail:
    """A delivered mail. Its body is read on demand, since only some of the hundreds of bodies are needed."""

    path: Path
    recipient: str
    participant_id: str
    message_id: str
    revision: int
    is_invitation: bool = False

    @property
    def page(self) -> str:
        """The HTML part."""
        return self._part("text/html").decode().replace("\r\n", "\n")

    @property
    def calendar(self) -> bytes:
        """The `.ics` part; empty if there is none."""
        return self._part("text/calendar")

    @cached_property
    def lines(self) -> list[CalendarLine]:
        """The entries of its calendar, in order."""
        return calendar_lines(self.calendar)

    def _part(self, content_type: str) -> bytes:
        for part in email.message_from_bytes(self.path.read_bytes()).walk():
            if part.get_content_type() == content_type:
                payload = part.get_payload(decode=True)
                return payload if isinstance(payload, bytes) else b""
        return b""


class MailFolder:
    """The sink's folder. A mail is read once, and kept for later calls."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, Mail] = {}

    def read(self) -> list[Mail]:
        """Return the mails with an agenda, in the order of arrival, which the sink's file names give."""
        paths = sorted(self._folder.rglob("*.eml"), key=lambda path: path.name)
        self._known = {path: self._known.get(path) or _read(path) for path in paths}
        return [mail for mail in self._known.values() if not mail.is_invitation]

    def read_ahead(self) -> None:
        """Read the mails delivered so far and their calendars, so that less is left for the end."""
        for mail in self.read():
            _ = mail.lines


def read_mails(folder: Path) -> list[Mail]:
    """Return the mails in the sink's folder, as `MailFolder.read`."""
    return MailFolder(folder).read()


def _read(path: Path) -> Mail:
    with path.open("rb") as file:
        head = BytesHeaderParser().parse(file)
    return Mail(
        path=path,
        recipient=parseaddr(str(head["To"]))[1].casefold(),
        participant_id=str(head["X-Tertulia-Participant"]),
        message_id=str(head["Message-ID"]).strip(),
        revision=int(str(head["X-Tertulia-Agenda-Revision"])),
        is_invitation="X-Tertulia-Entry" in head,
    )


def newest_of(mails: Iterable[Mail]) -> Mail:
    """Return the newest mail: the highest agenda revision, then the latest arrival.

    Two mails have the same revision where only the partner of an encounter changed.
    """
    return max(mails, key=lambda mail: (mail.revision, mail.path.name))


def calendar_lines(calendar: bytes) -> list[CalendarLine]:
    """Return the entries of a calendar that are not cancelled, in order.

    The UID of a session is the participant's own, and is left out.
    """
    if not calendar:
        return []
    events = Calendar.from_ical(calendar).walk("VEVENT")
    return sorted(
        (_utc(event.decoded("DTSTART")), _utc(event.decoded("DTEND")), _encounter(str(event["UID"])))
        for event in events
        if event.get("STATUS") != "CANCELLED"
    )


def _encounter(uid: str) -> str:
    local, _, _ = uid.partition("@")
    return local if local.startswith("enc_") else ""


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def agenda_lines(agenda: AgendaChanged) -> list[CalendarLine]:
    """Return the entries of an agenda, in order."""
    return sorted(
        (entry.starts_at, entry.ends_at, entry.entry_id if entry.kind is EntryKind.ENCOUNTER else "")
        for entry in agenda.entries
    )


def find_faults(
    mails: Iterable[Mail], agendas: Mapping[str, AgendaChanged], participants: Mapping[str, ParticipantChanged]
) -> Iterator[str]:
    """Yield a sentence per fault in the mails of a run."""
    by_participant: defaultdict[str, list[Mail]] = defaultdict(list)
    for mail in mails:
        by_participant[mail.participant_id].append(mail)
    for participant_id, received in by_participant.items():
        times = Counter((mail.recipient, mail.message_id) for mail in received)
        yield from (
            f"{participant_id} got the mail {message_id} {count} times"
            for (_, message_id), count in times.items()
            if count > 1
        )
    for participant_id, agenda in agendas.items():
        address = participants[participant_id].email.casefold()
        received = [mail for mail in by_participant.get(participant_id, []) if mail.recipient == address]
        if received:
            newest = newest_of(received)
            if newest.lines != agenda_lines(agenda):
                yield f"the last mail of {participant_id} ({newest.path.name}) does not list the agenda as it stands"
        elif agenda.entries:
            yield f"{participant_id} has an agenda and no mail"
