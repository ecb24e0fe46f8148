"""Sends drawn requests to registration, at known ids and at ids that do not exist."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.support.bodies import FIELDS, OPENAPI, changes
from tests.support.registration_api import coming_edition_body, organisation_body, participant_body

_IDS = ("edition_id", "organisation_id", "participant_id", "request_id", "encounter_id")
#: Ids remembered of a kind: the newest.
_REMEMBERED = 40
_SECONDS = 30.0
_HEADERS = {"Content-Type": "application/json"}

#: Operations with an answer that ends: a stream has no end.
_OPERATIONS = [operation for path in OPENAPI if not path.endswith("/stream") for operation in OPENAPI[path].values()]
#: A request of any operation, and a place among the known ids.
ANY_CASE = st.tuples(st.one_of(*(operation.as_strategy() for operation in _OPERATIONS)), st.integers(0))
#: A body that fits but for some fields, and a place among the known ids.
NEARLY_FITTING = st.one_of(*(st.tuples(st.just(path), changes(path), st.integers(0)) for path in FIELDS))


class Visitor:
    """Counts the answers by status, and keeps the requests that were answered with 500."""

    def __init__(self, address: str, api_key: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.defects: list[str] = []
        self._address = address
        self._session = requests.Session()
        # Drawing a case may take longer than the server keeps an idle connection.
        self._session.mount(address, HTTPAdapter(max_retries=Retry(total=3, allowed_methods=None)))
        self._session.headers["Authorization"] = f"Bearer {api_key}"
        self._known: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def visit(self, cases: int, first_seed: int) -> None:
        """Send as many requests as `cases`, drawn with a seed: two of three nearly fit."""

        @seed(first_seed)
        @settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.one_of(NEARLY_FITTING, NEARLY_FITTING, ANY_CASE))
        def send(drawn: Any) -> None:
            if isinstance(drawn[0], str):
                self._send_fitting(*drawn)
            else:
                self._send_any(*drawn)

        send()

    def _send_fitting(self, path: str, drawn: dict[str, Any], at: int) -> None:
        """Create an entity, or change one of its kind, with a body that fits but for the drawn fields."""
        kind = path.rpartition("/")[2]
        fitting: dict[str, dict[str, Any]] = {
            "editions": coming_edition_body(phase="published"),
            "organisations": organisation_body(name=f"Organisation {at}"),
            "participants": participant_body(self._one_of("organisation_id", at), email=f"p{at}@x.example"),
            "match-requests": {
                "requester_id": self._one_of("participant_id", at),
                "target_id": self._one_of("participant_id", at + 1),
            },
            "proposals": {"encounters": 2},
        }
        address = path.replace("{edition_id}", self._one_of("edition_id", at // 3))
        noun = kind.removesuffix("s") + "_id"
        if at % 4 == 3 and self._known[noun] and kind != "match-requests":
            method, body = "PATCH", dict(drawn)
            address = f"{address}/{self._one_of(noun, at)}"
        else:
            method, body = "POST", fitting[kind] | drawn
        headers = {**_HEADERS, "If-Match": "*"}
        answer = self._session.request(method, self._address + address, json=body, headers=headers, timeout=_SECONDS)
        self._note(method, address, body, answer)

    def _send_any(self, case: schemathesis.Case[Any], at: int) -> None:
        """Send a request as the OpenAPI document allows it, half of its ids known."""
        for place, name in enumerate(sorted(case.path_parameters or {})):
            if (at >> place) & 1 == 0:
                case.path_parameters[name] = self._one_of("participant_id" if name in ("one", "other") else name, at)
        (case.query or {}).pop("wait", None)
        headers = {"Authorization": self._session.headers["Authorization"], "If-Match": "*"}
        answer = case.call(base_url=self._address, headers=headers, session=self._session, timeout=_SECONDS)
        self._note(case.method, case.formatted_path, case.body, answer)

    def _one_of(self, name: str, at: int) -> str:
        known = self._known[name]
        return known[at % len(known)] if known else "none"

    def _note(self, method: str, path: str, body: Any, answer: Any) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code == requests.codes.server_error:
            self.defects.append(f"{method} {path} {str(body)[:500]!r}: {answer.text[:300]}")
        if answer.status_code in (requests.codes.ok, requests.codes.created):
            self._remember(answer.json())

    def _remember(self, found: Any) -> None:
        if not isinstance(found, dict):
            return
        for item in (found, *(item for item in found.get("items", ()) if isinstance(item, dict))):
            for name in _IDS:
                if isinstance(item.get(name), str) and item[name] not in self._known[name]:
                    self._known[name].append(item[name])


def visit(address: str, api_key: str, cases: int, first_seed: int) -> tuple[dict[int, int], list[str]]:
    """Send drawn requests; return the answers by status, and what was answered with 500."""
    visitor = Visitor(address, api_key)
    visitor.visit(cases, first_seed)
    return dict(visitor.statuses), visitor.defects
