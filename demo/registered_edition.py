"""The edition on stage: what registration called each thing, and the calls that put it there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from demo.client import RegistrationClient, in_flight
from demo.observer import Observed
from demo.plan import (
    DemoEdition,
    Payload,
    PlannedOrganisation,
    PlannedParticipant,
    PlannedRequest,
    RequestOutcome,
    RequestStep,
)
from shared.contract.ids import encounter_id

#: What the API calls the answer that leads to an outcome.
ANSWERS = {
    RequestOutcome.ACCEPTED: "acceptance",
    RequestOutcome.DECLINED: "refusal",
    RequestOutcome.WITHDRAWN: "withdrawal",
}


@dataclass
class RegisteredEdition:
    """An edition in registration. `ids` maps the demo's keys (`org-001`, `prt-001`, `req-001`) to ids."""

    client: RegistrationClient
    seen: Observed
    demo: DemoEdition
    edition_id: str
    ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def open(cls, client: RegistrationClient, seen: Observed, demo: DemoEdition) -> RegisteredEdition:
        """Creates the edition."""
        edition = await client.post("/editions", "edition", demo.payload)
        return cls(client, seen, demo, edition["edition_id"])

    @property
    def path(self) -> str:
        """Where the edition's things are."""
        return f"/editions/{self.edition_id}"

    async def load(self) -> None:
        """Registers everybody: the organisations, then the participants."""
        await in_flight(self.demo.organisations, self.register_organisation)
        await in_flight(self.demo.participants, self.register_participant)

    async def play(self) -> None:
        """Makes the match requests and their answers, each answer after its request."""
        asked = {request.key: asyncio.Event() for request in self.demo.requests}

        async def take(step: RequestStep) -> None:
            if step.is_answer:
                await asked[step.request.key].wait()
                await self.answer(step.request, step.request.outcome)
            else:
                await self.ask(step.request)
                asked[step.request.key].set()

        await in_flight(self.demo.steps, take)

    async def register_organisation(self, organisation: PlannedOrganisation) -> None:
        made = await self.client.post(f"{self.path}/organisations", organisation.key, organisation.payload())
        self.ids[organisation.key] = made["organisation_id"]

    async def register_participant(self, participant: PlannedParticipant) -> None:
        body = participant.payload(self.ids[participant.organisation.key])
        made = await self.client.post(f"{self.path}/participants", participant.key, body)
        self.ids[participant.key] = made["participant_id"]

    async def ask(self, request: PlannedRequest) -> None:
        target_id = self.ids[request.target.key] if request.target else None
        body = request.payload(self.ids[request.requester.key], target_id)
        made = await self.client.post(f"{self.path}/match-requests", request.key, body)
        self.ids[request.key] = made["request_id"]

    async def answer(self, request: PlannedRequest, outcome: RequestOutcome) -> None:
        answer = ANSWERS[outcome]
        await self.client.post(
            f"{self.path}/match-requests/{self.ids[request.key]}/{answer}", f"{request.key}-{answer}"
        )

    async def amend(self, body: Payload) -> None:
        """Changes the edition itself."""
        await self.client.patch(self.path, body)

    async def amend_participant(self, participant: PlannedParticipant, body: Payload) -> None:
        await self.client.patch(f"{self.path}/participants/{self.ids[participant.key]}", body)

    def encounter_of(self, request: PlannedRequest) -> str:
        """The id of the encounter a directed request may lead to."""
        if request.target is None:
            raise ValueError(f"{request.key} is open: it names nobody")
        return encounter_id(self.edition_id, self.ids[request.requester.key], self.ids[request.target.key])
