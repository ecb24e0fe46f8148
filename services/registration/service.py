"""The use cases of registration: what one operator can do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, TypedDict, TypeVar

from services.registration.domain.bodies import FieldError, Invalid, patched
from services.registration.domain.edition import Edition, EditionFacts, FillingFacts, SessionFacts
from services.registration.domain.match_request import Answer, MatchRequest, MatchRequestFacts
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.seats import joined, with_seats
from services.registration.domain.things import Facts, NotFound, Refused
from services.registration.records import AnyThing, Repository, UnitOfWork
from shared.contract.events import Status
from shared.runtime.clock import Clock

_EXPIRED_AT_ONCE = 500
#: What an edition's event may take: with its headers it has to fit one Kafka record of 1 MiB.
_MOST_EDITION_BYTES = 900_000
_PAGE = 500

AnyParty = TypeVar("AnyParty", Organisation, Participant)

#: Fields of a JSON merge patch, and the revisions an `If-Match` allows (none: any).
Patch = dict[str, Any]
Revisions = Sequence[int]


class Store(Protocol):
    """Every operator's things; `store.MongoStore` says what each call does."""

    def of(self, operator_id: str) -> Repository: ...
    async def overdue(self, now: datetime, limit: int) -> list[MatchRequest]: ...


class OperatorService:
    """What one operator can do. All raise `NotFound`, `Refused`, `Stale`, `Invalid` and `KeyReused`, as they say."""

    def __init__(self, things: Repository, clock: Clock) -> None:
        self.records = UnitOfWork(things, clock)
        self._things = things

    async def page(self, kind: type[AnyThing], edition_id: str | None, after: str | None, limit: int) -> list[AnyThing]:
        """Up to `limit` things by id, beyond `after`; of one edition if given. Raises `NotFound`: no such edition."""
        things = await self._things.page(kind, edition_id, after or "", limit)
        if not things and edition_id is not None:
            await self.edition(edition_id)
        return things

    # -- editions

    async def open_edition(self, facts: EditionFacts, key: str | None) -> Edition:
        """Create an edition."""

        async def make(edition_id: str) -> Edition:
            return Edition(**self._made(edition_id), **_fields(facts))

        return await self.records.create(Edition, None, facts, key, make)

    async def edition(self, edition_id: str) -> Edition:
        """An edition. Raises `NotFound`."""
        return await self.records.get(Edition, edition_id, edition_id)

    async def changeable(self, edition_id: str) -> Edition:
        """An edition that is not closed, as of at most a second ago. Raises `NotFound`, `Refused`."""
        edition = await self._things.recent_edition(edition_id)
        if edition is None:
            raise NotFound(f"there is no such {Edition.NOUN}")
        edition.must_be_changeable()
        return edition

    async def amend_edition(self, edition_id: str, patch: Patch, revisions: Revisions) -> Edition:
        """Change an edition; its phase only goes forwards."""

        async def change(edition: Edition) -> Edition:
            changed = edition.changed(self.records.clock(), **_fields(patched(edition, EditionFacts, patch)))
            if changed is not edition:
                edition.must_be_changeable()
                edition.may_become(changed.phase)
                _must_fit(changed)
            return changed

        return await self.records.amend(Edition, edition_id, edition_id, change, revisions)

    async def fill_agendas(self, edition_id: str, wanted: FillingFacts) -> Edition:
        """Ask for partners to be proposed to whoever has fewer encounters than wanted."""

        async def change(edition: Edition) -> Edition:
            edition.must_be_changeable()
            return edition.filled(wanted, self.records.clock())

        return await self.records.amend(Edition, edition_id, edition_id, change)

    async def attendance(self, edition_id: str) -> list[tuple[SessionFacts, int]]:
        """The sessions of an edition, each with how many attend it."""
        edition = await self.edition(edition_id)
        attending = await self._things.attending(edition_id, [session.session_id for session in edition.sessions])
        return [(session, len(attending.get(session.session_id, ()))) for session in edition.sessions]

    # -- organisations

    async def register_organisation(self, edition_id: str, facts: OrganisationFacts, key: str | None) -> Organisation:
        """Register an organisation."""

        async def make(organisation_id: str) -> Organisation:
            await self.changeable(edition_id)
            return self.new_organisation(edition_id, facts, organisation_id)

        return await self.records.create(Organisation, edition_id, facts, key, make)

    def new_organisation(self, edition_id: str, facts: OrganisationFacts, organisation_id: str) -> Organisation:
        """An organisation that is not written yet."""
        return Organisation(**self._made(edition_id), organisation_id=organisation_id, **_fields(facts))

    async def amend_organisation(
        self, edition_id: str, organisation_id: str, patch: Patch, revisions: Revisions
    ) -> Organisation:
        """Change an organisation."""

        async def change(organisation: Organisation) -> Organisation:
            facts = patched(organisation, OrganisationFacts, patch)
            changed = organisation.changed(self.records.clock(), **_fields(facts))
            if changed is not organisation:
                await self.changeable(edition_id)
                must_be_active(organisation)
            return changed

        return await self.records.amend(Organisation, edition_id, organisation_id, change, revisions)

    async def cancel_organisation(self, edition_id: str, organisation_id: str) -> Organisation:
        """Cancel an organisation, and with it its participants.

        The organisation first: from then on all services treat its participants as cancelled, and it gets no new
        ones. A repeat goes on where a crash stopped.
        """
        edition = await self.edition(edition_id)

        async def change(organisation: Organisation) -> Organisation:
            return _cancelled(organisation, edition, self.records.clock())

        organisation = await self.records.amend(Organisation, edition_id, organisation_id, change)
        where = {"organisation_id": organisation_id, "status": Status.ACTIVE.value}
        while active := await self._things.page(Participant, edition_id, "", _PAGE, where):
            for participant in active:
                await self.cancel_participant(edition_id, participant.participant_id)
        return organisation

    # -- participants

    async def register_participant(self, edition_id: str, facts: ParticipantFacts, key: str | None) -> Participant:
        """Register a participant of an active organisation."""

        async def make(participant_id: str) -> Participant:
            edition = await self.changeable(edition_id)
            await self._must_be_active_organisation(edition_id, facts.organisation_id)
            return await self.seated(self.new_participant(edition, facts, participant_id), edition)

        return await self.records.create(Participant, edition_id, facts, key, make)

    def new_participant(self, edition: Edition, facts: ParticipantFacts, participant_id: str) -> Participant:
        """A participant that is not written yet. Raises `Invalid`."""
        _must_know_sessions(edition, facts.session_ids)
        fields = _fields(facts.in_zone(edition.timezone))
        return Participant(**self._made(edition.edition_id), participant_id=participant_id, **fields)

    async def seated(
        self, participant: Participant, edition: Edition, before: Participant | None = None
    ) -> Participant:
        """The participant with a seat in each session that can fill up and was not attended before.

        The others keep their seats, whatever the capacity has become since.

        Raises:
            Invalid: a session is full.
        """
        sessions = joined(participant, edition, before)
        ids = [session.session_id for session in sessions]
        return with_seats(participant, sessions, await self._things.attending(edition.edition_id, ids) if ids else {})

    async def amend_participant(
        self, edition_id: str, participant_id: str, patch: Patch, revisions: Revisions
    ) -> Participant:
        """Change a participant; with another name and e-mail address, another person takes the seat."""

        async def change(participant: Participant) -> Participant:
            edition = await self.edition(edition_id)
            facts = patched(participant, ParticipantFacts, patch).in_zone(edition.timezone)
            changed = participant.changed(self.records.clock(), **_fields(facts))
            if changed is not participant:
                edition.must_be_changeable()
                must_be_active(participant)
                # Sessions that the edition has dropped since may stay on the list: they do no harm.
                known = frozenset(participant.session_ids)
                _must_know_sessions(edition, facts.session_ids, known)
                if facts.organisation_id != participant.organisation_id:
                    await self._must_be_active_organisation(edition_id, facts.organisation_id)
                return await self.seated(changed, edition, participant)
            return changed

        return await self.records.amend(Participant, edition_id, participant_id, change, revisions)

    async def cancel_participant(self, edition_id: str, participant_id: str) -> Participant:
        """Cancel a participant."""
        edition = await self.edition(edition_id)

        async def change(participant: Participant) -> Participant:
            return _cancelled(participant, edition, self.records.clock())

        return await self.records.amend(Participant, edition_id, participant_id, change)

    async def check_in(self, edition_id: str, participant_id: str, *, is_here: bool) -> Participant:
        """Note that a participant has come to the venue, or take that back."""
        edition = await self.edition(edition_id)

        async def change(participant: Participant) -> Participant:
            changed = participant.changed(self.records.clock(), checked_in=is_here)
            if changed is not participant:
                edition.must_be_changeable()
                must_be_active(participant)
            return changed

        return await self.records.amend(Participant, edition_id, participant_id, change)

    # -- match requests

    async def ask(self, edition_id: str, facts: MatchRequestFacts, key: str | None) -> MatchRequest:
        """Ask to meet a participant, or the system for partners."""

        async def make(request_id: str) -> MatchRequest:
            edition = await self.changeable(edition_id)
            await self._must_be_able_to_meet(edition_id, facts)
            await self._must_have_requests_left(edition, facts.requester_id)
            made = self._made(edition_id)
            expires_at = edition.answer_by(made["created_at"]) if facts.target_id else None
            return MatchRequest(**made, request_id=request_id, expires_at=expires_at, **_fields(facts))

        return await self.records.create(MatchRequest, edition_id, facts, key, make)

    async def answer(self, edition_id: str, request_id: str, answer: Answer) -> MatchRequest:
        """Accept, decline, withdraw or expire a match request; again is the same as once."""

        async def change(request: MatchRequest) -> MatchRequest:
            answered = request.answered(answer, self.records.clock())
            # What runs out does so in a closed edition too: nobody does it.
            if answered is not request and answer is not Answer.EXPIRY:
                await self.changeable(edition_id)
            return answered

        return await self.records.amend(MatchRequest, edition_id, request_id, change)

    async def _must_be_able_to_meet(self, edition_id: str, facts: MatchRequestFacts) -> None:
        ids = {"/requester_id": facts.requester_id} | ({"/target_id": facts.target_id} if facts.target_id else {})
        found = await self._things.find_many(Participant, edition_id, list(ids.values()))
        missing = [
            FieldError(pointer, "no such participant in this edition") for pointer, i in ids.items() if i not in found
        ]
        if missing:
            raise Invalid(*missing)
        if facts.target_id and _kept_apart(found[facts.requester_id], found[facts.target_id]):
            raise Invalid(FieldError("/target_id", "no such participant in this edition"))
        for participant in found.values():
            must_be_active(participant)
        if facts.target_id and len({participant.organisation_id for participant in found.values()}) == 1:
            raise Invalid(FieldError("/target_id", "both are of the same organisation"))

    async def _must_have_requests_left(self, edition: Edition, requester_id: str) -> None:
        # Best effort: requests of one participant that race may pass the limit by as many as race. An exact count
        # would be a second document to write, and to mend after a crash; what protects people's time is
        # max_encounters, which the scheduler holds exactly.
        most = edition.quotas.max_requests
        if most is not None and await self._things.live_requests(edition.edition_id, requester_id) >= most:
            raise Refused(f"participant {requester_id} has {most} live match requests, the most this edition allows")

    async def _must_be_active_organisation(self, edition_id: str, organisation_id: str) -> None:
        organisation = await self._things.find(Organisation, edition_id, organisation_id)
        if organisation is None:
            raise Invalid(FieldError("/organisation_id", "no such organisation in this edition"))
        must_be_active(organisation)

    def _made(self, edition_id: str) -> _Made:
        now = self.records.clock()
        return {
            "operator_id": self._things.operator_id,
            "edition_id": edition_id,
            "created_at": now,
            "changed_at": now,
        }


