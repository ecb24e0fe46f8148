"""Tables to export: the fields of a kind, and the stream of its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, tzinfo
from zoneinfo import ZoneInfo

from services.registration.domain.edition import Edition
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.exports.cells import shown_phone
from services.registration.exports.words import ExportWords
from services.registration.internal_clients import InternalClients
from services.registration.ports import Repository
from shared.contract.events import Status
from shared.contract.spelling import same_name

#: A text, a number, or a local day or time of the edition.
Cell = str | int | float | date | time | None
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
                shown_phone(participant.phone),
                is_active=participant.status is Status.ACTIVE,
                checked_in=participant.checked_in,
                session_ids=participant.session_ids,
                waiting_session_ids=participant.waiting_session_ids,
            )

    def people_in_order(self) -> list[str]:
        """List the participants by organisation and name, cancelled participants only if they are included."""
        listed = [
            (same_name(person.organisation), same_name(person.name), participant_id)
            for participant_id, person in self.people.items()
            if self.with_cancelled or person.is_active
        ]
        return [participant_id for _, _, participant_id in sorted(listed)]

    def zone_name(self, zone_id: str) -> str:
        """Return the name of a zone; its id if the edition has no such zone."""
        return next((zone.name for zone in self.edition.zones if zone.zone_id == zone_id), zone_id)

    def person(self, participant_id: str) -> PersonNames:
        """Return the names of a participant; the id as name of a participant that registration does not know."""
        return self.people.get(participant_id) or PersonNames(participant_id)


@dataclass(frozen=True)
class PersonNames:
    """A participant in a list: the names, the ways to reach the participant, and the sessions."""

    name: str
    organisation: str = ""
    email: str = ""
    phone: str = ""
    is_active: bool = True
    checked_in: bool = False
    session_ids: tuple[str, ...] = ()
    waiting_session_ids: tuple[str, ...] = ()

    @property
    def with_organisation(self) -> str:
        """The name, with the organisation in brackets."""
        return f"{self.name} ({self.organisation})" if self.organisation else self.name


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
