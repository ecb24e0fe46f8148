"""Corrections of people in the whole product: their encounters, agendas and mails follow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.product import Product
from tests.support.registration_api import ANY_REVISION, edition_body, organisation_body, participant_body

NAMES = ("Ana", "Beto", "Carla", "Dario")


class Corrections:
    """A published edition of four people, each of an organisation with the same name, and encounters between them."""

    def __init__(self, product: Product, api: httpx.AsyncClient) -> None:
        self.product = product
        self.api = api
        self.path = ""
        self.people: dict[str, str] = {}
        self.organisations: dict[str, str] = {}
        self.requests: dict[tuple[str, str], str] = {}

    async def post(self, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        answer = await self.api.post(self.path + path, json=body, params=query)
        assert answer.is_success, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def set_up(self) -> None:
        self.path = (
            f"/editions/{(await self.post('/editions', edition_body(consent_policy='requester')))['edition_id']}"
        )
        for name in NAMES:
            await self.register(name)

    async def register(self, name: str, organisation: str | None = None, **changes: Any) -> None:
        if organisation is None:
            made = await self.post("/organisations", organisation_body(name=f"Org {name}"))
            self.organisations[name] = made["organisation_id"]
        body = participant_body(
            self.organisations[organisation or name], name=name, email=f"{name.lower()}@x.example", **changes
        )
        self.people[name] = (await self.post("/participants", body))["participant_id"]

    async def ask(self, requester: str, target: str, **fields: Any) -> str:
        body = {"requester_id": self.people[requester], "target_id": self.people[target], **fields}
        request_id = (await self.post("/match-requests", body))["request_id"]
        self.requests[requester, target] = request_id
        return str(request_id)

    async def announce(self) -> None:
        """Publish the edition, and mail the agendas."""
        await self.api.patch(self.path, json={"phase": "published"}, headers=ANY_REVISION, params={"token": "*"})
        await self.product.drain()
        await self.product.announce()

    def place(self, one: str, other: str) -> tuple[str, Any] | None:
        """Return state and place of the encounter of two people, as last published."""
        both = {self.people[one], self.people[other]}
        found = None
        for event in self.product.servers.published:
            if type(event).__name__ == "EncounterChanged" and set(event.participant_ids) == both:  # type: ignore[attr-defined]
                found = (str(event.state), event.place)  # type: ignore[attr-defined]
        return found

    def mailed(self, since: int) -> list[str]:
        """Return the addresses that got a mail, in order of sending."""
        return [mail.recipient for mail in self.product.mailer.accepted[since:]]


@pytest.fixture
async def corrections() -> AsyncIterator[Corrections]:
    product = Product()
    await product.set_up()
    async with product.client() as api:
        scene = Corrections(product, api)
        await scene.set_up()
        yield scene


async def test_a_move_to_the_partner_s_organisation_ends_the_encounter_and_a_move_back_restores_it(
    corrections: Corrections,
) -> None:
    await corrections.ask("Ana", "Beto")
    await corrections.ask("Ana", "Carla")
    await corrections.announce()
    before = corrections.place("Ana", "Beto"), corrections.place("Ana", "Carla")
    assert before[0] is not None
    path = f"{corrections.path}/participants/{corrections.people['Ana']}"
    for organisation, is_colleague in (("Beto", True), ("Ana", False)):
        moved = await corrections.api.patch(
            path, json={"organisation_id": corrections.organisations[organisation]}, headers=ANY_REVISION
        )
        slugs = [warning["slug"] for warning in moved.json().get("warnings", ())]
        assert ("colleagues-asked" in slugs) is is_colleague
        await corrections.product.drain()
        present = corrections.place("Ana", "Beto")
        assert present is not None
        assert (present[0] == "cancelled") is is_colleague
    assert (corrections.place("Ana", "Beto"), corrections.place("Ana", "Carla")) == before


async def test_a_replacement_tells_both_and_keeps_requests_and_agenda(corrections: Corrections) -> None:
    await corrections.ask("Ana", "Beto")
    await corrections.announce()
    before, sent = corrections.place("Ana", "Beto"), len(corrections.product.mailer.accepted)
    path = f"/participants/{corrections.people['Ana']}"
    person = {"name": "Zoe", "email": "zoe@x.example", "languages": ["de"]}
    replaced = await corrections.post(f"{path}/replacement", person)
    assert (replaced["name"], replaced["job_title"], replaced["profile"]["offers"]) == (
        "Zoe",
        None,
        ["Soldadura robotizada"],
    )
    again = await corrections.post(f"{path}/replacement", person)
    assert again["revision"] == replaced["revision"]
    await corrections.product.drain()
    await corrections.product.announce()
    assert corrections.place("Ana", "Beto") == before
    mailed = corrections.mailed(sent)
    assert "ana@x.example" in mailed
    assert "zoe@x.example" in mailed


async def test_a_replacement_by_a_registered_person_is_refused_by_name(corrections: Corrections) -> None:
    person = {"name": "Beto", "email": "beto@x.example", "languages": ["es"]}
    answer = await corrections.api.post(
        f"{corrections.path}/participants/{corrections.people['Ana']}/replacement", json=person
    )
    assert answer.status_code == 409
    assert corrections.people["Beto"] in answer.json()["detail"]


async def merge(corrections: Corrections, kept: str, merged: str, **query: str) -> httpx.Response:
    path = f"{corrections.path}/participants/{corrections.people[kept]}/merges"
    return await corrections.api.post(path, json={"merged_id": corrections.people[merged]}, params=query)


async def test_a_merge_brings_requests_and_encounters_and_is_undone(corrections: Corrections) -> None:
    await corrections.register("Duplicate", "Ana", external_id="D-1", job_title="CEO")
    await corrections.ask("Duplicate", "Beto")
    await corrections.ask("Carla", "Duplicate")
    await corrections.announce()
    before = {name: corrections.place("Duplicate", name) for name in ("Beto", "Carla")}
    assert all(before.values())

    unconfirmed = await merge(corrections, "Ana", "Duplicate")
    assert unconfirmed.status_code == 428
    tried = (await merge(corrections, "Ana", "Duplicate", dry_run="true")).json()
    assert tried["token"] == unconfirmed.json()["token"]
    moved = {corrections.requests["Duplicate", "Beto"], corrections.requests["Carla", "Duplicate"]}
    assert set(tried["preview"]["moved_requests"]) == moved
    made = await merge(corrections, "Ana", "Duplicate", token=tried["token"])
    assert made.status_code == 200, made.text
    kept = (await corrections.api.get(f"{corrections.path}/participants/{corrections.people['Ana']}")).json()
    assert made.json()["revision"] == kept["revision"]
    assert (kept["external_id"], kept["job_title"]) == ("D-1", "CEO")
    duplicate_path = f"{corrections.path}/participants/{corrections.people['Duplicate']}"
    duplicate = (await corrections.api.get(duplicate_path)).json()
    assert (duplicate["status"], duplicate["merged_into"]) == ("cancelled", corrections.people["Ana"])
    history = (await corrections.api.get(f"{duplicate_path}/history")).json()["items"]
    assert {item["actor"].partition(":")[0] for item in history} == {"key"}
    assert (await corrections.api.post(f"{duplicate_path}/reinstatement")).status_code == 409
    await corrections.product.drain()
    assert {name: corrections.place("Ana", name) for name in before} == before

    (amendment,) = (await corrections.api.get(f"{corrections.path}/amendments")).json()["items"][-1:]
    undone = await corrections.post(f"/amendments/{amendment['amendment_id']}/undo")
    assert undone["left"] == []
    await corrections.product.drain()
    assert {name: corrections.place("Duplicate", name) for name in before} == before
    states = [corrections.place("Ana", name) for name in before]
    assert [state and state[0] for state in states] == ["cancelled", "cancelled"]


async def test_a_merge_of_organisations_moves_people_and_is_undone(corrections: Corrections) -> None:
    duplicate = await corrections.post(
        "/organisations", organisation_body(name="Org Ana S.L.", booth="12", codes=["nace:1"])
    )
    corrections.organisations["Duplicate"] = duplicate["organisation_id"]
    await corrections.register("Eva", "Duplicate")
    await corrections.api.patch(
        f"{corrections.path}/organisations/{corrections.organisations['Beto']}",
        json={"competitor_ids": [duplicate["organisation_id"]]},
        headers=ANY_REVISION,
    )
    await corrections.ask("Eva", "Ana")
    await corrections.ask("Eva", "Carla")
    await corrections.announce()
    before = corrections.place("Eva", "Carla")

    kept = corrections.organisations["Ana"]
    path, body = f"/organisations/{kept}/merges", {"merged_id": duplicate["organisation_id"]}
    assert (await corrections.api.post(corrections.path + path, json=body)).status_code == 428
    tried = await corrections.post(path, body, dry_run="true")
    assert tried["preview"]["moved_participants"] == [corrections.people["Eva"]]
    assert [conflict["ids"] for conflict in tried["preview"]["conflicts"]] == [[corrections.requests["Eva", "Ana"]]]
    await corrections.post(path, body, token=tried["token"])
    await corrections.product.drain()

    async def get(kind: str, entity_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await corrections.api.get(f"{corrections.path}/{kind}/{entity_id}")).json()
        return found

    merged = await get("organisations", duplicate["organisation_id"])
    assert (merged["status"], merged["merged_into"]) == ("cancelled", kept)
    after = await get("organisations", kept)
    assert (after["booth"], after["codes"]) == ("12", ["nace:25.62", "nace:1"])
    assert kept in (await get("organisations", corrections.organisations["Beto"]))["competitor_ids"]
    assert (await get("participants", corrections.people["Eva"]))["organisation_id"] == kept
    ended = corrections.place("Eva", "Ana")
    assert ended is not None
    assert ended[0] == "cancelled"
    assert corrections.place("Eva", "Carla") == before

    items = (await corrections.api.get(f"{corrections.path}/amendments")).json()["items"]
    amendment = next(item for item in items if item["after"].get("merged_into") == kept)
    undone = await corrections.post(f"/amendments/{amendment['amendment_id']}/undo")
    assert undone["left"] == []
    await corrections.product.drain()
    assert (await get("participants", corrections.people["Eva"]))["organisation_id"] == duplicate["organisation_id"]
    restored = await get("organisations", kept)
    assert (restored["booth"], restored["codes"]) == (None, ["nace:25.62"])
    assert corrections.place("Eva", "Carla") == before


@pytest.mark.parametrize("kind", ["participants", "organisations"])
async def test_a_merge_with_itself_or_with_a_merged_party_is_refused(corrections: Corrections, kind: str) -> None:
    ids = corrections.people if kind == "participants" else corrections.organisations

    async def sent(kept: str, merged: str) -> int:
        path = f"{corrections.path}/{kind}/{ids[kept]}/merges"
        return (await corrections.api.post(path, json={"merged_id": ids[merged]}, params={"token": "*"})).status_code

    assert await sent("Ana", "Ana") == 422
    assert await sent("Ana", "Beto") == 200
    assert await sent("Ana", "Beto") == 200
    assert await sent("Carla", "Beto") == 409
    assert await sent("Beto", "Carla") == 409


async def test_a_corrected_address_gets_the_agenda_and_ends_the_links_of_the_former_address(
    corrections: Corrections,
) -> None:
    await corrections.ask("Ana", "Beto")
    await corrections.announce()
    path, sent = (
        f"{corrections.path}/participants/{corrections.people['Ana']}",
        len(corrections.product.mailer.accepted),
    )
    before = (await corrections.api.get(path)).json()
    changed = await corrections.api.patch(path, json={"email": "ana.ruiz@x.example"}, headers=ANY_REVISION)
    assert changed.json()["links"] == before["links"] + 1
    await corrections.product.drain()
    await corrections.product.announce()
    mailed = corrections.mailed(sent)
    assert "ana.ruiz@x.example" in mailed
    assert "beto@x.example" not in mailed
