"""Lists about registered participants: their match requests, their availability, and their choices of sessions."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Final

from services.registration.domain.checks.doubtful_fact import as_warnings, refuse_new
from services.registration.domain.checks.participant import doubtful_facts_of_participant
from services.registration.domain.edition import Edition
from services.registration.domain.errors import Conflict, FieldError, Invalid
from services.registration.domain.match_request import LIVE, MatchRequest, MatchRequestFacts, pair_key
from services.registration.domain.organisation import Organisation
from services.registration.domain.parsing import apply_patch, parse_facts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.parties import must_be_active
from services.registration.domain.seats import PlannedSeats
from services.registration.import_files.headings import key_of
from services.registration.import_files.sheet import Sheet, SheetRow
from services.registration.imports.changes import body_of, changed_fields
from services.registration.imports.contacts import comma_removed, emails_of, line_of, own_id
from services.registration.imports.directory import KnownPerson, PeopleIndex
from services.registration.imports.plan import ListImport, RowPlan, Written
from services.registration.imports.sessions import session_finder
from services.registration.imports.spans import NoTime, joined, marked, spans_of
from services.registration.imports.words import priority_of
from services.registration.previews import ChangeStep
from services.registration.service import OperatorService
from shared.contract.spelling import same_name

_PEOPLE_OF_A_READ: Final = 25
_MOST_NAMED: Final = 3
_TIME: Final = re.compile(r"(\d{1,2})(?:[:.hH](\d{2}))?(?::\d{2})?\s*(?:h|hs|hrs|uhr)?", re.IGNORECASE)
_DAY: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


class PeopleList(ListImport):
    """A list whose rows name registered participants by address, name, or id in the operator's own system."""

    def __init__(self, service: OperatorService, edition_id: str) -> None:
        super().__init__(service, edition_id)
        self.people = PeopleIndex()
        self.organisations: set[str] = set()
        self.edition: Edition

    async def begin(self, sheet: Sheet) -> None:  # noqa: ARG002 - as `ListImport`
        self.edition = await self.service.editions.get_changeable(self.edition_id)
        async for participant in self.service.unit_of_work.repository.all_of(Participant, self.edition_id):
            self.people.add(participant)
        async for organisation in self.service.unit_of_work.repository.all_of(Organisation, self.edition_id):
            self.organisations.add(same_name(organisation.name))

    def person(self, row: SheetRow, field: str) -> KnownPerson:
        """Return the participant that a cell names. Raises `Invalid`."""
        text = line_of(row.cells.get(field, ""))
        spellings = (emails_of(text)[0], text, comma_removed(text), own_id(text)[0])
        found = next((people for spelling in spellings if (people := self.people.named(spelling))), [])
        if len(found) == 1:
            return found[0]
        raise Invalid(FieldError(f"/{field}", self._fault(text, found)))

    def _fault(self, text: str, found: Sequence[KnownPerson]) -> str:
        """Return the reason for which a cell names no single participant, and the remedy."""
        names = ", ".join(sorted(person.name for person in found)[:_MOST_NAMED])
        if found and "@" in text:
            return f"{len(found)} participants share the address {text[:100]!r}: write the name of one, such as {names}"
        if found:
            return f"{len(found)} participants are named {text[:100]!r}: write the address or the id of the participant"
        if any(mark in text for mark in ";|/&"):
            return f"{text[:100]!r} names no participant: if it names several, write a row for each"
        if same_name(text) in self.organisations:
            return f"{text[:100]!r} is an organisation: name the participant of it whom the row means"
        unknown = f"no participant has the address, the name or the id {text[:100]!r}"
        similar = "" if "@" in text else self.people.similar(text)
        return f"{unknown}: do you mean {similar}?" if similar else f"{unknown}: register the participant first"


