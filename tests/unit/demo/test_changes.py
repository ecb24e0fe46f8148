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

    async def patch(self, path: str, body: Payload, revision: int | None = None) -> Payload:
        self.calls.append(("PATCH", path, body))
        return {}


def keys_of(demo: DemoEdition) -> Iterator[str]:
    for things in (demo.organisations, demo.participants, demo.requests):
        yield from (thing.key for thing in things)


async def calls_of(seed: int, scale: float, seen: Observed) -> list[tuple[str, str, Payload | None]]:
    demo = generate(seed, scale)
    registration = Registration()
    registered = RegisteredEdition(registration, seen, demo, "edn_demo", {key: key for key in keys_of(demo)})
    for change in LateChanges(registered).all:
        await change.apply(registered)
    return registration.calls


@pytest.mark.parametrize("seed", range(6))
async def test_every_seed_has_participants_for_the_ten_changes(seed: int) -> None:
    for scale in (0.1, 0.2):
        calls = await calls_of(seed, scale, Observed())
        assert len(calls) >= 10
        assert calls == await calls_of(seed, scale, Observed())


async def test_the_ten_changes_contain_the_required_calls(full: DemoEdition) -> None:
    calls = await calls_of(2018, 1.0, Observed())
    ends = [path.rsplit("/", 1)[-1] for _, path, _ in calls]
    assert ends.count("cancellation") == 2
    assert ends.count("acceptance") == 4
    assert ends.count("withdrawal") == 1
    patches: list[dict[str, Any]] = [body for method, _, body in calls if method == "PATCH" and body]
    tables = [table for patch in patches for zone in patch.get("zones", ()) for table in zone["tables"]]
    assert len(tables) == sum(len(zone["tables"]) for zone in full.payload["zones"]) - 1
    [swap] = [patch for patch in patches if "email" in patch]
    assert swap["name"] not in {participant.name for participant in full.participants}
    [sessions] = [patch["sessions"] for patch in patches if "sessions" in patch]
    before = {session["session_id"]: session["starts_at"] for session in full.payload["sessions"]}
    assert [session["session_id"] for session in sessions if session["starts_at"] != before[session["session_id"]]] == [
        "kets"
    ]


async def test_a_condition_holds_once_its_consequences_are_observed(small: DemoEdition, seen_small: Observed) -> None:
    registered = RegisteredEdition(Registration(), seen_small, small, "edn_demo", {key: key for key in keys_of(small)})
    changes = {change.title: change for change in LateChanges(registered).all}
    for title in ("a participant cancels", "a table is lost", "a company drops out", "a request is withdrawn"):
        has_come_about = await changes[title].apply(registered)
        assert not has_come_about(seen_small), title
        assert has_come_about(Observed()), title
