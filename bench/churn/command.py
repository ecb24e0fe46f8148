"""Mailboxes and feeds under changes of an edition: calendars read by three libraries, with mails lost and reordered.

Notify runs in memory on random changes of an edition, a third of them undone. Every mailbox is read by every library
that the machine has (`make tools` installs ical.js and ical4j), in a calendar program that follows RFC 5546 strictly.
The mails alone are judged, and the feeds alone: those of the participants concerned after each change, and of others.

- `--people 350`, `--changes 1000`, `--seed 2027`: the size of the run and its draw.
"""

from __future__ import annotations

import asyncio
import email
import logging
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import structlog

from bench.churn.agendas import agenda_of, is_like
from bench.churn.edition import EDITION, OPENING, ChurnEdition
from bench.churn.feeds import PolledFeeds
from bench.churn.post import NotifyInMemory, posted
from bench.churn.readers import Reader, calendar_parts, readers, validators
from bench.churn.receiver import FileRefused, Mailbox, ReadFile, Shown, doubles
from services.notify.ports import RenderedMail
from shared.contract.events import AgendaChanged, Event

#: Longest pause between two changes. Notify gathers changes for a minute.
_PAUSE_SECONDS = 60.0
#: Share of the changes before the day; the others come from half an hour before the opening.
_BEFORE_THE_DAY = 0.8
#: Participants whose feed is polled after each change, besides those concerned.
_POLLED_BESIDES = 20


@dataclass(frozen=True)
class SentMail:
    """A mail with the agenda of its recipient when it was sent: UID, start, end and table.

    An invitation has one entry of the agenda, any other mail has the whole agenda.
    """

    recipient: str
    content: bytes
    agenda: frozenset[Shown]
    is_invitation: bool = False


