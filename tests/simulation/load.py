"""The load of a run: an organiser, participants with match requests and answers, and changes meanwhile.

Writes are repeated until they are answered, like those of an HTTP client with an `Idempotency-Key` or an `If-Match`.
After a time-out the client asks another process, while the first call goes on.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.entity import Entity
from services.registration.domain.errors import Conflict, Invalid, KeyReused, NotFound, Stale
from services.registration.domain.match_request import Answer, MatchRequest, MatchRequestFacts
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.service import OperatorService
from shared.contract.ids import derived_id
from shared.runtime.retry import is_transient
from tests.simulation.services import OPERATOR

Result = TypeVar("Result")
AnyThing = TypeVar("AnyThing", bound=Entity)
#: Errors that are an answer: the write is refused.
_NO = (Invalid, KeyReused, NotFound, Conflict, Stale)
_PATIENCE_SECONDS = 6.0
_TEXTS = ("robotised welding", "cobots for small batches", "non-destructive testing", "predictive maintenance")


@dataclass(frozen=True)
class Scale:
    """Size of a load: seconds, numbers of editions, and bounds of participants and requests of an edition.

    In a plain load all requests are accepted, one participant is changed, and none is cancelled.
    """

    within: float
    editions: tuple[int, ...] = (1,)
    people: tuple[int, int] = (4, 4)
    requests: tuple[int, int] = (2, 3)
    is_plain: bool = False


LEAST = Scale(within=5.0, requests=(3, 3), is_plain=True)
SMALL = Scale(within=6.0)
LARGE = Scale(within=24.0, editions=(1, 1, 2), people=(4, 6), requests=(3, 6))


@dataclass
class AcknowledgedWrites:
    """Writes that registration acknowledged: the audit expects their effects.

    `unsure` holds things with a write that was not answered at first and then refused: its effect may be there or not.
    """

    made: dict[str, type[Entity]] = field(default_factory=dict)
    fields: defaultdict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    changes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    refused: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    editions: list[str] = field(default_factory=list)
    published: set[str] = field(default_factory=set)
    defects: list[str] = field(default_factory=list)


class Client:
    """Client of registration that repeats a call until it is answered."""

    def __init__(
        self, service: Callable[[], OperatorService | None], chance: random.Random, written: AcknowledgedWrites
    ) -> None:
        self._service, self._chance, self.written = service, chance, written
        self._unanswered: set[asyncio.Task[Any]] = set()

    async def ask(self, call: Callable[[OperatorService], Awaitable[Result]]) -> tuple[Result | Exception, bool]:
        """Return the answer or the refusal, and whether an earlier try got no answer."""
        is_unsure = False
        while True:
            service = self._service()
            if service is not None:
                task: asyncio.Task[Result] = asyncio.ensure_future(call(service))
                await asyncio.wait([task], timeout=_PATIENCE_SECONDS)
                if not task.done():
                    self._unanswered.add(task)
                    task.add_done_callback(_forget)
                elif (error := task.exception()) is None:
                    return task.result(), is_unsure
                elif isinstance(error, _NO):
                    return error, is_unsure
                elif not is_transient(error):
                    self.written.defects.append(f"registration fails: {error!r}")
                is_unsure = True
            await asyncio.sleep(self._chance.uniform(0.3, 2.0))

    async def make(
        self,
        kind: type[AnyThing],
        where: tuple[str, ...],
        key: str,
        call: Callable[[OperatorService, str], Awaitable[AnyThing]],
    ) -> str | None:
        """Create a thing under an idempotency key; return its id, or None if it was refused."""
        answer, is_unsure = await self.ask(lambda service: call(service, key))
        if isinstance(answer, Exception):
            thing_id = derived_id(kind.PREFIX, OPERATOR, *where, key)
            (self.written.unsure if is_unsure else self.written.refused).add(thing_id)
            return None
        self.written.made[answer.id] = kind
        self.written.fields[answer.id] |= answer.model_dump(mode="json")
        return answer.id

    async def change(
        self,
        read: Callable[[OperatorService], Awaitable[Entity]],
        wanted: dict[str, Any],
        amend: Callable[[OperatorService, int], Awaitable[Entity]],
    ) -> bool:
        """Change fields of a thing at its newest revision; return False if that was refused."""
        while True:
            thing = await self._read(read)
            if _is_as(thing, wanted):
                return True
            revision = thing.revision
            answer, is_unsure = await self.ask(lambda service: amend(service, revision))  # noqa: B023
            if isinstance(answer, Stale):
                if not _is_as(await self._read(read), wanted):
                    continue
            elif isinstance(answer, Exception):
                if is_unsure:
                    self.written.unsure.add(thing.id)
                return False
            self.written.fields[thing.id] |= wanted
            self.written.changes[thing.id] += 1
            return True

    async def _read(self, read: Callable[[OperatorService], Awaitable[Entity]]) -> Entity:
        thing, _ = await self.ask(read)
        assert isinstance(thing, Entity)
        return thing

    async def end(
        self, thing_id: str, call: Callable[[OperatorService], Awaitable[Any]], wanted: dict[str, Any]
    ) -> bool:
        """Make an idempotent call that ends a state; return False if it was refused."""
        answer, is_unsure = await self.ask(call)
        if isinstance(answer, Exception):
            if is_unsure:
                self.written.unsure.add(thing_id)
            return False
        self.written.fields[thing_id] |= wanted
        return True


class Load:
    """Writes of clients, drawn from the seed."""

    def __init__(self, client: Client, chance: random.Random, scale: Scale) -> None:
        self._client, self._chance, self._scale = client, chance, scale
        self._written = client.written

    async def run(self) -> None:
        """Make all writes; return after the last answer."""
        count = self._chance.choice(self._scale.editions)
        await asyncio.gather(*(self._edition(number) for number in range(count)))

    async def _edition(self, number: int) -> None:
        chance = self._chance
        facts = _edition_facts(number, chance)
        named = f"edition {number} {chance.randrange(1000)}"
        edition_id = await self._client.make(
            Edition, (), named, lambda service, key: service.editions.create(facts, key)
        )
        assert edition_id
        self._written.editions.append(edition_id)
        registered = await self._several(4, lambda n: self._organisation(edition_id, n))
        organisations = [organisation_id for organisation_id in registered if organisation_id]
        count = chance.randint(*self._scale.people)
        made = await self._several(count, lambda n: self._participant(edition_id, organisations[n % 4], n))
        people = [(participant_id, n % 4) for n, participant_id in enumerate(made) if participant_id]
        pairs = [(a, b) for a, at in people for b, where in people if a < b and at != where]
        chance.shuffle(pairs)
        asked = pairs[: chance.randint(*self._scale.requests)]
        await asyncio.gather(
            *(self._request(edition_id, chance.sample(pair, 2), n) for n, pair in enumerate(asked)),
            *(self._changes(edition_id, [participant_id for participant_id, _ in people], organisations)),
            self._publish(edition_id),
        )

    async def _several(self, count: int, make: Callable[[int], Awaitable[str | None]]) -> list[str | None]:
        return list(await asyncio.gather(*(make(n) for n in range(count))))

    async def _some_time(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, self._scale.within / 2))

    async def _organisation(self, edition_id: str, n: int) -> str | None:
        facts = OrganisationFacts(name=f"Organisation {n}", kind="sme", country="ES")
        return await self._client.make(
            Organisation,
            (edition_id,),
            f"{n}",
            lambda service, key: service.organisations.register(edition_id, facts, key),
        )

    async def _participant(self, edition_id: str, organisation_id: str, n: int) -> str | None:
        facts = ParticipantFacts.model_validate(
            {
                "organisation_id": organisation_id,
                "name": f"Person {n}",
                "email": f"p{n}@example.org",
                "languages": ["en"],
                "profile": {"offers": [_TEXTS[n % 4]], "needs": [_TEXTS[(n + 1) % 4]]},
                "session_ids": ["keynote"] if n % 3 == 0 else [],
            }
        )
        return await self._client.make(
            Participant,
            (edition_id,),
            f"{n}",
            lambda service, key: service.participants.register(edition_id, facts, key),
        )

    async def _request(self, edition_id: str, pair: list[str], n: int) -> None:
        requester, target = pair
        await self._some_time()
        facts = MatchRequestFacts(requester_id=requester, target_id=target)
        request_id = await self._client.make(
            MatchRequest,
            (edition_id,),
            f"{n}",
            lambda service, key: service.match_requests.create(edition_id, facts, key),
        )
        if request_id is None:
            return
        await self._some_time()
        answers = [Answer.ACCEPTANCE] if self._scale.is_plain else self._chance.choice(_ANSWERS)
        for answer in answers:
            state = _STATES[answer]
            await self._client.end(
                request_id,
                lambda service: service.match_requests.answer(edition_id, request_id, answer),  # noqa: B023
                {"state": state},
            )

    def _changes(self, edition_id: str, people: list[str], organisations: list[str]) -> list[Awaitable[None]]:
        chance = self._chance
        if self._scale.is_plain:
            return [self._rename(edition_id, people[0], 0)]
        changes: list[Awaitable[None]] = [
            self._rename(edition_id, participant_id, n)
            for n, participant_id in enumerate(chance.sample(people, chance.randint(0, 2)))
        ]
        if chance.random() < 0.4:
            changes.append(self._cancel_participant(edition_id, chance.choice(people)))
        if chance.random() < 0.2:
            changes.append(self._cancel_organisation(edition_id, chance.choice(organisations)))
        return changes

    async def _rename(self, edition_id: str, participant_id: str, n: int) -> None:
        """Give a participant's seat to a successor, or add the keynote: both change agendas of partners."""
        await self._some_time()
        await self._some_time()
        patch: dict[str, Any] = self._chance.choice(
            ({"name": f"New {n}", "email": f"new{n}{participant_id[-4:]}@example.org"}, {"session_ids": ["keynote"]})
        )
        await self._client.change(
            lambda service: service.get(Participant, edition_id, participant_id),
            patch,
            lambda service, revision: service.participants.amend(edition_id, participant_id, patch, [revision]),
        )

    async def _cancel_participant(self, edition_id: str, participant_id: str) -> None:
        await self._some_time()
        await self._some_time()
        await self._client.end(
            participant_id,
            lambda service: service.participants.cancel(edition_id, participant_id),
            {"status": "cancelled"},
        )

    async def _cancel_organisation(self, edition_id: str, organisation_id: str) -> None:
        await self._some_time()
        await self._some_time()
        await self._client.end(
            organisation_id,
            lambda service: service.organisations.cancel(edition_id, organisation_id),
            {"status": "cancelled"},
        )

    async def _publish(self, edition_id: str) -> None:
        if not self._scale.is_plain and self._chance.random() < 0.1:
            return
        await self._some_time()
        is_published = await self._client.change(
            lambda service: service.editions.get(edition_id),
            {"phase": "published"},
            lambda service, revision: service.editions.amend(edition_id, {"phase": "published"}, [revision]),
        )
        assert is_published
        self._written.published.add(edition_id)