class MatchRequestImport(PeopleList):
    """Makes match requests. A request that exists is unchanged, whatever has become of it."""

    POINTERS: ClassVar[Mapping[str, Sequence[str]]] = {"requester_id": ("requester",), "target_id": ("target",)}

    def __init__(self, service: OperatorService, edition_id: str) -> None:
        super().__init__(service, edition_id)
        #: Live requests without a target, by requester.
        self._open: dict[str, MatchRequest] = {}

    async def begin(self, sheet: Sheet) -> None:
        await super().begin(sheet)
        async for request in self.service.unit_of_work.repository.all_of(MatchRequest, self.edition_id):
            if request.target_id is None and request.state in LIVE:
                self._open.setdefault(request.requester_id, request)

    async def plan(self, rows: Sequence[SheetRow], refuse: Callable[[SheetRow, Exception], None]) -> list[RowPlan]:
        plans = []
        for row in rows:
            try:
                plans.append(await self._plan(row))
            except (Invalid, Conflict) as error:
                refuse(row, error)
            await self.pause()
        return plans

    async def _plan(self, row: SheetRow) -> RowPlan:
        requester = self.person(row, "requester")
        target = self.person(row, "target") if row.cells.get("target") else None
        if target and target.organisation_id == requester.organisation_id:
            raise Invalid(FieldError("/target", "both are of the same organisation"))
        body: dict[str, Any] = {"requester_id": requester.participant_id}
        body["target_id"] = target and target.participant_id
        body |= _numbers(row, without_target=target is None)
        facts = parse_facts(MatchRequestFacts, body_of(body))
        # A repeat of a request without a target is found by its key.
        key = None if target else f"import/{requester.participant_id}"
        name = f"{requester.name} - {target.name if target else 'open'}"
        existing = await self._existing(facts, key)
        if existing is not None:
            base = f"{existing.request_id}@{existing.revision}"
            return RowPlan(row, "unchanged", name, entity_id=existing.request_id, base=base)

        async def write() -> Written:
            await self.service.match_requests.create(self.edition_id, facts, key)
            return "created", ()

        return RowPlan(row, "created", name, write)

    async def _existing(self, facts: MatchRequestFacts, key: str | None) -> MatchRequest | None:
        unit = self.service.unit_of_work
        if facts.target_id is None:
            made = unit.new_id(MatchRequest, self.edition_id, key)
            return await unit.repository.find(MatchRequest, self.edition_id, made) or self._open.get(facts.requester_id)
        pair = pair_key(self.edition_id, facts.requester_id, facts.target_id)
        return (await unit.repository.find_unique(MatchRequest, [pair])).get(pair)


class _PatchImport(PeopleList):
    """A list whose rows together change the participants that they name."""

    def __init__(self, service: OperatorService, edition_id: str) -> None:
        super().__init__(service, edition_id)
        self._values: dict[str, list[Any]] = {}
        self._first: dict[str, SheetRow] = {}
        self._seats: PlannedSeats

    @abstractmethod
    def values(self, row: SheetRow) -> list[Any]:
        """Return the values of a row. Raises `Invalid`."""

    @abstractmethod
    def patch(self, participant: Participant, values: Sequence[Any]) -> dict[str, Any]:
        """Return the patch that follows from the values of a participant's rows."""

    async def plan(self, rows: Sequence[SheetRow], refuse: Callable[[SheetRow, Exception], None]) -> list[RowPlan]:
        self._refuse = refuse
        for row in rows:
            try:
                participant_id = self.person(row, "participant").participant_id
                values = self.values(row)
            except (Invalid, Conflict) as error:
                refuse(row, error)
                continue
            self._first.setdefault(participant_id, row)
            self._values.setdefault(participant_id, []).extend(values)
        await self.pause()
        return []

    async def end(self) -> list[RowPlan]:
        plans = []
        self._seats = await self.service.participants.planned_seats(self.edition)
        ids = list(self._values)
        for start in range(0, len(ids), _PEOPLE_OF_A_READ):
            some = ids[start : start + _PEOPLE_OF_A_READ]
            found = await self.service.unit_of_work.repository.find_many(Participant, self.edition_id, some)
            for participant in found.values():
                row = self._first[participant.participant_id]
                try:
                    plans.append(self._change(row, participant))
                except (Invalid, Conflict) as error:
                    self._refuse(row, error)
                await self.pause()
        return sorted(plans, key=lambda plan: plan.row.line)

    def _change(self, row: SheetRow, existing: Participant) -> RowPlan:
        must_be_active(existing)
        participant_id = existing.participant_id
        present = existing.following(self.edition)
        patch = self.patch(present, self._values[participant_id])
        after = apply_patch(present, ParticipantFacts, patch).in_zone(self.edition.timezone)
        changes = changed_fields(present.facts(ParticipantFacts), after)
        doubts = list(doubtful_facts_of_participant(after, self.edition))
        refuse_new(doubts, doubtful_facts_of_participant(present, self.edition))

        async def write() -> Written:
            changed = await self.service.participants.amend(self.edition_id, participant_id, patch, ())
            return "changed", await self.service.participants.waits(changed)

        base = f"{participant_id}@{existing.revision}"
        plan = RowPlan(row, "unchanged", existing.name, entity_id=participant_id, base=base, changes=changes)
        if changes:
            plan.outcome, plan.write, plan.doubts = "changed", write, as_warnings(doubts)
            now = self.service.unit_of_work.clock()
            wanted = present.changed(now, **after.values())
            plan.steps = [ChangeStep(existing, self._seats.give(wanted, present, now))]
        return plan


