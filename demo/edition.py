"""An edition like ITECAM's of 2018, drawn from a seed: 210 companies, 350 participants, about 700 match requests.

The same seed and scale give the same edition on every machine: a single `random.Random`, and no order by hash.
"""

from __future__ import annotations

from random import Random

from demo.catalogue import programme
from demo.participants import draw_organisations, draw_participants, scaled
from demo.plan import DemoEdition, Payload
from demo.requests import MOST_ENCOUNTERS, draw_requests, draw_steps

#: Tables at full scale.
WORKSPACE_TABLES, INNOVA_TABLES = 26, 6


def generate(seed: int, scale: float = 1.0) -> DemoEdition:
    """Draw a whole edition. `scale` 1.0 is ITECAM's size; 0.1 is a tenth of every amount, and at least 1."""
    random = Random(f"tertulia-demo-{seed}")  # noqa: S311 - an example edition, not a secret
    organisations = draw_organisations(random, scale)
    participants = draw_participants(random, organisations, scale)
    requests = draw_requests(random, participants, scale)
    return DemoEdition(
        seed=seed,
        scale=scale,
        payload=edition_payload(scale),
        organisations=organisations,
        participants=participants,
        requests=requests,
        steps=draw_steps(random, requests),
    )


def edition_payload(scale: float) -> Payload:
    """Return the body of `POST /v1/editions`: the day, the four zones, the sessions and the rules."""
    day = programme()
    return {
        "name": day.name,
        "timezone": day.timezone,
        "days": [
            {
                "date": day.day.isoformat(),
                "starts": day.starts,
                "ends": day.ends,
                "breaks": [{"starts": starts, "ends": ends} for starts, ends in day.breaks],
            }
        ],
        "slot_minutes": day.slot_minutes,
        "zones": zones_payload(scale),
        "sessions": sessions_payload(),
        "quotas": {"max_encounters": MOST_ENCOUNTERS},
        "consent_policy": "mutual",
        "least_affinity": 0.05,
        "fee": {"amount": 5000, "currency": "EUR"},
    }


def zones_payload(scale: float) -> list[Payload]:
    """Return the four zones, two of them with tables."""
    workspace, innova = scaled(WORKSPACE_TABLES, scale), scaled(INNOVA_TABLES, scale)
    return [
        {
            "zone_id": "workspace",
            "kind": "workspace",
            "name": "Workspace",
            "tables": [f"W{number:02}" for number in range(1, workspace + 1)],
        },
        {
            "zone_id": "innova",
            "kind": "innova",
            "name": "Innova+",
            "tables": [f"I{number}" for number in range(1, innova + 1)],
        },
        {"zone_id": "demonstration", "kind": "demonstration", "name": "Demostraciones", "tables": []},
        {"zone_id": "conference", "kind": "conference", "name": "Salón de conferencias", "tables": []},
    ]


def sessions_payload() -> list[Payload]:
    """Return the programme's sessions, with their times in local time."""
    day = programme()
    return [
        {key: session[key] for key in ("session_id", "kind", "title", "zone_id")}
        | {"starts_at": day.at(session["starts"]).isoformat(), "ends_at": day.at(session["ends"]).isoformat()}
        for session in day.sessions
    ]