def _forget(task: asyncio.Task[Any]) -> None:
    """Read the error of an abandoned call, so that asyncio does not report it."""
    if not task.cancelled():
        task.exception()


def _is_as(thing: Entity, wanted: dict[str, Any]) -> bool:
    fields = thing.model_dump(mode="json")
    return all(fields[name] == value for name, value in wanted.items())


_STATES = {Answer.ACCEPTANCE: "accepted", Answer.REFUSAL: "declined", Answer.WITHDRAWAL: "withdrawn"}
_ANSWERS: tuple[tuple[Answer, ...], ...] = (
    (Answer.ACCEPTANCE,),
    (Answer.ACCEPTANCE,),
    (Answer.ACCEPTANCE,),
    (Answer.ACCEPTANCE, Answer.WITHDRAWAL),
    (Answer.REFUSAL,),
    (),
)


def _edition_facts(number: int, chance: random.Random) -> EditionFacts:
    """Return an edition with room for all encounters, so that the expected ones follow from consent alone."""
    return EditionFacts.model_validate(
        {
            "name": f"Edition {number}",
            "timezone": "Europe/Madrid",
            "days": [{"date": "2026-11-26", "starts": "09:00", "ends": "15:00"}],
            "slot_minutes": 30,
            "zones": [
                {"zone_id": "work", "kind": "workspace", "name": "Workspace", "tables": ["1", "2", "3"]},
                {"zone_id": "hall", "kind": "conference", "name": "Hall"},
            ],
            "sessions": [
                {
                    "session_id": "keynote",
                    "kind": "keynote",
                    "title": "Keynote",
                    "zone_id": "hall",
                    "starts_at": "2026-11-26T09:00",
                    "ends_at": "2026-11-26T10:00",
                }
            ],
            "affinity_version": "1",
            "consent_policy": chance.choice(("mutual", "requester")),
        }
    )
