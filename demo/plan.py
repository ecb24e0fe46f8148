"""The inputs of a run as plain values: organisations, participants, match requests and their answers."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Payload = dict[str, Any]


@dataclass(frozen=True)
class PlannedOrganisation:
    """An organisation to register. `industry` and `buys` are keys of `industries.toml`."""

    key: str
    name: str
    kind: str
    country: str
    region: str
    delegation: str | None
    codes: tuple[str, ...]
    domain: str
    industry: str
    buys: tuple[str, ...]

    @property
    def is_company(self) -> bool:
        """True for an SME or a large company."""
        return self.kind in {"sme", "large_company"}

    def payload(self) -> Payload:
        """The body of `POST /v1/editions/{edition}/organisations`."""
        fields = ("name", "kind", "country", "region", "delegation")
        return {field: getattr(self, field) for field in fields} | {"codes": list(self.codes)}


@dataclass(frozen=True)
class PlannedParticipant:
    """A participant to register. `available` holds local intervals in ISO 8601; empty: the whole edition."""

    key: str
    organisation: PlannedOrganisation
    name: str
    email: str
    languages: tuple[str, ...]
    offers: tuple[str, ...]
    needs: tuple[str, ...]
    available: tuple[tuple[str, str], ...] = ()
    session_ids: tuple[str, ...] = ()
    free_slots: int = 0

    def payload(self, organisation_id: str) -> Payload:
        """The body of `POST /v1/editions/{edition}/participants`."""
        return {
            "organisation_id": organisation_id,
            "name": self.name,
            "email": self.email,
            "languages": list(self.languages),
            "profile": {
                "offers": list(self.offers),
                "needs": list(self.needs),
                "codes": list(self.organisation.codes),
            },
            "available": [{"starts_at": starts, "ends_at": ends} for starts, ends in self.available],
            "session_ids": list(self.session_ids),
        }


class RequestOutcome(StrEnum):
    """The final state of a match request."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    UNANSWERED = "requested"


@dataclass(frozen=True)
class PlannedRequest:
    """A match request and its outcome. An open request (`target` is None) asks for proposed partners."""

    key: str
    requester: PlannedParticipant
    target: PlannedParticipant | None
    outcome: RequestOutcome
    priority: int = 2
    partners_wanted: int = 1

    def payload(self, requester_id: str, target_id: str | None) -> Payload:
        """The body of `POST /v1/editions/{edition}/match-requests`, with the ids given by registration."""
        return {
            "requester_id": requester_id,
            "target_id": target_id,
            "partners_wanted": self.partners_wanted,
            "priority": self.priority,
        }


@dataclass(frozen=True)
class RequestStep:
    """A call for a match request: its creation, or its answer."""

    request: PlannedRequest
    is_answer: bool


@dataclass(frozen=True)
class DemoEdition:
    """The inputs of a run, in order."""

    seed: int
    scale: float
    payload: Payload
    organisations: tuple[PlannedOrganisation, ...]
    participants: tuple[PlannedParticipant, ...]
    requests: tuple[PlannedRequest, ...]
    steps: tuple[RequestStep, ...]

    @property
    def accepted(self) -> tuple[PlannedRequest, ...]:
        """The requests that end accepted."""
        return tuple(request for request in self.requests if request.outcome is RequestOutcome.ACCEPTED)


def slug(text: str) -> str:
    """Return the text in lower-case ASCII letters and digits, with hyphens for everything else."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(char if char.isalnum() else " " for char in plain).split())
