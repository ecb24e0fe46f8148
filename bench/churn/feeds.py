"""The feeds of a churned edition: every poll is compared with the agenda at that moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.churn.agendas import agenda_of, ghosts, is_like
from bench.churn.edition import EDITION, ChurnEdition
from bench.churn.post import NotifyInMemory
from bench.churn.readers import Reader
from bench.churn.receiver import Mailbox, ReadFile, Shown, doubles
from shared.contract.links import LinkPurpose


@dataclass(frozen=True)
class Poll:
    """A poll of an address: the number of the answered calendar, and the participant's agenda at that moment."""

    address: str
    answer: int
    agenda: frozenset[Shown]


@dataclass
class PolledFeeds:
    """The polls of an edition's feeds, in their order, and the different calendars that they were answered with."""

    notify: NotifyInMemory
    edition: ChurnEdition
    polls: list[Poll] = field(default_factory=list)
    calendars: dict[bytes, int] = field(default_factory=dict)
    unchanged: int = 0
    _tags: dict[str, str] = field(default_factory=dict)

    async def poll(self, numbers: Iterable[int]) -> None:
        """Poll the feeds of participants, each by the newest address of the person at that place."""
        for number in numbers:
            audience = await self.notify.journal.read(EDITION)
            address = self.notify.addresses.feed(audience, f"prt_{number}")
            link = self.notify.addresses.read(address.split("/")[-2], LinkPurpose.FEED)
            answer = await self.notify.feed.answer(link)
            self.unchanged += self._tags.get(address) == answer.etag
            self._tags[address] = answer.etag
            calendar = self.calendars.setdefault(answer.body, len(self.calendars))
            self.polls.append(Poll(address, calendar, agenda_of(self.edition, number)))

    def write(self, folder: Path) -> list[Path]:
        """Write each different calendar to a file, in the order of their numbers."""
        files = [folder / f"feed{number:06}.ics" for number in range(len(self.calendars))]
        for file, body in zip(files, self.calendars, strict=True):
            file.write_bytes(body)
        return files

    def judge(self, library: str, read: Reader, files: Sequence[Path]) -> dict[str, object]:
        """Follow every feed with a reader, and count the faults after each poll."""
        read_files = read(files)
        by_address: dict[str, list[Poll]] = defaultdict(list)
        for poll in self.polls:
            by_address[poll.address].append(poll)
        faults = [fault for polls in by_address.values() for fault in _follow(polls, read_files)]
        return {
            "feed_reader": library,
            "feeds": len(by_address),
            "polls": len(self.polls),
            "unchanged": f"{self.unchanged / len(self.polls):.0%}",
            "calendars": len(files),
            "ghosts": faults.count("ghost"),
            "doubles": faults.count("double"),
            "stale": faults.count("stale"),
        }


def _follow(polls: Sequence[Poll], read_files: Sequence[ReadFile]) -> Iterable[str]:
    """Follow a feed in two programs, and yield a word for every fault.

    One program replaces its calendar by the answer. The other keeps each entry's newest state, as after an import.
    """
    replacing, keeping = Mailbox(), Mailbox()
    for poll in polls:
        replacing.replace(read_files[poll.answer])
        keeping.merge(read_files[poll.answer])
        for mailbox in (replacing, keeping):
            yield from ["ghost"] * ghosts(mailbox, poll.agenda)
            if doubles(mailbox.shown()) > doubles(poll.agenda):
                yield "double"
            if not is_like(mailbox, poll.agenda):
                yield "stale"
