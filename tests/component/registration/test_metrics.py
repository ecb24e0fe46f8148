"""The metric of registration's HTTP API."""

from __future__ import annotations

import httpx

from shared.runtime.metrics import HTTP_SECONDS
from tests.support.metrics import MetricDelta


async def test_a_request_is_timed_by_route_template_method_and_status(api: httpx.AsyncClient) -> None:
    route = "/v1/editions/{edition_id}"
    timed = MetricDelta(HTTP_SECONDS, route=route, method="GET", status="404")
    answer = await api.get("/editions/edn_nowhere")
    assert answer.status_code == 404
    assert timed.value == 1


async def test_probes_are_not_among_the_requests(api: httpx.AsyncClient) -> None:
    await api.get("/livez")
    [family] = HTTP_SECONDS.collect()
    assert not [sample.labels for sample in family.samples if "livez" in sample.labels["route"]]


async def test_a_route_with_a_label_in_its_path_is_timed_and_answered(api: httpx.AsyncClient) -> None:
    route = "/v1/editions/{edition_id}/zones/{zone_id}/tables/{table:path}"
    timed = MetricDelta(HTTP_SECONDS, route=route, method="PUT", status="404")
    assert (await api.put("/editions/edn_nowhere/zones/w/tables/a%2Fb")).status_code == 404
    assert timed.value == 1
