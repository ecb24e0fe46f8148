"""Use case of imported files: a row creates an entity, changes an entity, or is rejected with a reason."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic_core import to_json

from services.registration.domain.entity import Facts
from services.registration.domain.errors import Conflict, FieldError, Invalid
from services.registration.domain.members import Patch
from services.registration.domain.names import same_name
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.parsing import apply_patch, parse_facts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.parties import AnyParty, must_be_active
from services.registration.import_files import RowRejection, Sheet, SheetRow
from services.registration.service import OperatorService
from services.registration.use_cases.import_columns import ORGANISATION_COLUMNS, PARTICIPANT_COLUMNS, ImportColumns

_AT_ONCE = 8
_CHUNK = 500

RowOutcome = Literal["created", "changed", "unchanged"]
Item = TypeVar("Item")


@dataclass
class ImportReport:
    """Number of rows by outcome, and every rejection."""

    outcomes: Counter[RowOutcome] = field(default_factory=Counter)
    rejected: list[RowRejection] = field(default_factory=list)


async def import_organisations(service: OperatorService, edition_id: str, sheet: Sheet) -> ImportReport:
    """Register or change the organisations of a sheet, by name.

    Raises:
        NotFound, Conflict: there is no such edition, or it is closed. Faults of rows are in the report.
    """
    await service.editions.get_changeable(edition_id)

    def read(row: SheetRow) -> tuple[Organisation, Patch]:
        patch = ORGANISATION_COLUMNS.patch_of(row.cells)
        facts = parse_facts(OrganisationFacts, _as_body(patch))
        organisation_id = service.unit_of_work.new_id(Organisation)
        return service.organisations.build(edition_id, facts, organisation_id), patch

    async def complete(organisation: Organisation) -> Organisation:
        return organisation

    async def amend(existing: Organisation, patch: Patch) -> Organisation:
        return await service.organisations.amend(edition_id, existing.organisation_id, patch, ())

    run = _Import(service, Organisation, OrganisationFacts, ORGANISATION_COLUMNS, read, complete, amend)
    return await run.run(sheet)


async def import_participants(service: OperatorService, edition_id: str, sheet: Sheet) -> ImportReport:
    """Register or change the participants of a sheet, by e-mail address. Their organisations must be registered.

    Raises:
        NotFound, Conflict: there is no such edition, or it is closed. Faults of rows are in the report.
    """
    edition = await service.editions.get_changeable(edition_id)
    organisations: dict[str, Organisation] = {}
    for chunk in _chunks(sorted({_organisation_key(edition_id, row) for row in sheet.rows})):
        organisations |= await service.unit_of_work.repository.find_unique(Organisation, chunk)

    def read(row: SheetRow) -> tuple[Participant, Patch]:
        organisation = organisations.get(_organisation_key(edition_id, row))
        if organisation is None:
            raise Invalid(FieldError("/organisation_id", "no such organisation in this edition"))
        must_be_active(organisation)
        patch = PARTICIPANT_COLUMNS.patch_of(row.cells) | {"organisation_id": organisation.organisation_id}
        facts = parse_facts(ParticipantFacts, _as_body(patch))
        return service.participants.build(edition, facts, service.unit_of_work.new_id(Participant)), patch

    async def complete(participant: Participant) -> Participant:
        return await service.participants.give_seats(participant, await service.editions.get_changeable(edition_id))

    async def amend(existing: Participant, patch: Patch) -> Participant:
        return await service.participants.amend(edition_id, existing.participant_id, patch, ())

    run = _Import(service, Participant, ParticipantFacts, PARTICIPANT_COLUMNS, read, complete, amend)
    return await run.run(sheet)


@dataclass
class _Import(Generic[AnyParty]):
    """The import of a file, for organisations or participants."""

    service: OperatorService
    kind: type[AnyParty]
    facts: type[Facts]
    columns: ImportColumns
    #: Returns the new entity and the merge patch that a row stands for.
    read: Callable[[SheetRow], tuple[AnyParty, Patch]]
    #: Completes a new entity just before it is written: gives seats.
    complete: Callable[[AnyParty], Awaitable[AnyParty]]
    #: Changes an existing entity.
    amend: Callable[[AnyParty, Patch], Awaitable[AnyParty]]

    async def run(self, sheet: Sheet) -> ImportReport:
        """Write the rows chunk by chunk, several rows of a chunk concurrently."""
        report = ImportReport(rejected=list(sheet.rejected))
        for chunk in _chunks(self._read_rows(sheet.rows, report)):
            uniques = [party.unique for _, party, _ in chunk]
            existing = await self.service.unit_of_work.repository.find_unique(self.kind, uniques)
            semaphore = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(self._write(semaphore, report, existing, *item) for item in chunk))
        report.rejected.sort(key=lambda rejection: rejection.line)
        return report

    def _read_rows(self, rows: Sequence[SheetRow], report: ImportReport) -> list[tuple[SheetRow, AnyParty, Patch]]:
        read: list[tuple[SheetRow, AnyParty, Patch]] = []
        lines: dict[str, int] = {}
        for row in rows:
            try:
                party, patch = self.read(row)
            except (Invalid, Conflict) as error:
                report.rejected.extend(self._rejections(row, error))
                continue
            first_line = lines.setdefault(party.unique, row.line)
            if first_line == row.line:
                read.append((row, party, patch))
            else:
                report.rejected.append(RowRejection(row.line, "", f"the same {party.NOUN} as on line {first_line}"))
        return read

    async def _write(
        self,
        semaphore: asyncio.Semaphore,
        report: ImportReport,
        existing: dict[str, AnyParty],
        row: SheetRow,
        party: AnyParty,
        patch: Patch,
    ) -> None:
        async with semaphore:
            try:
                report.outcomes[await self._upsert(existing.get(party.unique), party, patch)] += 1
            except (Invalid, Conflict) as error:
                report.rejected.extend(self._rejections(row, error))

    async def _upsert(self, existing: AnyParty | None, party: AnyParty, patch: Patch) -> RowOutcome:
        if existing is None:
            await self.service.unit_of_work.insert(lambda: self.complete(party))
            return "created"
        # A row that would change nothing is found out here, without another read.
        if apply_patch(existing, self.facts, patch) == self.facts.model_validate(existing.facts(self.facts)):
            return "unchanged"
        changed = await self.amend(existing, patch)
        return "unchanged" if changed.revision == existing.revision else "changed"

    def _rejections(self, row: SheetRow, error: Invalid | Conflict) -> list[RowRejection]:
        if isinstance(error, Conflict):
            return [RowRejection(row.line, "", str(error))]
        return [RowRejection(row.line, self.columns.at(fault.pointer), fault.detail) for fault in error.faults]


def _as_body(patch: dict[str, Any]) -> bytes:
    """Return a patch as the JSON body that would register the same entity."""
    return to_json({name: value for name, value in patch.items() if value is not None})


def _organisation_key(edition_id: str, row: SheetRow) -> str:
    """Return the unique key of the organisation that a row names (`Organisation.unique`)."""
    return f"{edition_id}/{same_name(row.cells['organisation'])}"


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
