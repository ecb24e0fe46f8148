"""Declined requests: the participant who declined may ask, and may then be asked again."""

from __future__ import annotations

import httpx

from tests.support.registration_api import EditionHarness

ANN, BOB = 0, 2


async def ask(api: httpx.AsyncClient, edition: EditionHarness, requester: int, target: int) -> httpx.Response:
    ids = {"requester_id": edition.participants[requester], "target_id": edition.participants[target]}
    return await api.post(f"{edition.path}/match-requests", json=ids)


async def decline(api: httpx.AsyncClient, edition: EditionHarness, request: httpx.Response) -> None:
    answer = await api.post(f"{edition.path}/match-requests/{request.json()['request_id']}/refusal")
    assert answer.json()["state"] == "declined"


async def test_a_declined_requester_may_not_ask_again(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    await decline(api, edition, await ask(api, edition, ANN, BOB))
    assert (await ask(api, edition, ANN, BOB)).status_code == 409


async def test_the_participant_who_declined_may_ask(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    await decline(api, edition, await ask(api, edition, ANN, BOB))
    asked = await ask(api, edition, BOB, ANN)
    assert asked.status_code == 201
    accepted = await api.post(f"{edition.path}/match-requests/{asked.json()['request_id']}/acceptance")
    assert accepted.json()["state"] == "accepted"


async def test_two_participants_who_both_declined_may_ask_again_in_turn(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    first = await ask(api, edition, ANN, BOB)
    await decline(api, edition, first)
    for requester, target in ((BOB, ANN), (ANN, BOB), (BOB, ANN)):
        asked = await ask(api, edition, requester, target)
        assert asked.status_code == 201, asked.text
        assert (await ask(api, edition, requester, target)).status_code == 409
        await decline(api, edition, asked)
        assert (await ask(api, edition, requester, target)).status_code == 409
    found = await api.get(f"{edition.path}/match-requests/{first.json()['request_id']}")
    assert found.json()["state"] == "declined"


async def test_a_refused_attempt_to_ask_frees_nothing(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    await decline(api, edition, await ask(api, edition, ANN, BOB))
    await api.post(f"{edition.path}/participants/{edition.participants[BOB]}/cancellation")
    assert (await ask(api, edition, BOB, ANN)).status_code == 409
    await api.post(f"{edition.path}/participants/{edition.participants[BOB]}/reinstatement")
    assert (await ask(api, edition, ANN, BOB)).status_code == 409
