"""The observatory: an edition drawn from what matching knows, exported whole, and viewed on the internal API."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import networkx as nx
import pytest
from starlette.applications import Starlette

from services.matching.api import observatory_routes
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.observatory.exports import to_graphml, to_json
from services.matching.observatory.leiden import communities
from services.matching.observatory.picture import Picture, picture_of
from services.matching.observatory.view_cache import ViewCache
from services.matching.settings import Settings
from services.matching.vocabulary import labels
from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.authenticator import Authenticator
from services.registration.internal_clients import InternalClient, InternalClients, no_clients
from services.registration.keys import OperatorKey, digest_of
from services.registration.memory_store import InMemoryOperators, InMemoryStore
from services.registration.settings import Settings as RegistrationSettings
from shared.contract.events import Event
from shared.internal_api.server import internal_routes
from tests.support.matching_editions import PRESSES, SENSORS, WELDING, Edition
from tests.support.matching_scene import Scene

EACH = 6
LABELS = ("Etiquetas impresas para botellas de vino",)


def drawn(scene: Scene, reverse: bool = False) -> MatchingState:
    """Return an edition of two trades: welders in need of sensors, growers in need of welding. All of a trade ask."""
    edition = Edition()
    events: list[Event] = [scene.edition()]
    trades = [
        ("w", "nace:25.62", "CLM", WELDING + PRESSES, SENSORS + PRESSES),
        ("g", "nace:01.21", None, LABELS, WELDING + LABELS),
    ]
    for trade, code, region, offers, needs in trades:
        for n in range(EACH):
            name = f"{trade}{n}"
            country = "ES" if region else "MX"
            events.append(
                scene.organisation(f"org_{name}", codes=(code,), country=country, region=region, name="Secret & Co")
            )
            events.append(scene.participant(name, offers, needs, codes=("ket:robotics",) if trade == "w" else ()))
            events += [scene.request(f"r_{name}_{m}", name, f"{trade}{m}") for m in range(EACH) if m != n]
    events.append(scene.request("across", "w0", "g0", state="accepted"))
    edition.decide(*(reversed(events) if reverse else events))
    return edition.state


def picture(state: MatchingState) -> Picture:
    return picture_of(state, NgramScorer(), communities)


@pytest.fixture(scope="module")
def state(scene: Scene) -> MatchingState:
    return drawn(scene)


def test_trades_are_clusters_named_by_their_codes(state: MatchingState) -> None:
    document = json.loads(to_json(picture(state)))
    clusters = {frozenset(one["terms"]): one["organisations"] for one in document["clusters"]}
    assert clusters == {frozenset({"nace:25.62", "ket:robotics"}): EACH, frozenset({"nace:01.21"}): EACH}
    spread = {one["id"]: one["spread"] for one in document["organisations"]}
    assert {one for one, value in spread.items() if value} == {"org_w0", "org_g0"}


def test_a_gap_is_a_need_without_an_offer_of_another_organisation(state: MatchingState) -> None:
    gaps = {one["id"]: one for one in json.loads(to_json(picture(state)))["participants"]}
    assert gaps["w0"]["needs_without_offer"] == [0]
    assert gaps["g0"]["needs_without_offer"] == []
    assert gaps["w0"]["offers_without_need"] == []


def test_exports_do_not_depend_on_the_order_of_events(scene: Scene, state: MatchingState) -> None:
    other = picture(drawn(scene, reverse=True))
    assert to_json(other) == to_json(picture(state))
    assert to_graphml(other) == to_graphml(picture(state))


def test_graphml_is_valid_for_networkx_and_has_no_names(state: MatchingState) -> None:
    written = to_graphml(picture(state))
    graph = nx.read_graphml(io.BytesIO(written))
    assert graph.number_of_nodes() == 4 * EACH
    assert graph.nodes["org_w0"]["kind"] == "sme"
    assert graph.edges["g0", "w0"]["answer"] == "accepted"
    assert graph.edges["w0", "org_w0"]["type"] == "represents"
    for exported in (written, to_json(picture(state))):
        assert b"Secret" not in exported
        assert b"@" not in exported
        assert SENSORS[0].encode() not in exported


def test_characters_that_xml_cannot_hold_are_left_out(scene: Scene) -> None:
    edition = Edition()
    edition.decide(scene.edition(), scene.organisation("org_a", region="C\x0bLM <&"), scene.participant("a"))
    graph = nx.read_graphml(io.BytesIO(to_graphml(picture(edition.state))))
    assert graph.nodes["org_a"]["region"] == "C LM <&"


class CacheInputs:
    """Registration's API with matching behind it; counts how often matching reads an edition."""

    def __init__(self, state: MatchingState) -> None:
        self.read = 0
        self.time = 0.0
        self._state = state

    async def state_of(self, edition_id: str) -> MatchingState:
        self.read += 1
        return self._state.model_copy(update={"edition_id": edition_id})

    def view_cache(self) -> ViewCache:
        return ViewCache(self.state_of, NgramScorer, communities, labels, lambda: self.time)


