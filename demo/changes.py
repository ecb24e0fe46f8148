"""The ten late changes: what goes wrong, or comes late, once the agendas are out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from demo.catalogue import programme
from demo.observer import PLACED, Observed
from demo.participants import draw_name, draw_participant
from demo.plan import PlannedOrganisation, PlannedParticipant, PlannedRequest, RequestOutcome, slug
from demo.registered_edition import RegisteredEdition
from shared.contract.events import (
    EncounterChanged,
    EncounterState,
    NotificationRecorded,
    ParticipantChanged,
)

#: What holds once a change has had its consequences.
Condition = Callable[[Observed], bool]

_MOVED_KEYNOTE, _MOVED_TO = "kets", ("12:30", "13:00")
_LOST_TABLE = "W02"
_JOINED_SESSION = "latin_america"
_LATE_UNTIL = "11:30"
NEWCOMER_REQUESTS = 3


@dataclass(frozen=True)
class LateChange:
    """One late change: what it is called, and what makes it and says when it has had its consequences."""

    title: str
    make: Callable[[RegisteredEdition], Awaitable[Condition]]


class LateChanges:
    """The changes of a run. Whom they befall follows from the edition alone, so a seed always tells the same story."""

    def __init__(self, stage: RegisteredEdition) -> None:
        self._demo = demo = stage.demo
        self._random = Random(f"tertulia-late-{demo.seed}")  # noqa: S311 - an example, not a secret
        self._encounters = Counter(
            one.key for request in demo.accepted for one in (request.requester, request.target) if one is not None
        )
        self._left = {one.key: one for one in demo.participants}
        self._names = {one.name for one in demo.participants}
        self._unanswered = self._pick_request(RequestOutcome.UNANSWERED)
        self._to_withdraw = self._pick_request(RequestOutcome.ACCEPTED)
        self.all = (
            LateChange("a participant cancels", self._participant_cancels),
            LateChange("a new company comes", self._company_comes),
            LateChange("a delegation swaps a member", self._member_swapped),
            LateChange("a table is lost", self._table_lost),
            LateChange("a keynote is moved", self._keynote_moved),
            LateChange("a company drops out", self._company_drops_out),
            LateChange("a participant comes late", self._participant_comes_late),
            LateChange("a request is accepted at last", self._request_accepted),
            LateChange("a request is withdrawn", self._request_withdrawn),
            LateChange("a participant joins a panel", self._participant_joins_panel),
        )

    def _pick(self, encounters: int, fits: Callable[[PlannedParticipant], bool] = lambda _: True) -> PlannedParticipant:
        """One whom no change has befallen, with about as many encounters."""
        candidates = [one for one in self._left.values() if self._encounters[one.key] and fits(one)]
        chosen = min(candidates, key=lambda one: (abs(self._encounters[one.key] - encounters), one.key))
        del self._left[chosen.key]
        return chosen

    def _pick_request(self, outcome: RequestOutcome) -> PlannedRequest:
        """A directed request between two whom no change has befallen, and better yet who did not ask for anybody."""
        asked_for_anybody = {one.requester.key for one in self._demo.requests if one.target is None}
        candidates = [
            (one, {one.requester.key, one.target.key})
            for one in self._demo.requests
            if one.outcome is outcome and one.target is not None
        ]
        request, pair = min(
            ((one, pair) for one, pair in candidates if pair <= self._left.keys()),
            key=lambda candidate: (len(candidate[1] & asked_for_anybody), candidate[0].key),
        )
        for key in pair:
            del self._left[key]
        return request

    async def _participant_cancels(self, stage: RegisteredEdition) -> Condition:
        gone = stage.ids[self._pick(5).key]
        await stage.client.post(f"{stage.path}/participants/{gone}/cancellation", f"cancel-{gone}")
        return lambda seen: not _encounters_of(seen, {gone})

    async def _company_comes(self, stage: RegisteredEdition) -> Condition:
        like = next(one for one in stage.demo.organisations if one.is_company and one.country == "ES")
        company = PlannedOrganisation(
            key="org-new",
            name="Talleres Recién Llegados S.L.",
            kind="sme",
            country="ES",
            region="Ciudad Real",
            delegation=None,
            codes=like.codes,
            domain="talleres-recien-llegados.example",
            industry=like.industry,
            buys=like.buys,
        )
        newcomer = draw_participant(self._random, "prt-new", company, self._names)
        await stage.register_organisation(company)
        await stage.register_participant(newcomer)
        requests = [
            PlannedRequest(f"req-new-{number}", newcomer, self._pick(2), RequestOutcome.ACCEPTED, priority=3)
            for number in range(NEWCOMER_REQUESTS)
        ]
        for request in requests:
            await stage.ask(request)
            await stage.answer(request, RequestOutcome.ACCEPTED)
        encounters = [stage.encounter_of(request) for request in requests]
        return lambda seen: all(_is_answered(seen, encounter) for encounter in encounters)

    async def _member_swapped(self, stage: RegisteredEdition) -> Condition:
        leaving = self._pick(4, lambda one: one.organisation.delegation is not None)
        seat = stage.ids[leaving.key]
        name = draw_name(self._random, leaving.organisation.country, self._names)
        address = f"{slug(name).replace('-', '.')}@{leaving.organisation.domain}"
        before = stage.seen.all(NotificationRecorded).get(seat)
        told = before.revision if before else 0
        await stage.amend_participant(leaving, {"name": name, "email": address, "languages": ["es", "en"]})

        def is_told(seen: Observed) -> bool:
            note = seen.all(NotificationRecorded).get(seat)
            return seen.all(ParticipantChanged)[seat].email == address and note is not None and note.revision > told

        return is_told

    async def _table_lost(self, stage: RegisteredEdition) -> Condition:
        zones = [
            zone | {"tables": [table for table in zone["tables"] if table != _LOST_TABLE]}
            for zone in stage.demo.payload["zones"]
        ]
        await stage.amend({"zones": zones})
        return lambda seen: all(one.place is None or one.place.table != _LOST_TABLE for one in seen.placed().values())

    async def _keynote_moved(self, stage: RegisteredEdition) -> Condition:
        moved = programme().stretch(*_MOVED_TO)
        times = {"starts_at": moved.starts_at.isoformat(), "ends_at": moved.ends_at.isoformat()}
        sessions = [
            session | (times if session["session_id"] == _MOVED_KEYNOTE else {})
            for session in stage.demo.payload["sessions"]
        ]
        await stage.amend({"sessions": sessions})
        return lambda seen: all(
            entry.starts_at == moved.starts_at
            for agenda in seen.announced().values()
            for entry in agenda.entries
            if entry.entry_id == _MOVED_KEYNOTE
        )

    async def _company_drops_out(self, stage: RegisteredEdition) -> Condition:
        one = self._pick(4, lambda one: one.organisation.is_company and one.organisation.delegation is None)
        people = {stage.ids[each.key] for each in stage.demo.participants if each.organisation == one.organisation}
        for each in stage.demo.participants:
            if each.organisation == one.organisation:
                self._left.pop(each.key, None)
        organisation = stage.ids[one.organisation.key]
        await stage.client.post(f"{stage.path}/organisations/{organisation}/cancellation", f"cancel-{organisation}")
        return lambda seen: not _encounters_of(seen, people)

    async def _participant_comes_late(self, stage: RegisteredEdition) -> Condition:
        late = self._pick(6, lambda one: not one.available)
        participant_id, present = stage.ids[late.key], programme().stretch(_LATE_UNTIL, programme().ends)
        available = [{"starts_at": present.starts_at.isoformat(), "ends_at": present.ends_at.isoformat()}]
        await stage.amend_participant(late, {"available": available})
        return lambda seen: all(
            one.place is not None and one.place.starts_at >= present.starts_at
            for one in _encounters_of(seen, {participant_id})
        )

    async def _request_accepted(self, stage: RegisteredEdition) -> Condition:
        request = self._unanswered
        await stage.answer(request, RequestOutcome.ACCEPTED)
        encounter = stage.encounter_of(request)
        return lambda seen: _is_answered(seen, encounter)

    async def _request_withdrawn(self, stage: RegisteredEdition) -> Condition:
        request = self._to_withdraw
        await stage.answer(request, RequestOutcome.WITHDRAWN)
        encounter = stage.encounter_of(request)
        return lambda seen: (
            (one := seen.all(EncounterChanged).get(encounter)) is None or one.state is EncounterState.CANCELLED
        )

    async def _participant_joins_panel(self, stage: RegisteredEdition) -> Condition:
        one = self._pick(7, lambda one: _JOINED_SESSION not in one.session_ids)
        participant_id = stage.ids[one.key]
        await stage.amend_participant(one, {"session_ids": [*one.session_ids, _JOINED_SESSION]})
        return lambda seen: (
            (agenda := seen.announced().get(participant_id)) is not None
            and any(entry.entry_id == _JOINED_SESSION for entry in agenda.entries)
        )


def _encounters_of(seen: Observed, participant_ids: set[str]) -> list[EncounterChanged]:
    return [one for one in seen.placed().values() if participant_ids.intersection(one.participant_ids)]


def _is_answered(seen: Observed, encounter: str) -> bool:
    one = seen.all(EncounterChanged).get(encounter)
    return one is not None and one.state in PLACED | {EncounterState.WAITING}


@dataclass(frozen=True)
class Effect:
    """What a late change led to: encounters moved, taken out and added, and mails sent."""

    title: str
    moved: int
    cancelled: int
    added: int
    mails: int
    seconds: float


def compare(before: dict[str, EncounterChanged], after: dict[str, EncounterChanged]) -> tuple[int, int, int]:
    """How many placed encounters moved, how many are gone, how many are new."""
    moved = sum(before[key].place != after[key].place for key in before.keys() & after.keys())
    return moved, len(before.keys() - after.keys()), len(after.keys() - before.keys())
