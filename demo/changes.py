"""The ten late changes: cancellations, newcomers and losses after the publication of the agendas."""

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

#: True once the consequences of a change are observed.
Condition = Callable[[Observed], bool]

_MOVED_KEYNOTE, _MOVED_TO = "kets", ("12:30", "13:00")
_LOST_TABLE = "W02"
_JOINED_SESSION = "latin_america"
_LATE_UNTIL = "11:30"
NEWCOMER_REQUESTS = 3


@dataclass(frozen=True)
class LateChange:
    """A late change. `apply` makes it in registration, and returns the condition for its consequences."""

    title: str
    apply: Callable[[RegisteredEdition], Awaitable[Condition]]


class LateChanges:
    """The changes of a run. The affected participants follow from the edition alone: a seed gives the same changes."""

    def __init__(self, registered: RegisteredEdition) -> None:
        self._demo = demo = registered.demo
        self._random = Random(f"tertulia-late-{demo.seed}")  # noqa: S311 - an example, not a secret
        self._encounters = Counter(
            participant.key
            for request in demo.accepted
            for participant in (request.requester, request.target)
            if participant is not None
        )
        self._unaffected = {participant.key: participant for participant in demo.participants}
        self._names = {participant.name for participant in demo.participants}
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
        """Choose a participant, unaffected so far, whose number of encounters is nearest to `encounters`."""
        candidates = [
            participant
            for participant in self._unaffected.values()
            if self._encounters[participant.key] and fits(participant)
        ]
        chosen = min(
            candidates,
            key=lambda participant: (abs(self._encounters[participant.key] - encounters), participant.key),
        )
        del self._unaffected[chosen.key]
        return chosen

    def _pick_request(self, outcome: RequestOutcome) -> PlannedRequest:
        """Choose a directed request of two unaffected participants, preferably without an open request of theirs."""
        with_open_request = {request.requester.key for request in self._demo.requests if request.target is None}
        candidates = [
            (request, {request.requester.key, request.target.key})
            for request in self._demo.requests
            if request.outcome is outcome and request.target is not None
        ]
        request, pair = min(
            ((request, pair) for request, pair in candidates if pair <= self._unaffected.keys()),
            key=lambda candidate: (len(candidate[1] & with_open_request), candidate[0].key),
        )
        for key in pair:
            del self._unaffected[key]
        return request

    async def _participant_cancels(self, registered: RegisteredEdition) -> Condition:
        gone = registered.ids[self._pick(5).key]
        await registered.client.post(f"{registered.path}/participants/{gone}/cancellation", f"cancel-{gone}")
        return lambda seen: not _encounters_of(seen, {gone})

    async def _company_comes(self, registered: RegisteredEdition) -> Condition:
        like = next(
            organisation
            for organisation in registered.demo.organisations
            if organisation.is_company and organisation.country == "ES"
        )
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
        await registered.register_organisation(company)
        await registered.register_participant(newcomer)
        requests = [
            PlannedRequest(f"req-new-{number}", newcomer, self._pick(2), RequestOutcome.ACCEPTED, priority=3)
            for number in range(NEWCOMER_REQUESTS)
        ]
        for request in requests:
            await registered.make_request(request)
            await registered.answer(request, RequestOutcome.ACCEPTED)
        encounters = [registered.encounter_of(request) for request in requests]
        return lambda seen: all(_is_answered(seen, encounter) for encounter in encounters)

    async def _member_swapped(self, registered: RegisteredEdition) -> Condition:
        leaving = self._pick(4, lambda participant: participant.organisation.delegation is not None)
        participant_id = registered.ids[leaving.key]
        name = draw_name(self._random, leaving.organisation.country, self._names)
        address = f"{slug(name).replace('-', '.')}@{leaving.organisation.domain}"
        before = registered.seen.all(NotificationRecorded).get(participant_id)
        revision = before.revision if before else 0
        await registered.amend_participant(leaving, {"name": name, "email": address, "languages": ["es", "en"]})

        def is_notified(seen: Observed) -> bool:
            note = seen.all(NotificationRecorded).get(participant_id)
            return (
                seen.all(ParticipantChanged)[participant_id].email == address
                and note is not None
                and note.revision > revision
            )

        return is_notified

    async def _table_lost(self, registered: RegisteredEdition) -> Condition:
        zones = [
            zone | {"tables": [table for table in zone["tables"] if table != _LOST_TABLE]}
            for zone in registered.demo.payload["zones"]
        ]
        await registered.amend({"zones": zones})
        return lambda seen: all(
            encounter.place is None or encounter.place.table != _LOST_TABLE for encounter in seen.placed().values()
        )

    async def _keynote_moved(self, registered: RegisteredEdition) -> Condition:
        moved = programme().interval(*_MOVED_TO)
        times = {"starts_at": moved.starts_at.isoformat(), "ends_at": moved.ends_at.isoformat()}
        sessions = [
            session | (times if session["session_id"] == _MOVED_KEYNOTE else {})
            for session in registered.demo.payload["sessions"]
        ]
        await registered.amend({"sessions": sessions})
        return lambda seen: all(
            entry.starts_at == moved.starts_at
            for agenda in seen.announced().values()
            for entry in agenda.entries
            if entry.entry_id == _MOVED_KEYNOTE
        )

    async def _company_drops_out(self, registered: RegisteredEdition) -> Condition:
        chosen = self._pick(
            4,
            lambda participant: participant.organisation.is_company and participant.organisation.delegation is None,
        )
        organisation = chosen.organisation
        colleagues = [
            participant for participant in registered.demo.participants if participant.organisation == organisation
        ]
        for participant in colleagues:
            self._unaffected.pop(participant.key, None)
        organisation_id = registered.ids[organisation.key]
        participant_ids = {registered.ids[participant.key] for participant in colleagues}
        await registered.client.post(
            f"{registered.path}/organisations/{organisation_id}/cancellation", f"cancel-{organisation_id}"
        )
        return lambda seen: not _encounters_of(seen, participant_ids)

    async def _participant_comes_late(self, registered: RegisteredEdition) -> Condition:
        late = self._pick(6, lambda participant: not participant.available)
        participant_id, present = registered.ids[late.key], programme().interval(_LATE_UNTIL, programme().ends)
        available = [{"starts_at": present.starts_at.isoformat(), "ends_at": present.ends_at.isoformat()}]
        await registered.amend_participant(late, {"available": available})
        return lambda seen: all(
            encounter.place is not None and encounter.place.starts_at >= present.starts_at
            for encounter in _encounters_of(seen, {participant_id})
        )

    async def _request_accepted(self, registered: RegisteredEdition) -> Condition:
        request = self._unanswered
        await registered.answer(request, RequestOutcome.ACCEPTED)
        encounter = registered.encounter_of(request)
        return lambda seen: _is_answered(seen, encounter)

    async def _request_withdrawn(self, registered: RegisteredEdition) -> Condition:
        request = self._to_withdraw
        await registered.answer(request, RequestOutcome.WITHDRAWN)
        encounter = registered.encounter_of(request)
        return lambda seen: (
            (known := seen.all(EncounterChanged).get(encounter)) is None or known.state is EncounterState.CANCELLED
        )

    async def _participant_joins_panel(self, registered: RegisteredEdition) -> Condition:
        joining = self._pick(7, lambda participant: _JOINED_SESSION not in participant.session_ids)
        participant_id = registered.ids[joining.key]
        await registered.amend_participant(joining, {"session_ids": [*joining.session_ids, _JOINED_SESSION]})
        return lambda seen: (
            (agenda := seen.announced().get(participant_id)) is not None
            and any(entry.entry_id == _JOINED_SESSION for entry in agenda.entries)
        )


def _encounters_of(seen: Observed, participant_ids: set[str]) -> list[EncounterChanged]:
    return [
        encounter for encounter in seen.placed().values() if participant_ids.intersection(encounter.participant_ids)
    ]


def _is_answered(seen: Observed, encounter: str) -> bool:
    known = seen.all(EncounterChanged).get(encounter)
    return known is not None and known.state in PLACED | {EncounterState.WAITING}


@dataclass(frozen=True)
class Effect:
    """Effect of a late change: encounters moved, cancelled and added, mails sent, and seconds until all was settled."""

    title: str
    moved: int
    cancelled: int
    added: int
    mails: int
    seconds: float


def compare(before: dict[str, EncounterChanged], after: dict[str, EncounterChanged]) -> tuple[int, int, int]:
    """Count the placed encounters that moved, that are gone, and that are new."""
    moved = sum(before[key].place != after[key].place for key in before.keys() & after.keys())
    return moved, len(before.keys() - after.keys()), len(after.keys() - before.keys())
