"""Import of a list of organisations, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.registration.domain.checks.doubtful_fact import as_warnings
from services.registration.domain.checks.organisation import doubtful_facts_of_organisation
from services.registration.domain.errors import Conflict, FieldError, Invalid
from services.registration.domain.members import Patch
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.parsing import apply_patch, parse_facts
from services.registration.exports.cells import organisation_cells
from services.registration.import_files.sheet import Sheet, SheetRow
from services.registration.imports.changes import body_of, changed_fields, outcome_of
from services.registration.imports.directory import OrganisationIndex
from services.registration.imports.plan import ListImport, RowPlan, Written
from services.registration.imports.rows import ListDefaults, ReadRow, read_organisation
from services.registration.previews import ChangeStep
from services.registration.service import OperatorService
from shared.contract.events import Status

NO_COUNTRY = FieldError("/country", "no country: add a column with it, or send ?country= with its ISO code")


class OrganisationImport(ListImport):
    """Registers or changes organisations. The name identifies them, whatever its accents, marks and legal form."""

    def __init__(self, service: OperatorService, edition_id: str, defaults: ListDefaults) -> None:
        super().__init__(service, edition_id)
        self._defaults = defaults
        self._index = OrganisationIndex()
        #: The line of each organisation that the list has named so far, by id.
        self._lines: dict[str, int] = {}
        self._active: dict[str, str] = {}
        self._delegations: set[str] = set()

    async def begin(self, sheet: Sheet) -> None:
        await self.service.editions.get_changeable(self.edition_id)
        self._defaults = self._defaults.of_table(sheet.found)
        async for organisation in self.service.unit_of_work.repository.all_of(Organisation, self.edition_id):
            self._index.add(organisation)
            if organisation.status is Status.ACTIVE:
                self._active[organisation.organisation_id] = organisation.name
                self._delegations.update([organisation.delegation] if organisation.delegation else ())

    async def plan(self, rows: Sequence[SheetRow], refuse: Callable[[SheetRow, Exception], None]) -> list[RowPlan]:
        # A row is warned of other spellings in the same list.
        self._delegations.update(name for row in rows if (name := row.cells.get("delegation")))
        plans = []
        for row in rows:
            try:
                plans.append(self._plan(row))
            except (Invalid, Conflict) as error:
                refuse(row, error)
            await self.pause()
        return plans

    def missing(self) -> Sequence[str]:
        seen = self._active.keys() & self._lines.keys()
        return [name for organisation_id, name in self._active.items() if seen and organisation_id not in seen]

    def _plan(self, row: SheetRow) -> RowPlan:
        read = read_organisation(row, self._defaults)
        name = read.patch["name"]
        existing = self._index.named(name)
        merged = "" if existing else getattr(self._index.alike(name), "name", "")
        existing = existing or self._index.alike(name)
        self._index.must_be_own_id(read.patch.get("external_id"), existing)
        if existing is None:
            return self._creation(read)
        first_line = self._lines.setdefault(existing.organisation_id, row.line)
        if first_line != row.line:
            raise Conflict(f"the same organisation as on line {first_line}")
        patch = read.patch | {"name": existing.name} if merged else read.patch
        return self._change(read, existing, patch, merged)

    def _creation(self, read: ReadRow) -> RowPlan:
        organisation = new_organisation(self.service, self.edition_id, read)
        self._lines[organisation.organisation_id] = read.row.line
        if website := organisation.website:
            twin = self._index.with_domain(website, organisation.name)
            if twin:
                read.doubt("website", f"{twin!r} has the same web domain: the same organisation?")
        self._index.add(organisation)
        read.doubts += as_warnings(doubtful_facts_of_organisation(organisation, self._delegations))
        plan = RowPlan(read.row, "created", organisation.name, doubts=read.doubts, assumed=assumed_by(read))
        plan.creates, plan.steps = organisation, [ChangeStep(None, organisation)]
        return plan

    def _change(self, read: ReadRow, existing: Organisation, patch: Patch, merged: str) -> RowPlan:
        patch = read.without_repeats(patch, organisation_cells(existing))
        before = existing.facts(OrganisationFacts)
        after = apply_patch(existing, OrganisationFacts, patch)

        async def write() -> Written:
            if existing.status is Status.CANCELLED:
                back = await self.service.organisations.reinstate(self.edition_id, existing.organisation_id, patch)
                return "reinstated", back.warnings
            changed = await self.service.organisations.amend(self.edition_id, existing.organisation_id, patch, ())
            return "unchanged" if changed.revision == existing.revision else "changed", ()

        changes = changed_fields(before, after)
        outcome = outcome_of(existing.status, changes)
        if outcome != "unchanged":
            read.doubts += as_warnings(doubtful_facts_of_organisation(after, self._delegations))
        plan = RowPlan(
            read.row,
            outcome,
            existing.name,
            entity_id=existing.organisation_id,
            base=f"{existing.organisation_id}@{existing.revision}",
            merged_with=merged,
            changes=changes,
            doubts=read.doubts,
        )
        if outcome != "unchanged":
            plan.write = write
            now = self.service.unit_of_work.clock()
            plan.steps = [ChangeStep(existing, existing.changed(now, **after.values(), status=Status.ACTIVE))]
        return plan


def new_organisation(service: OperatorService, edition_id: str, read: ReadRow) -> Organisation:
    """Return the new organisation of a row without writing it. Raises `Invalid`."""
    fields = read.new()
    if "country" not in fields:
        raise Invalid(NO_COUNTRY)
    facts = parse_facts(OrganisationFacts, body_of(fields))
    return service.organisations.build(edition_id, facts, service.unit_of_work.new_id(Organisation))


def assumed_by(read: ReadRow) -> dict[str, str]:
    """Return the values that a new entity takes although its row does not hold them."""
    assumed = {name: value for name, value in read.assumed.items() if read.patch.get(name) is None}
    return {name: ", ".join(value) if isinstance(value, list) else value for name, value in assumed.items()}
