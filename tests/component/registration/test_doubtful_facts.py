"""Facts that cannot be are refused, and doubtful facts are warned of, by every way into registration."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from tests.support.registration_api import (
    ANY_REVISION,
    Clock,
    EditionHarness,
    edition_body,
    organisation_body,
    participant_body,
)

CSV = {"content-type": "text/csv"}
DECEMBER = {"starts_at": "2026-12-26T09:00", "ends_at": "2026-12-26T10:00"}
DAY = edition_body()["days"][0]
DECEMBER_3, DECEMBER_4 = (DAY | {"date": f"2026-12-0{day}"} for day in (3, 4))
NIGHT = {"starts": "22:00", "ends": "23:00"}
TALK = {"session_id": "talk", "kind": "panel", "title": "Talk", "zone_id": "hall"}
FAR, EVENING = TALK | DECEMBER, TALK | {"starts_at": "2026-11-26T20:00", "ends_at": "2026-11-26T21:00"}


def slugs(answer: httpx.Response) -> list[str]:
    body = answer.json()
    return [found["slug"] for found in body.get("errors" if answer.is_error else "warnings", ())]


@pytest.mark.parametrize(
    ("method", "path", "body", "slug", "value"),
    [
        ("POST", "/editions", edition_body(sessions=[FAR]), "session-far-from-days", "talk"),
        ("PATCH", "{edition}", {"sessions": [FAR]}, "session-far-from-days", "talk"),
        ("PUT", "{edition}/sessions/talk", FAR, "session-far-from-days", "talk"),
        ("PATCH", "{edition}", {"days": [DECEMBER_3, DECEMBER_4]}, "session-far-from-days", "opening"),
        ("PATCH", "{edition}", {"days": [DAY | {"breaks": [NIGHT]}]}, "break-outside-day", "22:00-23:00"),
        ("POST", "{edition}/participants", {"available": [DECEMBER]}, "availability-outside-days", "2026-12-26"),
        ("PATCH", "{participant}", {"available": [DECEMBER]}, "availability-outside-days", "2026-12-26"),
        ("POST", "{edition}/organisations", organisation_body(country="UK"), "country-unknown", "UK"),
        ("PATCH", "{organisation}", {"country": "XX"}, "country-unknown", "XX"),
    ],
)
async def test_a_fact_that_cannot_be_is_refused_with_its_rule_and_value(
    api: httpx.AsyncClient, edition: EditionHarness, method: str, path: str, body: dict[str, Any], slug: str, value: str
) -> None:
    path = path.format(
        edition=edition.path,
        participant=f"{edition.path}/participants/{edition.participants[0]}",
        organisation=f"{edition.path}/organisations/{edition.organisations[0]}",
    )
    if path.endswith("/participants"):
        body = participant_body(edition.organisations[0], **body)
    answer = await api.request(method, path, json=body, headers=ANY_REVISION if method == "PATCH" else None)
    assert (answer.status_code, slugs(answer)) == (422, [slug]), answer.text
    assert value in answer.json()["errors"][0]["value"]
    stored = await api.get(edition.path)
    assert stored.json()["revision"] == 1


async def test_a_doubtful_fact_is_taken_with_a_warning(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    answer = await api.put(f"{edition.path}/sessions/talk", json=EVENING)
    assert (answer.status_code, slugs(answer)) == (200, ["session-outside-days"])
    [warning] = answer.json()["warnings"]
    assert warning["where"] == "/sessions/1/starts_at"
    assert warning["value"].startswith("talk 2026-11-26T19:00Z")
    assert "talk" in warning["message"]
    renamed = await api.patch(edition.path, json={"name": "B2B"}, headers=ANY_REVISION)
    assert slugs(renamed) == ["session-outside-days"]
    assert "warnings" not in (await api.get(edition.path)).json()
    assert "warnings" not in (await api.delete(f"{edition.path}/sessions/talk")).json()


async def test_an_edition_with_a_day_to_come_is_taken_and_a_past_edition_refused(
    api: httpx.AsyncClient, clock: Clock
) -> None:
    day = edition_body()["days"][0]
    some = edition_body(days=[day | {"date": "2026-10-31"}, day], sessions=[])
    taken = await api.post("/editions", json=some)
    assert (taken.status_code, slugs(taken)) == (201, ["day-passed"])
    refused = await api.post("/editions", json=some | {"days": [day | {"date": "2026-10-31"}]})
    assert (refused.status_code, slugs(refused)) == (422, ["edition-passed"])
    clock.advance(days=60)
    path = f"/editions/{taken.json()['edition_id']}"
    renamed = await api.patch(path, json={"name": "B2B"}, headers=ANY_REVISION)
    assert (renamed.status_code, slugs(renamed)) == (200, ["edition-passed"])


async def test_an_old_fault_stays_readable_and_other_fields_can_be_corrected(
    api: httpx.AsyncClient, edition: EditionHarness, context: ApiContext
) -> None:
    repository = context.store.of("itecam")
    organisation = await repository.find(Organisation, edition.edition_id, edition.organisations[0])
    participant = await repository.find(Participant, edition.edition_id, edition.participants[0])
    assert organisation is not None
    assert participant is not None
    await repository.replace(organisation.changed(organisation.changed_at, country="UK"))
    stay = type(participant).model_validate(participant.model_dump() | {"available": [DECEMBER]}).in_zone("UTC")
    await repository.replace(participant.changed(participant.changed_at, available=stay.available))
    path = f"{edition.path}/organisations/{organisation.id}"
    answer = await api.patch(path, json={"region": "Kent"}, headers=ANY_REVISION)
    assert (answer.status_code, slugs(answer)) == (200, ["country-unknown"])
    assert slugs(await api.patch(path, json={"country": "XX"}, headers=ANY_REVISION)) == ["country-unknown"]
    assert slugs(await api.patch(path, json={"country": "GB"}, headers=ANY_REVISION)) == []
    path = f"{edition.path}/participants/{participant.id}"
    answer = await api.put(f"{path}/sessions/opening")
    assert (answer.status_code, slugs(answer)) == (200, ["availability-outside-days"])


async def test_a_moved_session_names_the_participants_of_two_sessions(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    later = TALK | {"starts_at": "2026-11-26T11:00", "ends_at": "2026-11-26T12:00"}
    assert slugs(await api.put(f"{edition.path}/sessions/talk", json=later)) == []
    for number, session in ((0, "talk"), (0, "opening"), (1, "talk"), (2, "opening")):
        path = f"{edition.path}/participants/{edition.participants[number]}/sessions/{session}"
        assert slugs(await api.put(path)) == []
    earlier = later | {"starts_at": "2026-11-26T09:15"}
    answer = await api.put(f"{edition.path}/sessions/talk", json=earlier)
    assert slugs(answer) == ["participants-in-two-sessions"]
    assert answer.json()["warnings"][0]["value"] == edition.participants[0]
    assert slugs(await api.put(f"{edition.path}/sessions/talk", json=later)) == []


async def test_a_delegation_in_two_spellings_is_warned_of(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/organisations"
    first = await api.post(path, json=organisation_body(name="Uno", delegation="México"))
    assert slugs(first) == []
    second = await api.post(path, json=organisation_body(name="Dos", delegation="Mexico"))
    assert (second.status_code, slugs(second)) == (201, ["delegation-spelt-otherwise"])
    corrected = await api.patch(
        f"{path}/{second.json()['organisation_id']}", json={"delegation": "México"}, headers=ANY_REVISION
    )
    assert slugs(corrected) == []


async def test_rows_of_a_file_are_refused_or_warned_alike(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    async def report(kind: str, *lines: str) -> dict[str, Any]:
        answer = await api.post(f"{edition.path}/imports/{kind}", content="\n".join(lines), headers=CSV)
        found: dict[str, Any] = answer.json()
        return found

    organisations = await report(
        "organisations",
        "name;kind;country;delegation;codes",
        "Uno;sme;UK;;",
        "Dos;sme;ES;México;nace:25,62",
        "Tres;sme;ES;México;nace:25.62",
        "Cuatro;sme;ES;Mexico;robotics",
    )
    assert (organisations["created"], organisations["rejected_rows"]) == (3, 1)
    reasons = [(bad["line"], bad["column"], bad["reason"]) for bad in organisations["rejected"]]
    assert [(line, column) for line, column, _ in reasons] == [(3, "codes")]
    assert "'nace:25.62'" in reasons[0][2]
    warned = {(warning["line"], warning["column"]) for warning in organisations["warnings"]}
    assert warned == {(4, "delegation"), (5, "delegation"), (5, "codes")}
    participants = await report(
        "participants", "organisation;name;email;languages;codes", "Tres;Ana;ana@x.example;es;ket:robotics steel"
    )
    assert (participants["created"], [warning["column"] for warning in participants["warnings"]]) == (1, ["codes"])


@pytest.mark.parametrize("name", ["right/UTC", "posix/Europe/Madrid", "localtime", "Factory", "posixrules", "../UTC"])
async def test_a_time_zone_outside_the_iana_list_is_refused(api: httpx.AsyncClient, name: str) -> None:
    refused = await api.post("/editions", json=edition_body(timezone=name))
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/timezone"]
