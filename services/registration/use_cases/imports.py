"""Use case of imported files: a row creates, changes or reinstates an entity, or is rejected with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from pydantic_core import to_json

from services.registration.domain.entity import Facts
from services.registration.domain.errors import Conflict, FieldError, Invalid
from services.registration.domain.members import Patch
from services.registration.domain.names import same_name
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.parsing import apply_patch, parse_facts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.parties import AnyParty, Reinstatement, must_be_active
from services.registration.import_files.sheet import RowRejection, Sheet, SheetRow
from services.registration.service import OperatorService
from services.registration.use_cases.import_columns import ORGANISATION_COLUMNS, PARTICIPANT_COLUMNS, ImportColumns
from services.registration.use_cases.import_report import ImportReport, RowOutcome
from shared.contract.events import Status
from shared.runtime.fair_turns import FairTurns

_AT_ONCE = 4


async def import_organisations(
    service: OperatorService, edition_id: str, sheet: Sheet, turns: FairTurns
) -> ImportReport:
    """Register or change the organisations of a sheet, by name. Every slice of the sheet takes a turn.

    Raises:
        NotFound, Conflict: there is no such edition, or it is closed. Faults of rows are in the report.
    """
    await service.editions.get_changeable(edition_id)
    delegations = await service.organisations.delegations(edition_id)

    async def look_up(rows: Sequence[SheetRow]) -> None:
        """Add the delegations of the rows: a row is warned of a second spelling in its file."""
        delegations.update(name for row in rows if (name := row.cells.get("delegation")))

    def read(row: SheetRow) -> tuple[Organisation, Patch]:
        patch = ORGANISATION_COLUMNS.patch_of(row.cells)
        facts = parse_facts(OrganisationFacts, _as_body(patch))
        organisation_id = service.unit_of_work.new_id(Organisation)
        return service.organisations.build(edition_id, facts, organisation_id), patch

    async def complete(organisation: Organisation) -> Organisation:
        return organisation

    async def amend(existing: Organisation, patch: Patch) -> Organisation:
        return await service.organisations.amend(edition_id, existing.organisation_id, patch, ())

    async def reinstate(existing: Organisation, patch: Patch) -> Reinstatement[Organisation]:
        return await service.organisations.reinstate(edition_id, existing.organisation_id, patch)

    async def warnings(organisation: Organisation) -> Sequence[FieldError]:
        return await service.organisations.warnings(organisation, delegations)

    run = _Import(
        service,
        Organisation,
        OrganisationFacts,
        ORGANISATION_COLUMNS,
        look_up,
        read,
        complete,
        amend,
        reinstate,
        warnings,
    )
    return await run.run(sheet, turns)


async def import_participants(
    service: OperatorService, edition_id: str, sheet: Sheet, turns: FairTurns
) -> ImportReport:
    """Register or change the participants of a sheet, by e-mail address. Their organisations must be registered.

    Every slice of the sheet takes a turn.

    Raises:
        NotFound, Conflict: there is no such edition, or it is closed. Faults of rows are in the report.
    """
    edition = await service.editions.get_changeable(edition_id)
    organisations: dict[str, Organisation | None] = {}

    async def look_up(rows: Sequence[SheetRow]) -> None:
        keys = {_organisation_key(edition_id, row) for row in rows}.difference(organisations)
        found = await service.unit_of_work.repository.find_unique(Organisation, sorted(keys)) if keys else {}
        organisations.update({key: found.get(key) for key in keys})

    def read(row: SheetRow) -> tuple[Participant, Patch]:
        organisation = organisations.get(_organisation_key(edition_id, row))
        if organisation is None:
            raise Invalid(FieldError("/organisation_id", "no such organisation in this edition"))
        must_be_active(organisation)
        patch = PARTICIPANT_COLUMNS.patch_of(row.cells) | {"organisation_id": organisation.organisation_id}
        if "session_ids" in patch:
            # The column names all sessions that are wanted: the participant leaves the lines of all others.
            patch["waiting_session_ids"] = []
        facts = parse_facts(ParticipantFacts, _as_body(patch))
        return service.participants.build(edition, facts, service.unit_of_work.new_id(Participant)), patch

    async def complete(participant: Participant) -> Participant:
        return await service.participants.give_seats(participant, await service.editions.get_changeable(edition_id))

    async def amend(existing: Participant, patch: Patch) -> Participant:
        return await service.participants.amend(edition_id, existing.participant_id, patch, ())

    async def reinstate(existing: Participant, patch: Patch) -> Reinstatement[Participant]:
        return await service.participants.reinstate(edition_id, existing.participant_id, patch)

    run = _Import(
        service,
        Participant,
        ParticipantFacts,
        PARTICIPANT_COLUMNS,
        look_up,
        read,
        complete,
        amend,
        reinstate,
        service.participants.warnings,
    )
    return await run.run(sheet, turns)


@dataclass
class _Import(Generic[AnyParty]):
    """The import of a file, for organisations or participants."""

    service: OperatorService
    kind: type[AnyParty]
    facts: type[Facts]
    columns: ImportColumns
    #: Finds the entities that rows refer to.
    look_up: Callable[[Sequence[SheetRow]], Awaitable[None]]
    #: Returns the new entity and the merge patch that a row stands for.
    read: Callable[[SheetRow], tuple[AnyParty, Patch]]
    #: Completes a new entity just before it is written: gives seats.
    complete: Callable[[AnyParty], Awaitable[AnyParty]]
    #: Changes an existing entity.
    amend: Callable[[AnyParty, Patch], Awaitable[AnyParty]]
    #: Has a cancelled entity take part again, and changes it.
    reinstate: Callable[[AnyParty, Patch], Awaitable[Reinstatement[AnyParty]]]
    #: Lists the doubtful facts of an entity that was written.
    warnings: Callable[[AnyParty], Awaitable[Sequence[FieldError]]]
    report: ImportReport = field(default_factory=ImportReport)
    #: The line of each unique key that the file has named so far.
    lines: dict[str, int] = field(default_factory=dict)

    async def run(self, sheet: Sheet, turns: FairTurns) -> ImportReport:
        """Import slice by slice. Imports of further operators and all requests have their turns in between."""
        for lines in sheet.slices():
            async with turns.turn(self.service.unit_of_work.repository.operator_id):
                await self._import(lines)
        return self.report

    async def _import(self, lines: Sequence[SheetRow | RowRejection]) -> None:
        rows = []
        for line in lines:
            if isinstance(line, SheetRow):
                rows.append(line)
            else:
                self.report.reject(line.line, line.column, line.reason)
        await self.look_up(rows)
        parties = await self._parties(rows)
        existing = await self.service.unit_of_work.repository.find_unique(self.kind, list(parties)) if parties else {}
        semaphore = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._write(semaphore, existing, *item) for item in parties.values()))

    async def _parties(self, rows: Sequence[SheetRow]) -> dict[str, tuple[SheetRow, AnyParty, Patch]]:
        """Read rows as entities, by unique key. After every row, waiting requests have a turn."""
        parties: dict[str, tuple[SheetRow, AnyParty, Patch]] = {}
        for row in rows:
            try:
                party, patch = self.read(row)
            except (Invalid, Conflict) as error:
                self._reject(row, error)
            else:
                first_line = self.lines.setdefault(party.unique, row.line)
                if first_line == row.line:
                    parties[party.unique] = row, party, patch
                else:
                    self.report.reject(row.line, "", f"the same {party.NOUN} as on line {first_line}")
            await asyncio.sleep(0)
        return parties

    async def _write(
        self,
        semaphore: asyncio.Semaphore,
        existing: dict[str, AnyParty],
        row: SheetRow,
        party: AnyParty,
        patch: Patch,
    ) -> None:
        async with semaphore:
            try:
                self.report.outcomes[await self._upsert(existing.get(party.unique), row, party, patch)] += 1
            except (Invalid, Conflict) as error:
                self._reject(row, error)

    async def _upsert(self, existing: AnyParty | None, row: SheetRow, party: AnyParty, patch: Patch) -> RowOutcome:
        if existing is None:
            await self._warn(row, await self.service.unit_of_work.insert(lambda: self.complete(party)))
            return "created"
        if existing.status is Status.CANCELLED:
            back = await self.reinstate(existing, patch)
            await self._warn(row, back.party, back.warnings)
            return "reinstated"
        # A row that would change nothing is found out here, without another read.
        if apply_patch(existing, self.facts, patch) == self.facts.model_validate(existing.facts(self.facts)):
            return "unchanged"
        changed = await self.amend(existing, patch)
        if changed.revision == existing.revision:
            return "unchanged"
        await self._warn(row, changed)
        return "changed"

    async def _warn(self, row: SheetRow, party: AnyParty, warnings: Iterable[FieldError] = ()) -> None:
        for warning in (*warnings, *await self.warnings(party)):
            self.report.warn(row.line, self.columns.at(warning.pointer), warning.detail)

    def _reject(self, row: SheetRow, error: Invalid | Conflict) -> None:
        if isinstance(error, Conflict):
            self.report.reject(row.line, "", str(error))
        else:
            for fault in error.faults:
                self.report.reject(row.line, self.columns.at(fault.pointer), fault.detail)


def _as_body(patch: dict[str, Any]) -> bytes:
    """Return a patch as the JSON body that would register the same entity."""
    return to_json({name: value for name, value in patch.items() if value is not None})


def _organisation_key(edition_id: str, row: SheetRow) -> str:
    """Return the unique key of the organisation that a row names (`Organisation.unique`)."""
    return f"{edition_id}/{same_name(row.cells['organisation'])}"
