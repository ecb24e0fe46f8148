"""Editions of the benchmark: their days, and their organisations and participants as files to import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from random import Random

from bench.neighbours.operator_api import OperatorApi, Payload

_CRAFTS = ("Soldadura", "Mecanizado", "Fundición", "Pintura", "Montaje", "Ensayos", "Calibración", "Embalaje")
_MATERIALS = ("acero inoxidable", "aluminio", "titanio", "madera", "vidrio", "cobre", "plástico", "hormigón")
_PEOPLE_PER_ORGANISATION = 2


def edition_body(name: str, people: int, **changes: object) -> Payload:
    """Return the body of an edition of a day with 32 slots, and a table for every two participants."""
    tables = [str(number) for number in range(1, max(2, people // 2) + 1)]
    return {
        "name": name,
        "timezone": "Europe/Madrid",
        "days": [{"date": "2030-11-26", "starts": "09:00", "ends": "17:00", "breaks": []}],
        "slot_minutes": 15,
        "zones": [{"zone_id": "hall", "kind": "workspace", "name": "Hall", "tables": tables}],
        "consent_policy": "requester",
        **changes,
    }


def organisation_file(people: int) -> str:
    """Return a file with an organisation for every two participants."""
    rows = (f"Empresa {number};sme;ES" for number in range((people + 1) // _PEOPLE_PER_ORGANISATION))
    return "\n".join(("name;kind;country", *rows))


def participant_file(people: int, domain: str, first: int = 0) -> str:
    """Return a file with so many participants, numbered from `first`."""
    rows = (
        f"Empresa {(number - first) // _PEOPLE_PER_ORGANISATION};Persona {number};p{number}@{domain};es;"
        f"{text_of(number)};{text_of(7 * number + number // 3)}"
        for number in range(first, first + people)
    )
    return "\n".join(("organisation;name;email;languages;offers;needs", *rows))


def text_of(number: int) -> str:
    """Return a line of a profile, the same for the same number."""
    craft, material = _CRAFTS[number % len(_CRAFTS)], _MATERIALS[number // len(_CRAFTS) % len(_MATERIALS)]
    return f"{craft} de {material} en lotes de {number % 97 + 3}"


async def register_people(api: OperatorApi, edition_id: str, people: int, domain: str) -> list[Payload]:
    """Register participants with their organisations, and return the participants."""
    path = f"/editions/{edition_id}"
    await api.call("POST", f"{path}/imports/organisations", organisation_file(people))
    await api.call("POST", f"{path}/imports/participants", participant_file(people, domain))
    return [participant async for participant in _participants(api, path)]


async def _participants(api: OperatorApi, path: str) -> AsyncIterator[Payload]:
    after: str | None = ""
    while after is not None:
        page = await api.call("GET", f"{path}/participants?limit=500" + (f"&after={after}" if after else ""))
        for participant in page["items"]:
            yield participant
        after = page["next"]


def strangers(random: Random, people: Sequence[Payload]) -> tuple[str, str]:
    """Draw the ids of two participants of different organisations."""
    while True:
        first, second = random.sample(people, 2)
        if first["organisation_id"] != second["organisation_id"]:
            return first["participant_id"], second["participant_id"]