@pytest.fixture
def inputs(state: MatchingState) -> CacheInputs:
    return CacheInputs(state)


@pytest.fixture
async def api(inputs: CacheInputs) -> AsyncIterator[httpx.AsyncClient]:
    matching = Starlette(routes=internal_routes(Settings(internal_token="t"), observatory_routes(inputs.view_cache())))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(matching), base_url="http://m", headers={"Authorization": "Bearer t"}
    )
    clients = InternalClients(InternalClient("matching", client), no_clients().scheduler)
    authenticator = Authenticator(
        InMemoryOperators({name: [OperatorKey(digest_of("s3cret"))] for name in ("itecam", "rival")}), 5
    )
    context = ApiContext(
        InMemoryStore(), authenticator, RegistrationSettings(), lambda: datetime(2026, 11, 1, tzinfo=UTC), clients
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(make_api(context)), base_url="http://r/v1") as api:
        api.headers["Authorization"] = "Bearer itecam.s3cret"
        yield api
    await clients.close()


async def opened(api: httpx.AsyncClient) -> str:
    day = {"date": "2026-11-26", "starts": "09:00", "ends": "10:00"}
    zone = {"zone_id": "work", "kind": "workspace", "name": "Workspace", "tables": ["1"]}
    body = {"name": "B2B", "timezone": "Europe/Madrid", "days": [day], "zones": [zone]}
    answer = await api.post("/editions", json=body)
    assert answer.status_code == 201, answer.text
    return f"/editions/{answer.json()['edition_id']}/observatory"


async def test_an_operator_sees_counts_of_groups_that_are_large_enough(api: httpx.AsyncClient) -> None:
    view = (await api.get(await opened(api))).json()
    assert view["total"] == {
        "organisations": 12,
        "needs_without_offer": 6,
        "offers_without_need": None,
        "asked": None,
        "in_encounters": None,
    }
    assert [(row["group"], row["organisations"]) for row in view["by_sector"]] == [("nace:01", 6), ("nace:25", 6)]
    assert [row["group"] for row in view["by_territory"]] == ["ES/CLM", "MX"]
    assert {row["needs_without_offer"] for row in view["by_sector"]} == {None}
    assert [term["code"] for cluster in view["clusters"] for term in cluster["terms"]].count("ket:robotics") == 1
    named = {term["code"]: term["labels"] for cluster in view["clusters"] for term in cluster["terms"]}
    assert named["nace:01.21"]["es"] == "Cultivo de la vid"
    assert view["bridges"] == []


async def test_other_operators_see_nothing(api: httpx.AsyncClient) -> None:
    path = await opened(api)
    assert (await api.get(path, headers={"Authorization": "Bearer rival.s3cret"})).status_code == 404
    assert (await api.get("/editions/edn_none/observatory")).status_code == 404


async def test_an_edition_is_drawn_at_most_once_a_minute(api: httpx.AsyncClient, inputs: CacheInputs) -> None:
    path = await opened(api)
    for _ in range(3):
        await api.get(path)
    assert inputs.read == 1
    inputs.time = 61
    await api.get(path)
    assert inputs.read == 2


async def test_fewer_than_five_organisations_are_answered_with_too_few(scene: Scene) -> None:
    edition = Edition()
    edition.decide(scene.edition(), scene.organisation("org_a"), scene.participant("a"))
    inputs = CacheInputs(edition.state)
    matching = Starlette(routes=internal_routes(Settings(internal_token="t"), observatory_routes(inputs.view_cache())))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(matching), base_url="http://m") as client:
        answer = await client.get("/internal/editions/e/observatory", headers={"Authorization": "Bearer t"})
    assert (answer.status_code, answer.json()["slug"]) == (409, "too-few")


async def test_a_failed_drawing_is_tried_again_by_the_next_request(state: MatchingState) -> None:
    attempts = iter([ConnectionError("database away"), None])

    async def state_of(edition_id: str) -> MatchingState:
        if error := next(attempts):
            raise error
        return state.model_copy(update={"edition_id": edition_id})

    view_cache = ViewCache(state_of, NgramScorer, communities, labels, lambda: 0.0)
    with pytest.raises(ConnectionError):
        await view_cache.view("e")
    assert (await view_cache.view("e")).total.organisations == 12
