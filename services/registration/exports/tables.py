"""Tables to export: the fields of a kind, and its rows one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, tzinfo
from zoneinfo import ZoneInfo

from services.registration.domain.edition import Edition
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.exports.words import ExportWords
from services.registration.internal_clients import InternalClients
from services.registration.ports import Repository
from shared.contract.events import Status

#: A text, a number, or a local day or time of the edition.
Cell = str | int | date | time | None
Row = Sequence[Cell]


@dataclass
class ExportSource:
    """An edition to export from: its store, the further services, and the reader's words.

    `with_cancelled` includes cancelled participants, organisations and requests.
    """

    repository: Repository
    clients: InternalClients
    edition: Edition
    words: ExportWords
    with_cancelled: bool = False
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, PersonNames] = field(default_factory=dict)

    @property
    def zone(self) -> tzinfo:
        """The time zone of the edition."""
        return ZoneInfo(self.edition.timezone)

    async def load_organisations(self) -> None:
        """Read the organisations, which participants name by their ids."""
        async for organisation in self.repository.all_of(Organisation, self.edition.edition_id):
            self.organisations[organisation.organisation_id] = organisation

    async def load_people(self) -> None:
        """Read the names of the participants, which encounters name by their ids."""
        await self.load_organisations()
        async for participant in self.repository.all_of(Participant, self.edition.edition_id):
            organisation = self.organisations.get(participant.organisation_id)
            self.people[participant.participant_id] = PersonNames(
                participant.name,
                organisation.name if organisation else "",
                participant.email,
                participant.phone or "",
                participant.status is Status.ACTIVE,
            )

    def person(self, participant_id: str) -> PersonNames:
        """Return the names of a participant; the id as name of a participant that registration does not know."""
        return self.people.get(participant_id) or PersonNames(participant_id)


@dataclass(frozen=True)
class PersonNames:
    """The names of a participant and of the organisation, and the ways to reach the participant."""

    name: str
    organisation: str = ""
    email: str = ""
    phone: str = ""
    is_active: bool = True


@dataclass(frozen=True)
class ExportTable:
    """A kind of export: its fields, and the function from a source to its rows."""

    fields: tuple[str, ...]
    rows: Callable[[ExportSource], AsyncIterator[Row]]

    def headings(self, words: ExportWords) -> list[str]:
        """Return the headings in the reader's language."""
        return [words.heading(name) for name in self.fields]


def in_order(fields: Sequence[str], cells: Mapping[str, Cell]) -> list[Cell]:
    """Return the cells of a row in the order of the fields."""
    return [cells.get(name) for name in fields]
