"""The use case of a file: every row is registered, or changed if it is there already, or rejected with its reason."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic_core import to_json

from services.registration.domain.bodies import FieldError, Invalid, patched, read_facts
from services.registration.domain.names import same_name
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.things import Facts, Refused
from services.registration.importing import Columns, Rejection, Row, Sheet
from services.registration.service import OperatorService, must_be_active

ORGANISATION_COLUMNS = Columns(("name", "kind", "country"), ("region", "delegation", "interchangeable", "codes"))
PARTICIPANT_COLUMNS = Columns(("organisation", "name", "email", "languages"), ("offers", "needs", "codes", "sessions"))

_AT_ONCE = 8
_CHUNK = 500
#: What people write in a column of yes or no, in the languages that mails are written in. Nothing is no.
_YES_OR_NO = dict.fromkeys(("yes", "sí", "si", "sim", "true", "1", "x"), True) | dict.fromkeys(
    ("no", "não", "nao", "false", "0", ""), False
)
#: Facts whose column has another name.
_COLUMN_OF = {"organisation_id": "organisation", "session_ids": "sessions"}

Outcome = Literal["created", "changed", "unchanged"]
AnyParty = TypeVar("AnyParty", Organisation, Participant)
Item = TypeVar("Item")
Patch = dict[str, Any]


@dataclass
class Report:
    """What became of a file's rows: how many of each outcome, and every rejection."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    rejected: list[Rejection] = field(default_factory=list)


async def import_organisations(desk: OperatorService, edition_id: str, sheet: Sheet) -> Report:
    """Register or change the organisations of a sheet, by name. Raises `NotFound`, `Refused` for the edition only."""
    await desk.changeable(edition_id)

    def read(row: Row) -> tuple[Organisation, Patch]:
        patch = _organisation_patch(row.cells)
        facts = read_facts(OrganisationFacts, _said(patch))
        return desk.new_organisation(edition_id, facts, desk.records.new_id(Organisation)), patch

    async def finish(organisation: Organisation) -> Organisation:
        return organisation

    async def amend(there: Organisation, patch: Patch) -> Organisation:
        return await desk.amend_organisation(edition_id, there.organisation_id, patch, ())

    return await _Import(desk, Organisation, OrganisationFacts, read, finish, amend).run(sheet)


async def import_participants(desk: OperatorService, edition_id: str, sheet: Sheet) -> Report:
    """Register or change the participants of a sheet, by e-mail address; their organisations are there already."""
    edition = await desk.changeable(edition_id)
    organisations: dict[str, Organisation] = {}
    for chunk in _chunks(sorted({_name_of_organisation(edition_id, row) for row in sheet.rows})):
        organisations |= await desk.records.things.find_unique(Organisation, chunk)

    def read(row: Row) -> tuple[Participant, Patch]:
        organisation = organisations.get(_name_of_organisation(edition_id, row))
        if organisation is None:
            raise Invalid(FieldError("/organisation_id", "no such organisation in this edition"))
        must_be_active(organisation)
        patch = _participant_patch(row.cells, organisation.organisation_id)
        facts = read_facts(ParticipantFacts, _said(patch))
        return desk.new_participant(edition, facts, desk.records.new_id(Participant)), patch

    async def finish(participant: Participant) -> Participant:
        return await desk.seated(participant, await desk.changeable(edition_id))

    async def amend(there: Participant, patch: Patch) -> Participant:
        return await desk.amend_participant(edition_id, there.participant_id, patch, ())

    return await _Import(desk, Participant, ParticipantFacts, read, finish, amend).run(sheet)


