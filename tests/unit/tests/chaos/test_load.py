from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from demo.client import RegistrationClient, RegistrationRefused
from demo.plan import Payload
from shared.contract.ids import derived_id
from tests.chaos.audit import accepted_writes_are_in_the_api_once
from tests.chaos.evidence import RunEvidence
from tests.chaos.history import IDS, History, WrittenThing
from tests.chaos.load import EditionLoad
from tests.chaos.writer import EditionWriter, Skipped

_DONE = {
    "cancellation": {"status": "cancelled"},
    "acceptance": {"state": "accepted"},
    "refusal": {"state": "declined"},
    "withdrawal": {"state": "withdrawn"},
}


class Registration(RegistrationClient):
    """Registration in memory. Every third change loses its answer: the client repeats it and is refused."""

    def __init__(self) -> None:
        super().__init__("http://nowhere", "key", "test")
        self.things: dict[tuple[str, str], Payload] = {}
        self.calls = 0
        self.refuses = False

    async def post(self, path: str, key: str, body: Payload | None = None) -> Payload:
        self.calls += 1
        if self.refuses:
            raise RegistrationRefused("no", HTTPStatus.CONFLICT)
        *_, kind, thing_id, last = ("", "", *path.strip("/").split("/"))
        if last in _DONE:
            return self._write(kind, thing_id, _DONE[last])
        thing_id = derived_id("x", path, key)
        edition_id = thing_id if last == "editions" else path.split("/")[2]
        made = {**(body or {}), "revision": 1, IDS[last]: thing_id, "edition_id": edition_id}
        return self.things.setdefault((last, thing_id), made)

    async def patch(self, path: str, body: Payload, revision: int | None = None) -> Payload:
        self.calls += 1
        *_, kind, thing_id = path.split("/")
        if self.things[kind, thing_id]["revision"] != revision:
            raise RegistrationRefused("stale", HTTPStatus.PRECONDITION_FAILED)
        changed = self._write(kind, thing_id, body)
        if self.calls % 3 == 0:  # the answer is lost, and the repeated call is refused
            raise RegistrationRefused("stale", HTTPStatus.PRECONDITION_FAILED)
        return changed

    async def get(self, path: str) -> Payload:
        *_, kind, thing_id = path.split("/")
        return self.things[kind, thing_id]

    def _write(self, kind: str, thing_id: str, fields: Payload) -> Payload:
        thing = self.things[kind, thing_id]
        if any(thing.get(name) != value for name, value in fields.items()):
            thing |= {**fields, "revision": thing["revision"] + 1}
        if kind == "organisations" and fields == _DONE["cancellation"]:
            participants = [thing for (collection, _), thing in self.things.items() if collection == "participants"]
            for participant in participants:
                if participant["organisation_id"] == thing_id:
                    self._write("participants", participant["participant_id"], fields)
        return thing


@pytest.fixture
def registration() -> Registration:
    return Registration()


async def test_the_history_of_a_load_is_the_content_of_registration(registration: Registration) -> None:
    history = History()
    await EditionLoad(registration, history, seed=5, scale=0.05).run(seconds=1.5, per_second=3_000)

    assert history.writes > 200
    assert {"cancelled"} <= {thing.fields.get("status") for thing in history.of("participants")}
    assert {"declined", "withdrawn"} <= {thing.fields.get("state") for thing in history.of("match-requests")}
    [edition] = history.of("editions")
    assert edition.fields["phase"] == "published"
    assert list(accepted_writes_are_in_the_api_once(RunEvidence(history, api=registration.things))) == []


@pytest.fixture
def participant(registration: Registration) -> WrittenThing:
    registration.things["participants", "prt_1"] = {"revision": 1, "name": "Ana"}
    return WrittenThing("participants", "edn_1", "prt_1", {"name": "Ana"})


async def test_a_change_with_a_lost_answer_is_recorded_once(
    registration: Registration, participant: WrittenThing
) -> None:
    registration.calls, history = 2, History()
    await EditionWriter(registration, history, 1).change(participant, {"name": "Eva"})
    assert (participant.fields["name"], participant.revision, history.unexplained) == ("Eva", 2, [])


async def test_an_unknown_change_of_a_thing_is_unexplained(
    registration: Registration, participant: WrittenThing
) -> None:
    registration.things["participants", "prt_1"] |= {"revision": 2, "name": "Somebody"}
    history = History()
    with pytest.raises(Skipped):
        await EditionWriter(registration, history, 1).change(participant, {"name": "Eva"})
    assert len(history.unexplained) == 1
    assert participant.revision == 1


async def test_a_refusal_is_counted_and_changes_nothing(registration: Registration) -> None:
    registration.refuses, history = True, History()
    writer = EditionWriter(registration, history, 1)
    with pytest.raises(Skipped):
        await writer.create_edition({})
    assert (history.refused, history.things) == (1, {})


@pytest.mark.parametrize("status", [0, 500])
async def test_a_missing_answer_and_a_server_error_are_not_refusals(
    registration: Registration, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def post(*_: Any) -> Payload:
        raise RegistrationRefused("?", status)

    monkeypatch.setattr(registration, "post", post)
    with pytest.raises(RegistrationRefused):
        await EditionWriter(registration, History(), 1).create_edition({})