class AvailabilityImport(_PatchImport):
    """Sets the times in which participants can meet. The rows of a participant together replace the times before."""

    POINTERS: ClassVar[Mapping[str, Sequence[str]]] = {"available": ("available", "starts_at")}

    def values(self, row: SheetRow) -> list[Any]:
        if (text := row.cells.get("available", "")) or "starts_at" not in row.cells:
            return self._spans(text)
        days = {day.date for day in self.edition.days}
        only = next(iter(days)) if len(days) == 1 else None
        stated = _day_of(row.cells.get("day", "")) or only
        starts, ends = (_instant(row, field, stated) for field in ("starts_at", "ends_at"))
        return [{"starts_at": starts, "ends_at": ends}]

    def _spans(self, text: str) -> list[dict[str, str]]:
        """Return the times that a cell tells, or that marks below times tell. Raises `Invalid`."""
        slot = timedelta(minutes=self.edition.slot_minutes)
        spans = []
        try:
            for line in marked(text):
                spans += spans_of(line.text, self.edition.days, slot if line.is_marked else None)
        except NoTime as error:
            raise Invalid(FieldError("/available", str(error))) from None
        if not spans:
            raise Invalid(FieldError("/available", "no time of the edition: cancel a participant who cannot come"))
        return [{"starts_at": starts.isoformat(), "ends_at": ends.isoformat()} for starts, ends in joined(spans)]

    def patch(self, participant: Participant, values: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002 - as the base
        return {"available": list(values)}


class SessionChoiceImport(_PatchImport):
    """Adds sessions to the choices of participants, by id or title, or by a mark below the title."""

    POINTERS: ClassVar[Mapping[str, Sequence[str]]] = {"session_ids": ("session",)}

    def __init__(self, service: OperatorService, edition: Edition) -> None:
        super().__init__(service, edition.edition_id)
        self.marks = tuple(name for session in edition.sessions for name in (session.title, session.session_id))
        #: Whether the headings are sessions, with marks below them.
        self._has_marks = False

    async def begin(self, sheet: Sheet) -> None:
        await super().begin(sheet)
        keys = set(map(key_of, self.marks))
        self._has_marks = any(column.field and key_of(column.heading) in keys for column in sheet.found.columns)

    def values(self, row: SheetRow) -> list[Any]:
        find = session_finder(self.edition)
        lines = marked(row.cells.get("session", ""))
        texts = [text for line in lines for text in ([line.text] if line.is_marked else re.split(r"[;|]", line.text))]
        texts = [text for text in texts if text.strip()]
        if not texts and self._has_marks:
            return []
        unknown = [text.strip() for text in texts if find(text) is None]
        if unknown or not texts:
            known = ", ".join(repr(session.title) for session in self.edition.sessions[:10])
            raise Invalid(
                FieldError("/session", f"no session is named {', '.join(unknown)[:100]!r}; there are {known}")
            )
        return [find(text) for text in texts]

    def patch(self, participant: Participant, values: Sequence[Any]) -> dict[str, Any]:
        chosen = {*participant.session_ids, *participant.waiting_session_ids}
        new = [value for value in dict.fromkeys(values) if value not in chosen]
        return {"session_ids": [*participant.session_ids, *new]} if new else {}


def _numbers(row: SheetRow, *, without_target: bool) -> dict[str, int]:
    numbers = {}
    if text := row.cells.get("priority"):
        priority = priority_of(text)
        if priority is None:
            raise Invalid(
                FieldError("/priority", f"{text[:50]!r}: write 1 (nice to have), 2 (wanted) or 3 (most wanted)")
            )
        numbers["priority"] = priority
    if (text := row.cells.get("partners_wanted")) and without_target:
        if not text.isdecimal():
            raise Invalid(FieldError("/partners_wanted", f"{text[:50]!r}: write a number from 1 to 20"))
        numbers["partners_wanted"] = int(text[:4])
    return numbers


def _day_of(text: str) -> date | None:
    found = _DAY.match(text.strip())
    if not found:
        return None
    year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _instant(row: SheetRow, field: str, day: date | None) -> str:
    """Return a local time of the edition in ISO 8601. Raises `Invalid`."""
    text = row.cells.get(field, "").strip()
    day = _day_of(text) or day
    rest = re.sub(r"^[T\s,]+", "", _DAY.sub("", text, count=1))
    found = _TIME.fullmatch(rest)
    if day is None:
        raise Invalid(FieldError(f"/{field}", f"{text[:50]!r}: write the date too, such as 2026-11-26 09:00"))
    try:
        hour = time(int(found[1]), int(found[2] or 0)) if found else None
    except ValueError:
        hour = None
    if hour is None:
        raise Invalid(FieldError(f"/{field}", f"{text[:50]!r} is no time: write it as 09:00"))
    return datetime.combine(day, hour).isoformat()
