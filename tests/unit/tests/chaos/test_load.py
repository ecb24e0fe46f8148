from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from demo.client import RegistrationClient, RegistrationRefused
from demo.plan import Payload
from shared.contract.ids import derived_id
from tests.chaos import load as load_module
from tests.chaos.evidence import Evidence
from tests.chaos.history import IDS, History, Written
from tests.chaos.load import EditionLoad
from tests.chaos.verifier import accepted_writes_are_in_the_api_once

_DONE = {
    "cancellation": {"status": "cancelled"},
    "acceptance": {"state": "accepted"},
    "refusal": {"state": "declined"},
    "withdrawal": {"state": "withdrawn"},
}


class Registration(RegistrationClient):
    """Keeps things as registration does; of some calls the answer is lost, as the real client never lets it be seen."""

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
        if self.calls % 3 == 0:  # the answer was lost, and the client has repeated the call
            raise RegistrationRefused("stale", HTTPStatus.PRECONDITION_FAILED)
        return changed

    async def get(self, path: str) -> Payload:
        *_, kind, thing_id = path.split("/")
        return self.things[kind, thing_id]

    def _write(self, kind: str, thing_id: str, said: Payload) -> Payload:
        thing = self.things[kind, thing_id]
        if any(thing.get(name) != value for name, value in said.items()):
            thing |= {**said, "revision": thing["revision"] + 1}
        if kind == "organisations" and said == _DONE["cancellation"]:
            people = [each for (one, _), each in self.things.items() if one == "participants"]
            for person in (each for each in people if each["organisation_id"] == thing_id):
                self._write("participants", person["participant_id"], said)
        return thing


@pytest.fixture
def registration() -> Registration:
    return Registration()


async def test_what_the_history_says_is_what_registration_has(registration: Registration) -> None:
    history = History()
    await EditionLoad(registration, history, seed=5, scale=0.05).run(seconds=1.5, per_second=3_000)

    assert history.writes > 200
    assert {"cancelled"} <= {each.said.get("status") for each in history.of("participants")}
    assert {"declined", "withdrawn"} <= {each.said.get("state") for each in history.of("match-requests")}
    [edition] = history.of("editions")
    assert edition.said["phase"] == "published"
    assert list(accepted_writes_are_in_the_api_once(Evidence(history, api=registration.things))) == []


@pytest.fixture
def participant(registration: Registration) -> Written:
    registration.things["participants", "prt_1"] = {"revision": 1, "name": "Ana"}
    return Written("participants", "edn_1", "prt_1", {"name": "Ana"})


async def test_a_change_whose_answer_was_lost_is_found_made(registration: Registration, participant: Written) -> None:
    registration.calls, history = 2, History()
    await EditionLoad(registration, history, 1, 0.05)._amend(participant, {"name": "Eva"})
    assert (participant.said["name"], participant.revision, history.unexplained) == ("Eva", 2, [])


async def test_a_change_that_nobody_made_is_not_explained(registration: Registration, participant: Written) -> None:
    registration.things["participants", "prt_1"] |= {"revision": 2, "name": "Somebody"}
    history = History()
    with pytest.raises(load_module._Skipped):
        await EditionLoad(registration, history, 1, 0.05)._amend(participant, {"name": "Eva"})
    assert len(history.unexplained) == 1
    assert participant.revision == 1


async def test_a_refusal_is_counted_and_changes_nothing(registration: Registration) -> None:
    registration.refuses, history = True, History()
    load = EditionLoad(registration, history, 1, 0.05)
    with pytest.raises(load_module._Skipped):
        await load._create("editions", "edition", {})
    assert (history.refused, history.things) == (1, {})


@pytest.mark.parametrize("status", [0, 500])
async def test_no_answer_and_an_error_of_the_server_are_not_taken_for_a_refusal(
    registration: Registration, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def post(*_: Any) -> Payload:
        raise RegistrationRefused("?", status)

    monkeypatch.setattr(registration, "post", post)
    with pytest.raises(RegistrationRefused):
        await EditionLoad(registration, History(), 1, 0.05)._create("editions", "edition", {})
