"""Lines of a session against a model: a list of seated participants, and a queue."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.memory_store import InMemoryStore
from services.registration.service import OperatorService, serve_lines
from shared.contract.events import Status

PEOPLE = range(5)
TALK = {
    "session_id": "talk",
    "kind": "panel",
    "title": "Talk",
    "zone_id": "hall",
    "starts_at": "2026-11-26T09:00",
    "ends_at": "2026-11-26T10:00",
}
EDITION: dict[str, Any] = {
    "name": "E",
    "timezone": "Europe/Madrid",
    "days": [{"date": "2026-11-26", "starts": "09:00", "ends": "10:00"}],
    "zones": [{"zone_id": "hall", "kind": "conference", "name": "Hall"}],
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["join", "leave", "cancel", "reinstate"]), st.sampled_from(PEOPLE)),
        st.tuples(st.just("resize"), st.one_of(st.none(), st.integers(1, 4))),
        st.just(("sweep", 0)),
    ),
    min_size=4,
    max_size=25,
)


class Queue:
    """The model of a session and its line."""

    def __init__(self) -> None:
        self.capacity: int | None = 2
        self.seated: list[int] = []
        self.line: list[int] = []
        self.wish_of_cancelled: dict[int, bool] = {}

    def apply(self, step: str, value: int | None) -> None:
        if step == "resize":
            self.capacity = value
        elif value is not None and step == "reinstate" and value in self.wish_of_cancelled:
            self._join(value, wanted=self.wish_of_cancelled.pop(value))
        elif value is not None and step in ("join", "leave", "cancel") and value not in self.wish_of_cancelled:
            if step == "cancel":
                self.wish_of_cancelled[value] = value in self.seated or value in self.line
            self._join(value, wanted=step == "join")
        self._refill()

    def _join(self, person: int, *, wanted: bool) -> None:
        if not wanted:
            self.seated = [seated for seated in self.seated if seated != person]
            self.line = [waiting for waiting in self.line if waiting != person]
        elif person not in self.seated and person not in self.line:
            self.line.append(person)

    def _refill(self) -> None:
        while self.line and (self.capacity is None or len(self.seated) < self.capacity):
            self.seated.append(self.line.pop(0))


class Talk:
    """A session of registration with its participants, on a store in memory."""

    def __init__(self) -> None:
        self.store, self.now = InMemoryStore(), datetime(2026, 11, 1, 9, tzinfo=UTC)
        self.service = OperatorService(self.store.of("itecam"), self.clock)
        self.edition_id = ""
        self.ids: list[str] = []

    def clock(self) -> datetime:
        return self.now

    async def set_up(self) -> None:
        facts = EditionFacts.model_validate(EDITION | {"sessions": [TALK | {"capacity": 2}]})
        edition: Edition = await self.service.editions.create(facts, None)
        self.edition_id = edition.edition_id
        organisation = await self.service.organisations.register(
            self.edition_id, OrganisationFacts.model_validate({"name": "A", "kind": "sme", "country": "ES"}), None
        )
        for number in PEOPLE:
            body = {"organisation_id": organisation.id, "name": "P", "email": f"p{number}@x.example"}
            person = ParticipantFacts.model_validate(body | {"languages": ["es"]})
            self.ids.append((await self.service.participants.register(self.edition_id, person, None)).id)

    async def apply(self, step: str, value: int | None) -> None:
        self.now += timedelta(seconds=1)
        if step == "resize":
            sessions = {"sessions": [TALK | ({"capacity": value} if value else {})]}
            await self.service.editions.amend(self.edition_id, sessions, ())
        elif step == "sweep" or value is None:
            await serve_lines(self.store, self.clock)
        elif step in ("cancel", "reinstate"):
            await getattr(self.service.participants, step)(self.edition_id, self.ids[value])
        elif (await self.person(value)).status is Status.ACTIVE:
            wishes: dict[str, list[str]] = {"session_ids": [], "waiting_session_ids": []}
            wishes = {"session_ids": ["talk"]} if step == "join" else wishes
            await self.service.participants.amend(self.edition_id, self.ids[value], wishes, ())

    async def person(self, number: int) -> Participant:
        return await self.service.get(Participant, self.edition_id, self.ids[number])

    async def seen(self) -> tuple[list[int], list[int]]:
        """Return the seated participants, sorted, and the line in order."""
        [attendance] = await self.service.editions.attendance(self.edition_id)
        people = [await self.person(number) for number in PEOPLE]
        seated = [
            number
            for number, person in enumerate(people)
            if person.status is Status.ACTIVE and "talk" in person.session_ids
        ]
        assert len(attendance.held) == len(seated)
        return seated, [self.ids.index(participant_id) for _, participant_id in attendance.line]


async def run(steps: list[tuple[str, int | None]]) -> None:
    talk, model = Talk(), Queue()
    await talk.set_up()
    for step, value in steps:
        await talk.apply(step, value)
        model.apply(step, value)
        assert await talk.seen() == (sorted(model.seated), model.line), (step, value)


@settings(max_examples=60, deadline=None)
@given(st.permutations(PEOPLE), STEPS)
def test_seats_and_line_are_as_a_queue_says(joining: list[int], steps: list[tuple[str, int | None]]) -> None:
    asyncio.run(run([*(("join", person) for person in joining), *steps]))
