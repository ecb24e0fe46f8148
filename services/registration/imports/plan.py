"""A list is planned as a whole, and then written. A preview is the plan, thrown away."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from services.registration.domain.entity import Entity
from services.registration.domain.errors import Conflict, FieldError, Invalid
from services.registration.import_capacity import ImportProgress
from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.sheet import RowRejection, Sheet, SheetRow
from services.registration.imports.report import ImportReport, RowEffect, RowOutcome
from services.registration.previews import ChangeStep
from services.registration.service import OperatorService
from shared.runtime.courtesy import Courtesy
from shared.runtime.fair_turns import FairTurns

_AT_ONCE: Final = 4
_ROWS_OF_A_TURN: Final = 25

#: The outcome of a written row, and warnings about things that it could not be given.
Written = tuple[RowOutcome, Sequence[FieldError]]


async def _nothing() -> Written:
    return "unchanged", ()


@dataclass
class RowPlan:
    """The effect of a row, and the call that writes it.

    `base` is the id and the revision that the plan rests on. The entity that the row `creates`, and the new entity that
    it `needs`, are written without the call, in a batch with the new entities of further rows.
    """

    row: SheetRow
    outcome: RowOutcome
    name: str
    write: Callable[[], Awaitable[Written]] = _nothing
    entity_id: str = ""
    base: str = ""
    merged_with: str = ""
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    doubts: Sequence[FieldError] = ()
    assumed: Mapping[str, Any] = field(default_factory=dict)
    creates: Entity | None = None
    needs: Entity | None = None
    #: Name of the organisation that is made along the way.
    makes: str = ""
    #: The revisions that the row makes, in order: of the organisation made along the way, then of its own entity.
    steps: list[ChangeStep] = field(default_factory=list)

    @property
    def effect(self) -> RowEffect:
        """The effect for the report."""
        return RowEffect(self.row.line, self.outcome, self.name, self.entity_id, self.merged_with, self.changes)


class ListImport(ABC):
    """The import of a kind of list into an edition: it plans rows."""

    #: Fields of the list by the beginning of a JSON pointer, for messages.
    POINTERS: ClassVar[Mapping[str, Sequence[str]]] = {}

    def __init__(self, service: OperatorService, edition_id: str) -> None:
        self.service = service
        self.edition_id = edition_id
        #: Knows the requests for which the import steps aside.
        self.courtesy = Courtesy()
        self.progress = ImportProgress()
        #: Headings of columns with marks, besides the fields.
        self.marks: tuple[str, ...] = ()

    @abstractmethod
    async def begin(self, sheet: Sheet) -> None:
        """Read the entities of the edition that rows may refer to. Raises `NotFound`, `Conflict`."""

    @abstractmethod
    async def plan(self, rows: Sequence[SheetRow], refuse: Callable[[SheetRow, Exception], None]) -> list[RowPlan]:
        """Plan rows; a row that cannot be read is refused."""

    async def end(self) -> list[RowPlan]:
        """Plan the rest: rows that are understood together only."""
        return []

    async def pause(self) -> None:
        """Let waiting requests have a turn."""
        await self.courtesy.pause()

    def missing(self) -> Sequence[str]:
        """Name the active entities that a list imported again no longer holds."""
        return ()


@dataclass
class ImportPlan:
    """The plan of a whole list, with the report of its preview."""

    kind: ListImport
    found: FoundTable
    rows: list[RowPlan]
    rejections: list[RowRejection]
    #: Ids of the new entities that `write` has written, or could not write; for the latter, the reasons.
    _tried: set[str] = field(default_factory=set)
    _obstacles: dict[str, Conflict] = field(default_factory=dict)

    @property
    def bases(self) -> list[tuple[int, str, str]]:
        """Lines, outcomes and bases of the rows: a plan with the same bases has the same effects."""
        return [(plan.row.line, plan.outcome, plan.base) for plan in self.rows]

    @property
    def steps(self) -> list[ChangeStep]:
        """The revisions that the list makes."""
        return [step for plan in self.rows if plan.outcome != "unchanged" for step in plan.steps]

    @property
    def changed_rows(self) -> int:
        """Number of rows that change entities which are registered."""
        return sum(plan.outcome in ("changed", "reinstated") for plan in self.rows)

    def report(self) -> ImportReport:
        """Return the report of the plan as if it were written."""
        report = self._report()
        for plan in self.rows:
            self._count(report, plan, plan.outcome)
        return report

    async def write(self, turns: FairTurns) -> ImportReport:
        """Write the plan turn by turn. Imports of further operators and all requests have their turns in between."""
        report = self._report()
        operator_id = self.kind.service.unit_of_work.repository.operator_id
        self.kind.progress.begin("writing", len(self.rows))
        for start in range(0, len(self.rows), _ROWS_OF_A_TURN):
            async with turns.turn(operator_id):
                await self.kind.pause()
                await self._write_slice(self.rows[start : start + _ROWS_OF_A_TURN], report)
            self.kind.progress.done = start + _ROWS_OF_A_TURN
        return report

    async def _write_slice(self, plans: Sequence[RowPlan], report: ImportReport) -> None:
        """Write the new entities of rows with a write for each kind, then the rest row by row."""
        await self._insert([plan.needs for plan in plans])
        await self._insert([plan.creates for plan in plans if self._obstacle(plan.needs) is None])
        semaphore = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._write(plan, report, semaphore) for plan in plans))

    async def _insert(self, entities: Iterable[Entity | None]) -> None:
        """Write entities that are not written yet, and note the obstacles."""
        new = {entity.id: entity for entity in entities if entity is not None and entity.id not in self._tried}
        self._tried.update(new)
        if not new:
            return
        try:
            await self.kind.service.editions.get_changeable(self.kind.edition_id)
        except Conflict as closed:
            self._obstacles.update(dict.fromkeys(new, closed))
        else:
            self._obstacles |= await self.kind.service.unit_of_work.insert_all(list(new.values()))

    def _obstacle(self, entity: Entity | None) -> Conflict | None:
        return None if entity is None else self._obstacles.get(entity.id)

    def _reject(self, plan: RowPlan, error: Exception, report: ImportReport) -> None:
        for rejection in rejections_of(plan.row, error, self.kind, self.found):
            report.reject(rejection)

    async def _write(self, plan: RowPlan, report: ImportReport, semaphore: asyncio.Semaphore) -> None:
        async with semaphore:
            try:
                for entity in (plan.needs, plan.creates):
                    if (obstacle := self._obstacle(entity)) is not None:
                        raise obstacle
                outcome, warnings = ("created", ()) if plan.creates else await plan.write()
            except (Invalid, Conflict) as error:
                self._reject(plan, error, report)
                return
            self._count(report, plan, outcome)
            for warning in warnings:
                report.warn(plan.row.line, column_at(warning.pointer, self.kind, self.found), warning.detail)
        await asyncio.sleep(0)

    def _report(self) -> ImportReport:
        report = ImportReport(self.found)
        for rejection in self.rejections:
            report.reject(rejection)
        report.miss(self.kind.missing())
        return report

    def _count(self, report: ImportReport, plan: RowPlan, outcome: RowOutcome) -> None:
        report.outcomes[outcome] += 1
        report.effects.append(plan.effect)
        for doubt in plan.doubts:
            report.warn(plan.row.line, column_at(doubt.pointer, self.kind, self.found), doubt.detail)
        for name, text in plan.row.errors.items():
            report.warn(plan.row.line, column_at(name, self.kind, self.found), f"{text}: left out")
        for name, value in plan.assumed.items():
            report.assumed[name, str(value)] += 1
        if plan.makes and plan.makes not in report.organisations:
            report.organisations[plan.makes] = None


async def planned(kind: ListImport, sheet: Sheet, turns: FairTurns) -> ImportPlan:
    """Plan a list slice by slice, a turn for every slice.

    Raises:
        NotFound, Conflict: there is no such edition, or it is closed. Faults of rows are in the plan.
    """
    plan = ImportPlan(kind, sheet.found, [], [])

    def refuse(row: SheetRow, error: Exception) -> None:
        plan.rejections.extend(rejections_of(row, error, kind, sheet.found))

    await kind.begin(sheet)
    kind.progress.begin("planning", len(sheet.packed))
    for lines in sheet.slices():
        async with turns.turn(kind.service.unit_of_work.repository.operator_id):
            rows = [line for line in lines if isinstance(line, SheetRow)]
            plan.rejections.extend(line for line in lines if isinstance(line, RowRejection))
            plan.rows.extend(await kind.plan(rows, refuse))
        kind.progress.done += 1
    plan.rows.extend(await kind.end())
    return plan


def rejections_of(row: SheetRow, error: Exception, kind: ListImport, found: FoundTable) -> list[RowRejection]:
    """Return the rejections of a row by column."""
    if not isinstance(error, Invalid):
        return [RowRejection(row.line, "", str(error))]
    return [
        RowRejection(row.line, column_at(fault.pointer, kind, found), fault.detail, _cell_at(row, fault, kind, found))
        for fault in error.faults
    ]


def column_at(pointer: str, kind: ListImport, found: FoundTable) -> str:
    """Return the heading of the column behind a JSON pointer; the field itself if no column sets it."""
    columns = {column.field: column.heading for column in reversed(found.columns) if column.field}
    fields = _fields_at(pointer, kind)
    return next((columns[name] for name in fields if name in columns), fields[0] if fields else "")


def _cell_at(row: SheetRow, fault: FieldError, kind: ListImport, found: FoundTable) -> str:
    """Return the cell at fault, such as `D2`; empty if the row has no text there."""
    letters = {column.field: column.letter for column in reversed(found.columns) if column.field}
    name = next((name for name in _fields_at(fault.pointer, kind) if row.cells.get(name)), "")
    return f"{letters[name]}{row.line}" if name in letters else ""


def _fields_at(pointer: str, kind: ListImport) -> Sequence[str]:
    path = pointer.strip("/")
    for beginning, fields in kind.POINTERS.items():
        if path == beginning or path.startswith(f"{beginning}/"):
            return fields
    first = path.partition("/")[0]
    return (first,) if first else ()
