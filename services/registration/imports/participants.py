"""Import of a list of participants, by e-mail address. Organisations that are not registered are made along the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from services.registration.domain.checks.doubtful_fact import as_warnings
from services.registration.domain.checks.participant import doubtful_facts_of_participant
from services.registration.domain.edition import Edition
from services.registration.domain.errors import Conflict, FieldError, Invalid
from services.registration.domain.members import Patch
from services.registration.domain.names import same_address
from services.registration.domain.organisation import Organisation
from services.registration.domain.parsing import apply_patch, parse_facts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.parties import must_be_active
from services.registration.domain.seats import PlannedSeats
from services.registration.exports.cells import participant_cells
from services.registration.import_files.sheet import Sheet, SheetRow
from services.registration.imports.changes import body_of, changed_fields, outcome_of
from services.registration.imports.contacts import domain_of, emails_of, is_shared_mailbox, person_name
from services.registration.imports.directory import KnownPerson, OrganisationIndex, PeopleIndex
from services.registration.imports.organisations import assumed_by, new_organisation
from services.registration.imports.plan import ListImport, RowPlan, Written
from services.registration.imports.rows import ListDefaults, ReadRow, read_participant
from services.registration.previews import ChangeStep
from services.registration.service import OperatorService
from shared.contract.events import Status
from shared.contract.spelling import same_name


class ParticipantImport(ListImport):
    """Registers or changes participants.

    The address identifies a person; the address and the name, where several people share a mailbox.
    """

    POINTERS: ClassVar[Mapping[str, Sequence[str]]] = {
        "name": ("name", "full_name", "first_name", "last_name"),
        "organisation_id": ("organisation",),
        "session_ids": ("sessions",),
        "profile/offers": ("offers",),
        "profile/needs": ("needs",),
        "profile/codes": ("codes",),
    }

    def __init__(self, service: OperatorService, edition_id: str, defaults: ListDefaults) -> None:
        super().__init__(service, edition_id)
        self._defaults = defaults
        self._edition: Edition
        self._seats: PlannedSeats
        self._organisations = OrganisationIndex()
        self._people = PeopleIndex()
        #: Organisations that this list makes, by id.
        self._new: dict[str, Organisation] = {}
        #: Names in the list by mailbox, and the line of each person so far.
        self._names: dict[str, set[str]] = defaultdict(set)
        self._lines: dict[tuple[str, str], int] = {}
        self._mailboxes: set[str] = set()
        self._seen: set[str] = set()

    async def begin(self, sheet: Sheet) -> None:
        self._edition = await self.service.editions.get_changeable(self.edition_id)
        self._seats = await self.service.participants.planned_seats(self._edition)
        self._defaults = self._defaults.of_table(sheet.found)
        repository = self.service.unit_of_work.repository
        async for organisation in repository.all_of(Organisation, self.edition_id):
            self._organisations.add(organisation)
        async for participant in repository.all_of(Participant, self.edition_id):
            self._people.add(participant)
        for lines in sheet.slices():
            for row in lines:
                if isinstance(row, SheetRow) and (email := row.cells.get("email")):
                    self._names[same_address(emails_of(email)[0])].add(same_name(person_name(row.cells)))
            await self.pause()

    async def plan(self, rows: Sequence[SheetRow], refuse: Callable[[SheetRow, Exception], None]) -> list[RowPlan]:
        reads: list[tuple[ReadRow, KnownPerson | None]] = []
        for row in rows:
            try:
                read = read_participant(row, self._defaults, self._edition)
                reads.append((read, self._people.with_own_id(self._person_of(read), read)))
            except (Invalid, Conflict) as error:
                refuse(row, error)
            await self.pause()
        ids = [person.participant_id for _, person in reads if person]
        repository = self.service.unit_of_work.repository
        existing = await repository.find_many(Participant, self.edition_id, ids) if ids else {}
        plans = []
        for read, person in reads:
            try:
                plans.append(self._plan(read, existing.get(person.participant_id) if person else None))
            except (Invalid, Conflict) as error:
                refuse(read.row, error)
            await self.pause()
        return plans

    def missing(self) -> Sequence[str]:
        people = self._people.by_id.items()
        return [person.name for key, person in people if self._seen and person.is_active and key not in self._seen]

    def _person_of(self, read: ReadRow) -> KnownPerson | None:
        """Return the registered person that a row means; None if the person is new.

        Raises:
            Conflict: the list has named the person before.
        """
        mailbox, name = same_address(read.patch["email"]), same_name(read.patch["name"])
        first_line = self._lines.setdefault((mailbox, name), read.row.line)
        if first_line != read.row.line:
            raise Conflict(f"the same participant as on line {first_line}")
        people = sorted(self._people.by_email.get(mailbox, ()), key=lambda person: not person.is_active)
        for person in people:
            if same_name(person.name) == name:
                return person
        is_shared = is_shared_mailbox(mailbox) or len(self._names[mailbox]) > 1
        if people and not is_shared:
            return people[0]
        same = self._people.by_external_id.get(read.patch.get("external_id") or "", ())
        return next((person for person in same if same_name(person.name) == name), None)

    def _plan(self, read: ReadRow, existing: Participant | None) -> RowPlan:
        organisation = self._organisation_of(read)
        must_be_active(organisation)
        patch = read.patch | {"organisation_id": organisation.organisation_id}
        if existing is None:
            return self._creation(read, organisation, patch)
        self._seen.add(existing.participant_id)
        return self._change(read, existing, organisation, patch)

    def _organisation_of(self, read: ReadRow) -> Organisation:
        """Return the organisation of a row; a new organisation if none has its name."""
        assert read.organisation is not None  # noqa: S101 - each row of participants has one
        name = read.organisation.patch["name"]
        if organisation := self._organisations.named(name):
            return organisation
        if organisation := self._organisations.alike(name):
            read.doubt("organisation", f"{name[:100]!r} is taken for {organisation.name!r}")
            return organisation
        read.organisation.check()
        try:
            organisation = new_organisation(self.service, self.edition_id, read.organisation)
        except Invalid as error:
            raise Invalid(*map(_of_organisation, error.faults)) from None
        read.doubts += read.organisation.doubts
        site = organisation.website or domain_of(read.patch["email"])
        if twin := self._organisations.with_domain(site, organisation.name):
            read.doubt("organisation", f"{twin!r} has the same web domain: the same organisation?")
        self._organisations.add(organisation)
        self._new[organisation.organisation_id] = organisation
        return organisation

    def _creation(self, read: ReadRow, organisation: Organisation, patch: Patch) -> RowPlan:
        mailbox = same_address(read.patch["email"])
        shares = bool(self._people.by_email.get(mailbox)) or mailbox in self._mailboxes
        facts = parse_facts(ParticipantFacts, body_of(read.assumed | patch))
        self._mailboxes.add(mailbox)
        if shares and not is_shared_mailbox(mailbox):
            read.doubt("email", f"{read.patch['email']} belongs to several people: each mail says for whom it is")
        new_id = self.service.unit_of_work.new_id(Participant)
        participant = self.service.participants.build(self._edition, facts, new_id, shares_mailbox=shares)
        read.doubts += as_warnings(doubtful_facts_of_participant(participant, self._edition))

        plan = RowPlan(read.row, "created", participant.name)
        plan.steps = [ChangeStep(None, self._seats.give(participant, None, participant.created_at))]
        if not participant.session_ids:
            plan.creates = participant
            return self._row_plan(read, organisation, plan)

        async def complete() -> Participant:
            edition = await self.service.editions.get_changeable(self.edition_id)
            return await self.service.participants.give_seats(participant, edition)

        async def write() -> Written:
            made = await self.service.unit_of_work.insert(complete)
            return "created", await self.service.participants.waits(made)

        plan.write = write
        return self._row_plan(read, organisation, plan)

    def _change(self, read: ReadRow, existing: Participant, organisation: Organisation, patch: Patch) -> RowPlan:
        patch = read.without_repeats(patch, participant_cells(existing, self._edition))
        if set(patch.get("session_ids", ())) == {*existing.session_ids, *existing.waiting_session_ids}:
            patch = {name: value for name, value in patch.items() if name != "session_ids"}
        elif "session_ids" in patch:
            # The column names all sessions that are wanted: the participant leaves the lines of all others.
            patch = dict(patch) | {"waiting_session_ids": []}
        existing = existing.following(self._edition)
        before = existing.facts(ParticipantFacts)
        after = apply_patch(existing, ParticipantFacts, patch).in_zone(self._edition.timezone)
        changes = changed_fields(before, after)
        outcome = outcome_of(existing.status, changes)
        if outcome != "unchanged":
            read.doubts += as_warnings(doubtful_facts_of_participant(after, self._edition))

        async def write() -> Written:
            participants = self.service.participants
            if existing.status is Status.CANCELLED:
                back = await participants.reinstate(self.edition_id, existing.participant_id, patch)
                return "reinstated", (*back.warnings, *await participants.waits(back.party))
            changed = await participants.amend(self.edition_id, existing.participant_id, patch, ())
            if changed.revision == existing.revision:
                return "unchanged", ()
            return "changed", await participants.waits(changed)

        plan = RowPlan(
            read.row,
            outcome,
            existing.name,
            entity_id=existing.participant_id,
            base=f"{existing.participant_id}@{existing.revision}",
            changes=changes,
        )
        if outcome != "unchanged":
            plan.write = write
            now = self.service.unit_of_work.clock()
            plan.steps = [ChangeStep(existing, _next(existing, after, self._seats, now))]
        return self._row_plan(read, organisation, plan)

    def _row_plan(self, read: ReadRow, organisation: Organisation, plan: RowPlan) -> RowPlan:
        """Complete a plan with the doubts of its row, and with the organisation that it makes."""
        plan.doubts = read.doubts
        plan.assumed = assumed_by(read) if plan.outcome == "created" else {}
        if self._new.get(organisation.organisation_id) is organisation:
            plan.makes = organisation.name
            plan.steps.insert(0, ChangeStep(None, organisation))
            plan.needs = organisation
        return plan


def _next(existing: Participant, facts: ParticipantFacts, seats: PlannedSeats, now: datetime) -> Participant:
    """Return the next revision of a participant with these facts, active and with seats."""
    wanted = existing.changed(now, **facts.values(), status=Status.ACTIVE)
    if existing.status is Status.CANCELLED:
        return seats.give(wanted.model_copy(update={"seats": {}}), None, now)
    return seats.give(wanted, existing, now)


def _of_organisation(fault: FieldError) -> FieldError:
    """Return the fault of an organisation's field as a fault of its column in a list of participants."""
    name = fault.pointer.strip("/")
    return FieldError("/organisation" if name == "name" else f"/organisation_{name}", fault.detail)