@dataclass
class _Import(Generic[AnyParty]):
    """One file on its way in.

    How a row reads as a new thing and as a patch, what the new one is given as it is written, and how one that is there
    is changed.
    """

    desk: OperatorService
    kind: type[AnyParty]
    facts: type[Facts]
    read: Callable[[Row], tuple[AnyParty, Patch]]
    finish: Callable[[AnyParty], Awaitable[AnyParty]]
    amend: Callable[[AnyParty, Patch], Awaitable[AnyParty]]

    async def run(self, sheet: Sheet) -> Report:
        """Chunk by chunk, some rows of it at once."""
        report = Report(rejected=list(sheet.rejected))
        for chunk in _chunks(self._read_rows(sheet.rows, report)):
            there = await self.desk.records.things.find_unique(self.kind, [thing.unique for _, thing, _ in chunk])
            gate = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(self._write(gate, report, there, *item) for item in chunk))
        report.rejected.sort(key=lambda rejection: rejection.line)
        return report

    def _read_rows(self, rows: Sequence[Row], report: Report) -> list[tuple[Row, AnyParty, Patch]]:
        read: list[tuple[Row, AnyParty, Patch]] = []
        lines: dict[str, int] = {}
        for row in rows:
            try:
                thing, patch = self.read(row)
            except (Invalid, Refused) as error:
                report.rejected.extend(_rejections(row, error))
                continue
            first = lines.setdefault(thing.unique, row.line)
            if first == row.line:
                read.append((row, thing, patch))
            else:
                report.rejected.append(Rejection(row.line, "", f"the same {thing.NOUN} as on line {first}"))
        return read

    async def _write(
        self,
        gate: asyncio.Semaphore,
        report: Report,
        there: dict[str, AnyParty],
        row: Row,
        thing: AnyParty,
        patch: Patch,
    ) -> None:
        async with gate:
            try:
                report.outcomes[await self._upsert(there.get(thing.unique), thing, patch)] += 1
            except (Invalid, Refused) as error:
                report.rejected.extend(_rejections(row, error))

    async def _upsert(self, there: AnyParty | None, thing: AnyParty, patch: Patch) -> Outcome:
        if there is None:
            await self.desk.records.insert(lambda: self.finish(thing))
            return "created"
        # What would change nothing is found out here, without reading it again.
        if patched(there, self.facts, patch) == self.facts.model_validate(there.facts(self.facts)):
            return "unchanged"
        changed = await self.amend(there, patch)
        return "unchanged" if changed.revision == there.revision else "changed"


def _organisation_patch(cells: dict[str, str]) -> Patch:
    patch: Patch = {name: cell or None for name, cell in cells.items()}
    if "codes" in cells:
        patch["codes"] = _words(cells["codes"])
    if "interchangeable" in cells:
        said = cells["interchangeable"]
        patch["interchangeable"] = _YES_OR_NO.get(said.casefold(), said)
    return patch


def _participant_patch(cells: dict[str, str], organisation_id: str) -> Patch:
    patch: Patch = {"organisation_id": organisation_id, "name": cells["name"], "email": cells["email"]}
    patch["languages"] = [language.lower() for language in _words(cells["languages"])]
    profile: Patch = {name: _items(cells[name]) for name in ("offers", "needs") if name in cells}
    if "codes" in cells:
        profile["codes"] = _words(cells["codes"])
    if "sessions" in cells:
        patch["session_ids"] = _words(cells["sessions"])
    return patch | {"profile": profile}


def _said(patch: Patch) -> bytes:
    """A patch as the body that would register the same."""
    return to_json({name: value for name, value in patch.items() if value is not None})


def _words(cell: str) -> list[str]:
    return [word for word in re.split(r"[\s,;|]+", cell) if word]


def _items(cell: str) -> list[str]:
    return [item.strip() for item in cell.split("|") if item.strip()]


def _name_of_organisation(edition_id: str, row: Row) -> str:
    return f"{edition_id}/{same_name(row.cells['organisation'])}"


def _rejections(row: Row, error: Invalid | Refused) -> list[Rejection]:
    if isinstance(error, Refused):
        return [Rejection(row.line, "", str(error))]
    return [Rejection(row.line, _column_of(fault.pointer), fault.detail) for fault in error.faults]


def _column_of(pointer: str) -> str:
    names = [name for name in pointer.split("/") if name and name != "profile"]
    return _COLUMN_OF.get(names[0], names[0]) if names else ""


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
