"""Bodies of requests, drawn from registration's OpenAPI document and from the edges of its rules."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies as st

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.authenticator import Authenticator
from services.registration.domain.edition import EditionFacts
from services.registration.domain.edition_parts import FillingFacts
from services.registration.domain.match_request import MatchRequestFacts
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.participant import ParticipantFacts
from services.registration.memory_store import InMemoryOperators, InMemoryStore
from services.registration.settings import Settings
from shared.runtime.clock import utc_now

#: Texts that a program may fail on: some are refused, the rest has to pass.
ODD_LINES = st.sampled_from(
    [
        *("\u202eab", "nul\0", "\ufeffAna", "\uffff", "\U0010ffff", "a\u0301" * 90, "\ufdfa" * 200, "\ufb2c" * 66),
        *(
            "\U0001d400" * 200,
            "\U0001f469\u200d\U0001f467" * 40,
            "a\u00ad\u200d",
            "\u0130",
            "\u00df",
            "\u3000x",
            "\x85",
        ),
        *(
            "=1+1",
            "<script>",
            "&amp;",
            "%s%n{0}",
            "'; --",
            "\\",
            '"',
            "=?utf-8?q?=0aBcc:?=",
            ".",
            "..",
            "$where",
            "a.b",
        ),
        *(
            "\u2028",
            "\u3000x",
            "$where",
            "x" * 200,
            "0",
            "null",
            "NaN",
            "-0",
            "@",
            ",",
            ";",
            "a@b.example",
            "Name <a@b.example>",
            "/",
            "#",
        ),
    ]
)
DATES = st.sampled_from(
    ["2000-01-01", "2026-11-26", "2026-10-25", "2026-03-29", "2199-12-30", "9999-12-31", "0001-01-01"]
)
TIMES = st.sampled_from(["00:00", "00:00:00.000001", "02:30", "09:00", "12:00:59.999999", "23:59", "23:59:59.999999"])
MOMENTS = st.builds(
    lambda date, time, offset: f"{date}T{time}{offset}",
    DATES,
    TIMES,
    st.sampled_from(["", "Z", "+14:00", "-12:00", "+23:59", "-00:01"]),
)
HOURS = st.fixed_dictionaries({"starts": TIMES, "ends": TIMES})
DAYS = st.fixed_dictionaries(
    {"date": DATES, "starts": TIMES, "ends": TIMES}, optional={"breaks": st.lists(HOURS, max_size=3)}
)
STAYS = st.fixed_dictionaries({"starts_at": MOMENTS, "ends_at": MOMENTS})
SESSIONS = st.fixed_dictionaries(
    {
        "session_id": st.sampled_from(["opening", "s2", "s3"]),
        "kind": st.sampled_from(["keynote", "panel"]),
        "title": ODD_LINES,
        "zone_id": st.sampled_from(["hall", "workspace"]),
        "starts_at": MOMENTS,
        "ends_at": MOMENTS,
    },
    optional={"capacity": st.none() | st.integers(1, 100_000)},
)
ZONES = st.fixed_dictionaries(
    {
        "zone_id": st.sampled_from(["hall", "workspace"]),
        "kind": st.sampled_from(["workspace", "innova", "demonstration", "conference"]),
        "name": ODD_LINES,
        "tables": st.lists(ODD_LINES, max_size=4, unique=True) | st.just([str(number) for number in range(5000)]),
    }
)
EMAILS = [
    "\u00fc@\u00fc.example",
    "a+b@x.example",
    '"a b"@x.example',
    "a@xn--nxasmq6b.example",
    "x" * 64 + "@y.example",
]
#: Values at the edges of what the document allows.
EDGES: dict[str, st.SearchStrategy[Any]] = {
    "name": ODD_LINES,
    "region": ODD_LINES,
    "delegation": ODD_LINES,
    "timezone": st.sampled_from([*sorted(available_timezones()), "right/UTC", "posix/UTC", "localtime"]),
    "days": st.lists(DAYS, min_size=1, max_size=3),
    "zones": st.lists(ZONES, min_size=1, max_size=2),
    "sessions": st.lists(SESSIONS, max_size=3),
    "available": st.lists(STAYS, max_size=3),
    "levels": st.permutations(["placed", "floor", "moves", "breaks", "table_changes"]),
    "affinity_version": st.sampled_from(["1", "2", "3", "4"]),
    "email": st.sampled_from(EMAILS),
    "session_ids": st.sampled_from([[], ["opening"]]),
    "profile": st.fixed_dictionaries(
        {"needs": st.lists(ODD_LINES, max_size=3), "offers": st.lists(ODD_LINES, max_size=3)}
    ),
    "answer_within_hours": st.sampled_from([None, 1, 8760]),
    "slot_minutes": st.sampled_from([5, 7, 240]),
    "venue": st.one_of(st.none(), st.fixed_dictionaries({"name": ODD_LINES}, optional={"address": ODD_LINES})),
    "contact": st.one_of(st.none(), st.fixed_dictionaries({}, optional={"email": st.sampled_from(EMAILS)})),
}
#: Ids of entities that the test registers itself.
REGISTERED = {"organisation_id", "requester_id", "target_id"}
EDITIONS = "/v1/editions"
ORGANISATIONS, PARTICIPANTS, REQUESTS, PROPOSALS = (
    f"/v1/editions/{{edition_id}}/{name}" for name in ("organisations", "participants", "match-requests", "proposals")
)
FIELDS = {
    EDITIONS: EditionFacts.model_fields,
    ORGANISATIONS: OrganisationFacts.model_fields,
    PARTICIPANTS: ParticipantFacts.model_fields,
    REQUESTS: MatchRequestFacts.model_fields,
    PROPOSALS: FillingFacts.model_fields,
}
_CONTEXT = ApiContext(InMemoryStore(), Authenticator(InMemoryOperators({}), 5), Settings(), utc_now)
OPENAPI = schemathesis.openapi.from_dict(make_api(_CONTEXT).openapi())

_CASES = {path: OPENAPI[path]["POST"].as_strategy() for path in FIELDS}


@st.composite
def changes(draw: st.DrawFn, path: str) -> dict[str, Any]:
    """Draw some fields of a body, from the OpenAPI document or from the edges; the rest is left to the caller."""
    drawn = draw(_CASES[path]).body
    fields = {name: value for name, value in drawn.items() if name not in REGISTERED} if isinstance(drawn, dict) else {}
    taken = draw(st.sets(st.sampled_from(sorted(fields)), max_size=2)) if fields else set()
    edges = sorted(set(EDGES) & set(FIELDS[path]))
    edged = draw(st.sets(st.sampled_from(edges), max_size=2)) if edges else set()
    return {name: fields[name] for name in sorted(taken)} | {name: draw(EDGES[name]) for name in sorted(edged)}