class _Made(TypedDict):
    operator_id: str
    edition_id: str
    created_at: datetime
    changed_at: datetime


async def expire_overdue(store: Store, clock: Clock) -> None:
    """Expire the match requests, of all operators, whose time to be answered is over."""
    for request in await store.overdue(clock(), _EXPIRED_AT_ONCE):
        desk = OperatorService(store.of(request.operator_id), clock)
        try:
            await desk.answer(request.edition_id, request.request_id, Answer.EXPIRY)
        except Refused:  # answered at this very moment
            continue


def _fields(facts: Facts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in type(facts).model_fields}


def _kept_apart(one: Participant, other: Participant) -> bool:
    """Whether either blocks the other: then neither is told that the other is there."""
    return one.blocks(other.participant_id, other.organisation_id) or other.blocks(
        one.participant_id, one.organisation_id
    )


def _must_fit(edition: Edition) -> None:
    """Raise `Invalid` if it would not fit one record: each body was small enough, but changes add up."""
    size = len(edition.snapshot().model_dump_json().encode())
    if size > _MOST_EDITION_BYTES:
        raise Invalid(FieldError("", f"the edition would take {size} bytes; {_MOST_EDITION_BYTES} are the most"))


def must_be_active(thing: Organisation | Participant) -> None:
    """Raise `Refused` if it is cancelled."""
    if thing.status is not Status.ACTIVE:
        raise Refused(f"{thing.NOUN} {thing.id} is cancelled")


def _must_know_sessions(edition: Edition, session_ids: Sequence[str], known: frozenset[str] = frozenset()) -> None:
    there = known | {session.session_id for session in edition.sessions}
    unknown = [
        FieldError(f"/session_ids/{index}", "no such session in this edition")
        for index, session_id in enumerate(session_ids)
        if session_id not in there
    ]
    if unknown:
        raise Invalid(*unknown)


def _cancelled(thing: AnyParty, edition: Edition, now: datetime) -> AnyParty:
    changed = thing.changed(now, status=Status.CANCELLED)
    if changed is not thing:
        edition.must_be_changeable()
    return changed
