"""The edition in registration: the ids that registration gave, and the calls that create it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from demo.client import RegistrationClient, run_in_flight
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

#: The path segment of the answer that leads to an outcome.
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
    async def create(cls, client: RegistrationClient, seen: Observed, demo: DemoEdition) -> RegisteredEdition:
        """Create the edition in registration."""
        edition = await client.post("/editions", "edition", demo.payload)
        return cls(client, seen, demo, edition["edition_id"])

    @property
    def path(self) -> str:
        """Path of the edition's resources."""
        return f"/editions/{self.edition_id}"

    async def register_all(self) -> None:
        """Register the organisations, then the participants."""
        await run_in_flight(self.demo.organisations, self.register_organisation)
        await run_in_flight(self.demo.participants, self.register_participant)

    async def run_requests(self) -> None:
        """Make the match requests and their answers, an answer after its request."""
        asked = {request.key: asyncio.Event() for request in self.demo.requests}

        async def run_step(step: RequestStep) -> None:
            if step.is_answer:
                await asked[step.request.key].wait()
                await self.answer(step.request, step.request.outcome)
            else:
                await self.make_request(step.request)
                asked[step.request.key].set()

        await run_in_flight(self.demo.steps, run_step)

    async def register_organisation(self, organisation: PlannedOrganisation) -> None:
        created = await self.client.post(f"{self.path}/organisations", organisation.key, organisation.payload())
        self.ids[organisation.key] = created["organisation_id"]

    async def register_participant(self, participant: PlannedParticipant) -> None:
        body = participant.payload(self.ids[participant.organisation.key])
        created = await self.client.post(f"{self.path}/participants", participant.key, body)
        self.ids[participant.key] = created["participant_id"]

    async def make_request(self, request: PlannedRequest) -> None:
        target_id = self.ids[request.target.key] if request.target else None
        body = request.payload(self.ids[request.requester.key], target_id)
        created = await self.client.post(f"{self.path}/match-requests", request.key, body)
        self.ids[request.key] = created["request_id"]

    async def answer(self, request: PlannedRequest, outcome: RequestOutcome) -> None:
        answer = ANSWERS[outcome]
        await self.client.post(
            f"{self.path}/match-requests/{self.ids[request.key]}/{answer}", f"{request.key}-{answer}"
        )

    async def amend(self, body: Payload) -> None:
        """Change fields of the edition."""
        await self.client.patch(self.path, body)

    async def amend_participant(self, participant: PlannedParticipant, body: Payload) -> None:
        await self.client.patch(f"{self.path}/participants/{self.ids[participant.key]}", body)

    def encounter_of(self, request: PlannedRequest) -> str:
        """Return the id of the encounter to which a directed request may lead."""
        if request.target is None:
            raise ValueError(f"{request.key} is an open request: it has no target, so no encounter")
        return encounter_id(self.edition_id, self.ids[request.requester.key], self.ids[request.target.key])
