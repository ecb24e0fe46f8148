"""The first page and the reference page: served from the package, with nothing from another host."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urljoin

from services.registration.api.access import ApiContext
from tests.support.registration_api import client_of

_HOST = "http://registration"
_ADDRESS = re.compile(r"""(?:href|src|url)\s*[=:]\s*["']([^"']+)["']""")


async def test_the_first_page_leads_to_the_reference_and_all_it_needs_is_here(context: ApiContext) -> None:
    async with client_of(context, None) as stranger:
        to_ask, seen = ["/"], set[str]()
        while to_ask:
            path = to_ask.pop()
            answer = await stranger.get(_HOST + path, headers={"Accept": "text/html"})
            assert answer.status_code == 200, path
            seen.add(path)
            if answer.headers["content-type"].startswith("text/html") or path.endswith("start.js"):
                base = path if answer.headers["content-type"].startswith("text/html") else "/docs"
                found = {urljoin(base, address) for address in _ADDRESS.findall(answer.text)}
                assert {address for address in found if not address.startswith("/")} == set()
                to_ask += found - seen
    assert {"/docs", "/openapi.json", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/start.js"} <= seen


async def test_no_page_runs_a_script_that_it_holds_or_asks_another_host(context: ApiContext) -> None:
    async with client_of(context, None) as stranger:
        for path in ("/", "/docs"):
            answer = await stranger.get(_HOST + path, headers={"Accept": "text/html"})
            policy = answer.headers["content-security-policy"]
            assert "script-src 'self';" in policy
            assert "default-src 'none'" in policy
            assert re.findall(r"<script>|<script [^>]*>[^<]", answer.text) == []
        assert "validatorUrl: null" in (await stranger.get(f"{_HOST}/docs/start.js")).text


async def test_a_program_gets_json_and_no_method_but_get_is_known(context: ApiContext) -> None:
    async with client_of(context, None) as stranger:
        answer = await stranger.get(f"{_HOST}/", headers={"Accept": "*/*"})
        assert answer.json()["links"] == {"docs": "/docs", "openapi.json": "/openapi.json"}
        refused = await stranger.post(f"{_HOST}/")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        assert refused.json()["type"].startswith("urn:tertulia:problem:")


async def test_without_the_document_there_is_no_reference(context: ApiContext) -> None:
    closed = dataclasses.replace(context, settings=context.settings.model_copy(update={"openapi": False}))
    async with client_of(closed, None) as stranger:
        assert (await stranger.get(f"{_HOST}/docs")).status_code == 404
        assert (await stranger.get(f"{_HOST}/openapi.json")).status_code == 404
        assert (await stranger.get(f"{_HOST}/")).json()["links"] == {}
