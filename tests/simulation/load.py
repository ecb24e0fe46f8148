"""The load of a run: an organiser, participants with match requests and answers, and changes meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.match_request import Answer, MatchRequest, MatchRequestFacts
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from tests.simulation.client import Client

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