def run(
    data: Path | None,  # noqa: ARG001 - every benchmark is offered the data
    people: str = "350",
    changes: str = "1000",
    seed: str = "2027",
) -> list[dict[str, object]]:
    """Return a row for the mails, then the rows of the readers and of the validators."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    churned = asyncio.run(churn(int(people), int(changes), int(seed)))
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(churned.mails, Path(folder))
        rows: list[dict[str, object]] = [churned.figures()]
        rows += [judge(name, read, churned, files, int(seed)) for name, read in readers().items()]
        answers = churned.feeds.write(Path(folder))
        rows += [churned.feeds.judge(name, read, answers) for name, read in readers().items()]
        rows += [
            {"validator": name, "files": len(files) + len(answers), "findings": len(validate([*files, *answers]))}
            for name, validate in validators().items()
        ]
    return rows


@dataclass(frozen=True)
class Churned:
    """The outcome of a run.

    `mails` are in their order. `at_the_end` has the agenda of every participant's address at the end, `ended_at`.
    """

    people: int
    changes: int
    mails: list[SentMail]
    feeds: PolledFeeds
    at_the_end: dict[str, frozenset[Shown]]
    ended_at: datetime

    def figures(self) -> dict[str, object]:
        """Count the mails, and the mails that tell the same as the mail before."""
        return {
            "people": self.people,
            "changes": self.changes,
            "first_mails": len({mail.recipient for mail in self.mails}),
            "mails": len(self.mails),
            "mails_a_person": round(len(self.mails) / self.people, 2),
            "mails_a_change": round((len(self.mails) - len({mail.recipient for mail in self.mails})) / self.changes, 2),
            "invitations": sum(mail.is_invitation for mail in self.mails),
            "mails_of_nil_change": nil_changes(self.mails),
        }


async def churn(people: int, changes: int, seed: int) -> Churned:
    """Run an edition through its changes, and return the mails and the polls of the feeds."""
    random, polling = Random(seed), Random(f"{seed}/polls")
    notify = NotifyInMemory(OPENING - timedelta(days=30))
    edition = ChurnEdition(people, random, notify.now)
    mails: list[SentMail] = []
    feeds = PolledFeeds(notify, edition)

    async def wait(seconds: float) -> None:
        mails.extend(_sent(mail, edition) for mail in await notify.wait(seconds))

    await notify.consume(EDITION, edition.publication())
    await wait(600)
    await feeds.poll(range(people))
    for number in range(changes):
        if number == round(changes * _BEFORE_THE_DAY):
            notify.now = OPENING - timedelta(minutes=30)
        edition.now = notify.now
        events = edition.change(number)
        await notify.consume(EDITION, events)
        besides = polling.sample(range(people), min(people, _POLLED_BESIDES))
        await feeds.poll(sorted({*_concerned(events), *besides}))
        await wait(random.uniform(0, _PAUSE_SECONDS))
    await wait(600)
    await feeds.poll(range(people))
    at_the_end = {person.email: agenda_of(edition, number) for number, person in enumerate(edition.people)}
    return Churned(people, changes, mails, feeds, at_the_end, notify.now)


def _concerned(events: Sequence[Event]) -> set[int]:
    """Return the numbers of the participants whose agenda is announced anew."""
    return {int(event.participant_id.removeprefix("prt_")) for event in events if isinstance(event, AgendaChanged)}


def _sent(mail: RenderedMail, edition: ChurnEdition) -> SentMail:
    number = int(email.message_from_bytes(mail.content)["X-Tertulia-Participant"].removeprefix("prt_"))
    is_theirs = edition.people[number].email == mail.recipient
    agenda = agenda_of(edition, number) if is_theirs else frozenset()
    return SentMail(mail.recipient, mail.content, agenda, b"\r\nX-Tertulia-Entry:" in mail.content)


def write_files(mails: Sequence[SentMail], folder: Path) -> list[Path]:
    """Write the calendar of every mail to a file, in the order of the mails."""
    files = []
    for number, mail in enumerate(mails):
        (part,) = calendar_parts(mail.content)
        files.append(folder / f"{number:06}.ics")
        files[-1].write_bytes(part)
    return files


def judge(library: str, read: Reader, churned: Churned, files: Sequence[Path], seed: int) -> dict[str, object]:
    """Replay every mailbox with a reader, and count the faults after an arrival and at the end."""
    read_files = read(files)
    by_address: dict[str, list[int]] = defaultdict(list)
    for number, mail in enumerate(churned.mails):
        by_address[mail.recipient].append(number)
    verdicts = [
        verdict
        for address, numbers in by_address.items()
        for verdict in _replay(
            [churned.mails[number] for number in numbers],
            [read_files[number] for number in numbers],
            churned.at_the_end.get(address),
            churned.ended_at,
            Random(f"{seed}/{address}"),
        )
    ]
    return {
        "reader": library,
        "mailboxes": len(by_address),
        "arrivals": sum(verdict == "arrival" for verdict in verdicts),
        "refused": verdicts.count("refused"),
        "doubles": verdicts.count("double"),
        "older_over_newer": verdicts.count("older"),
        "ended_with_newest_mail": verdicts.count("newest arrived"),
        "differ_from_agenda": verdicts.count("differs"),
    }


def _replay(
    mails: Sequence[SentMail],
    files: Sequence[ReadFile],
    at_the_end: frozenset[Shown] | None,
    ended_at: datetime,
    random: Random,
) -> Iterator[str]:
    """Deliver the mails of a mailbox as the post does, and yield a word for every finding."""
    mailbox, newest = Mailbox(), -1
    for number in posted(len(files), random):
        yield "arrival"
        newest = max(newest, number)
        try:
            mailbox.accept(files[number])
        except FileRefused:
            yield "refused"
        if mails[newest].is_invitation:
            continue  # the mail of the whole agenda follows
        if doubles(mailbox.shown()) > doubles(mails[newest].agenda):
            yield "double"
        if not is_like(mailbox, mails[newest].agenda):
            yield "older"
    if newest == len(files) - 1:
        yield "newest arrived"
        if not _is_right_at_the_end(mailbox, at_the_end, ended_at):
            yield "differs"


def _is_right_at_the_end(mailbox: Mailbox, agenda: frozenset[Shown] | None, ended_at: datetime) -> bool:
    """Compare a calendar with an agenda. A person who left (`None`) is told of nothing that is over."""
    if agenda is None:
        return all(entry.ends_at <= ended_at for entry in mailbox.shown())
    return is_like(mailbox, agenda)


def nil_changes(mails: Sequence[SentMail]) -> int:
    """Count the mails whose text is the text of the mail before to the same address."""
    texts: dict[str, bytes] = {}
    count = 0
    for mail in mails:
        if mail.is_invitation:
            continue
        body = _body(mail.content)
        count += texts.get(mail.recipient) == body
        texts[mail.recipient] = body
    return count


def _body(content: bytes) -> bytes:
    """Return the plain text of a mail, its subject included."""
    message = email.message_from_bytes(content)
    plain = next(part for part in message.walk() if part.get_content_type() == "text/plain")
    return str(message["Subject"]).encode() + bytes(plain.get_payload(decode=True) or b"")
