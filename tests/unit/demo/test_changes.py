from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.changes import LateChanges
from demo.client import RegistrationClient
from demo.edition import generate
from demo.observer import Observed
from demo.plan import DemoEdition, Payload
from demo.registered_edition import RegisteredEdition


class Registration(RegistrationClient):
    """Takes everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Payload | None]] = []

    async def post(self, path: str, key: str, body: Payload | None = None) -> Payload:
        self.calls.append(("POST", path, body))
        return dict.fromkeys(("edition_id", "organisation_id", "participant_id", "request_id"), key)

    async def patch(self, path: str, body: Payload) -> Payload:
        self.calls.append(("PATCH", path, body))
        return {}


def keys_of(demo: DemoEdition) -> Iterator[str]:
    for things in (demo.organisations, demo.participants, demo.requests):
        yield from (thing.key for thing in things)


async def told(seed: int, scale: float, seen: Observed) -> list[tuple[str, str, Payload | None]]:
    demo = generate(seed, scale)
    registration = Registration()
    stage = RegisteredEdition(registration, seen, demo, "edn_demo", {key: key for key in keys_of(demo)})
    for change in LateChanges(stage).all:
        await change.make(stage)
    return registration.calls


@pytest.mark.parametrize("seed", range(6))
async def test_every_edition_has_whom_ten_changes_can_befall(seed: int) -> None:
    for scale in (0.1, 0.2):
        calls = await told(seed, scale, Observed())
        assert len(calls) >= 10
        assert calls == await told(seed, scale, Observed())


async def test_what_the_issue_names_is_among_them(full: DemoEdition) -> None:
    calls = await told(2018, 1.0, Observed())
    ends = [path.rsplit("/", 1)[-1] for _, path, _ in calls]
    assert ends.count("cancellation") == 2
    assert ends.count("acceptance") == 4
    assert ends.count("withdrawal") == 1
    patches: list[dict[str, Any]] = [body for method, _, body in calls if method == "PATCH" and body]
    tables = [table for patch in patches for zone in patch.get("zones", ()) for table in zone["tables"]]
    assert len(tables) == sum(len(zone["tables"]) for zone in full.payload["zones"]) - 1
    [swap] = [patch for patch in patches if "email" in patch]
    assert swap["name"] not in {one.name for one in full.participants}
    [sessions] = [patch["sessions"] for patch in patches if "sessions" in patch]
    before = {one["session_id"]: one["starts_at"] for one in full.payload["sessions"]}
    assert [one["session_id"] for one in sessions if one["starts_at"] != before[one["session_id"]]] == ["kets"]


async def test_a_condition_holds_only_once_its_consequences_are_seen(small: DemoEdition, seen_small: Observed) -> None:
    stage = RegisteredEdition(Registration(), seen_small, small, "edn_demo", {key: key for key in keys_of(small)})
    changes = {change.title: change for change in LateChanges(stage).all}
    for title in ("a participant cancels", "a table is lost", "a company drops out", "a request is withdrawn"):
        has_come_about = await changes[title].make(stage)
        assert not has_come_about(seen_small), title
        assert has_come_about(Observed()), title
