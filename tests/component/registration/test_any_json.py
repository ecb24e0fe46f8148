"""Any JSON may be posted or patched without a server error."""

from __future__ import annotations

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registration.domain.edition import EditionFacts
from services.registration.domain.match_request import MatchRequestFacts
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.participant import ParticipantFacts
from tests.support.registration_api import EditionHarness, edition_body, organisation_body, participant_body

FIELDS = sorted(
    {
        name
        for facts in (EditionFacts, OrganisationFacts, ParticipantFacts, MatchRequestFacts)
        for name in facts.model_fields
    }
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["2026-11-26T09:00", "9999-12-31T23:59Z", "09:00", "sme", "Europe/Madrid", "a@b.example", "\ud800", "\0"]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
HEADERS = {"content-type": "application/json", "If-Match": "*"}
BODIES = st.one_of(VALUES, st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), VALUES, max_size=6))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, overlaid=st.booleans())
async def test_no_json_makes_a_server_error(
    api: httpx.AsyncClient, edition: EditionHarness, body: Any, overlaid: bool
) -> None:
    right = {
        "/editions": edition_body(),
        f"{edition.path}/organisations": organisation_body(),
        f"{edition.path}/participants": participant_body(edition.organisations[0]),
        f"{edition.path}/match-requests": {
            "requester_id": edition.participants[0],
            "target_id": edition.participants[2],
        },
    }
    for path, fitting in right.items():
        sent = fitting | body if overlaid and isinstance(body, dict) else body
        await _never_fails(api, "POST", path, sent)
    for path in (
        edition.path,
        f"{edition.path}/organisations/{edition.organisations[1]}",
        f"{edition.path}/participants/{edition.participants[3]}",
    ):
        await _never_fails(api, "PATCH", path, body)


async def _never_fails(api: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    answer = await api.request(method, path, content=json.dumps(body), headers=HEADERS)
    assert answer.status_code < 500, (method, path, body, answer.text)
