"""A stranger tries keys: refusals are logged without the keys, cost the database little, and lock nobody else out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.routing import Router

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.authenticator import Authenticator
from services.registration.keys import OperatorKey, digest_of
from services.registration.memory_store import InMemoryOperators, InMemoryStore
from services.registration.settings import Settings
from shared.runtime.clock import utc_now
from shared.runtime.metrics import KEYS_REFUSED
from shared.runtime.refused_keys import BURST, RefusalsBySource, source_of
from tests.support.metrics import MetricDelta
from tests.support.planted import captured_logs

_ATTACKER, _NEIGHBOUR = "198.51.100.7", "203.0.113.9"
_SECRET = "the-secret-of-itecam"


class CountedOperators(InMemoryOperators):
    """Keys of operators, with the number of reads."""

    def __init__(self, keys: dict[str, list[OperatorKey]]) -> None:
        super().__init__(keys)
        self.reads: Counter[str] = Counter()

    async def keys(self, operator_id: str) -> Sequence[OperatorKey]:
        self.reads["one"] += 1
        return await super().keys(operator_id)


@dataclass
class Attack:
    """Registration, with a clock that stands still, and clients by address."""

    now: float = 1000.0
    keys: dict[str, list[OperatorKey]] = field(default_factory=lambda: {"itecam": [OperatorKey(digest_of(_SECRET))]})

    def __post_init__(self) -> None:
        self.operators = CountedOperators(self.keys)
        authenticator = Authenticator(self.operators, 5, lambda: self.now)
        self.app = make_api(ApiContext(InMemoryStore(), authenticator, Settings(refusals_per_second=1e6), utc_now))

    async def get(self, key: str, address: str = _ATTACKER, scheme: str = "Bearer") -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(address, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://registration") as client:
            return await client.get("/v1/editions", headers={"Authorization": f"{scheme} {key}"})


@asynccontextmanager
async def logged() -> AsyncIterator[list[dict[str, object]]]:
    lines: list[dict[str, object]] = []
    with captured_logs(Settings()) as log:
        yield lines
    lines += [json.loads(line) for line in log.getvalue().splitlines()]


async def test_refused_keys_are_logged_with_their_source_and_never_themselves() -> None:
    attack = Attack()
    secrets = ["guessed-secret-1", "itecam-secret-as-id", "other-scheme-secret"]
    async with logged() as lines:
        assert (await attack.get(f"itecam.{secrets[0]}")).status_code == 401
        assert (await attack.get(secrets[1])).status_code == 401
        assert (await attack.get(f"itecam.{secrets[2]}", scheme="Basic")).status_code == 401
    refused = [line for line in lines if line["event"] == "key_refused"]
    assert [(line["source"], line["reason"], line["operator"]) for line in refused] == [
        (_ATTACKER, "unknown", "itecam"),
        (_ATTACKER, "unknown", ""),
        (_ATTACKER, "malformed", ""),
    ]
    assert refused[0]["key_id"] == digest_of(secrets[0])[:12]
    assert not [secret for secret in secrets if secret in json.dumps(lines)]


async def test_a_flood_of_refused_keys_is_slowed_and_costs_no_further_read_and_no_line() -> None:
    attack = Attack()
    async with logged() as lines:
        answers = [await attack.get(f"op{number}.x") for number in range(10 * BURST)]
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {401: BURST, 429: 9 * BURST}
    assert answers[-1].headers["Retry-After"] == "1"
    assert answers[-1].json()["type"] == "urn:tertulia:problem:too-many-refusals"
    assert attack.operators.reads["one"] == BURST
    assert len(lines) == BURST
    attack.now += 1
    assert [(await attack.get("op1.x")).status_code for _ in range(2)] == [401, 429]


async def test_a_valid_key_is_never_slowed_even_from_the_source_of_an_attack() -> None:
    attack = Attack()
    for number in range(3 * BURST):
        await attack.get(f"itecam.{number}")
    assert (await attack.get(f"itecam.{_SECRET}")).status_code == 200
    # Neither with a cold cache, nor for an operator that was never seen by this process.
    attack.keys["feria"] = [OperatorKey(digest_of("new"))]
    attack.now += 5
    for number in range(3 * BURST):
        await attack.get(f"feria.{number}")
    assert (await attack.get("feria.new")).status_code == 200


async def test_a_refusal_of_a_slowed_source_does_not_reach_the_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    attack = Attack()
    for number in range(BURST + 2):
        await attack.get(f"itecam.{number}")

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a refused key was routed")

    monkeypatch.setattr(Router, "__call__", fail)
    assert (await attack.get("itecam.another")).status_code == 429


async def test_sources_are_slowed_apart() -> None:
    attack = Attack()
    for _ in range(2 * BURST):
        await attack.get("op.x")
    assert (await attack.get("op.x", _NEIGHBOUR)).status_code == 401
    attack.keys["feria"] = [OperatorKey(digest_of("new"))]
    assert (await attack.get("feria.new", _NEIGHBOUR)).status_code == 200


def test_sources_and_lines_are_bounded() -> None:
    refused = RefusalsBySource(lambda: 0.0)
    counted = MetricDelta(KEYS_REFUSED, reason="unknown")
    with captured_logs(Settings()) as log:
        for number in range(20_000):
            refused.refuse(f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}", "unknown")
    assert len(refused._sources) == 10_000
    assert len(log.getvalue().splitlines()) == 100
    assert counted.value == 20_000


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("a" * 60_000, "unknown"),
    ],
)
def test_a_source_is_an_address_or_a_network_of_one_customer(address: str, source: str) -> None:
    assert source_of(address) == source
