"""A large change on the running product: its preview, its outcome, its undoing, and a frozen scheduler."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.stack import Stack
from services.registration.operators import add_operator
from services.registration.settings import Settings
from tests.support.registration_api import ANY_REVISION, coming_edition_body, organisation_body, participant_body
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PEOPLE = 12
SETTINGS = {
    "TERTULIA_QUIET_SECONDS": "0.3",
    "TERTULIA_ANNOUNCE_SECONDS": "1",
    "TERTULIA_PREVIEW_SECONDS": "2",
    "TERTULIA_OPERATOR_REQUESTS_PER_SECOND": "1000",
    "TERTULIA_OPERATOR_REQUEST_BURST": "10000",
}
Places = dict[str, Any]


class RunningEdition:
    """An announced edition of twelve participants and eighteen encounters on the running product."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self._api = api
        self.path = ""
        self.workspace: dict[str, Any] = {}

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        answer = await self._api.post(path, json=body)
        assert answer.is_success, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def announce(self) -> None:
        zones = coming_edition_body()["zones"]
        self.workspace = zones[0] | {"tables": ["1", "2", "3"]}
        body = coming_edition_body(consent_policy="requester", zones=[self.workspace, zones[1]])
        self.path = f"/editions/{(await self.post('/editions', body))['edition_id']}"
        people = []
        for number in range(PEOPLE):
            made = await self.post(f"{self.path}/organisations", organisation_body(name=f"Empresa {number}"))
            person = participant_body(made["organisation_id"], name=f"P {number}", email=f"p{number}@x.example")
            people.append((await self.post(f"{self.path}/participants", person))["participant_id"])
        for one, other in itertools.islice(itertools.combinations(people, 2), 18):
            await self.post(f"{self.path}/match-requests", {"requester_id": one, "target_id": other})
        await self.patch({"phase": "published"})
        await wait_until(self._is_announced, 60)

    async def patch(self, body: dict[str, Any], **query: str) -> httpx.Response:
        return await self._api.patch(self.path, json=body, headers=ANY_REVISION, params=query)

    async def places(self) -> Places:
        listed = (await self._api.get(f"{self.path}/encounters")).json()["items"]
        return {encounter["encounter_id"]: encounter["place"] for encounter in listed if encounter["place"]}

    async def preview(self, body: dict[str, Any]) -> dict[str, Any]:
        tried: dict[str, Any] = (await self.patch(body, dry_run="true")).json()
        return tried

    async def _is_announced(self) -> bool:
        if len(await self.places()) < 10:
            return False
        return bool((await self.preview({"slot_minutes": 20})).get("preview", {}).get("announced"))


async def undone_by_command(stack: Stack, key: str, edition_id: str) -> str:
    """Undo the newest change at the command line, and return the output of the command."""
    environment = {"TERTULIA_API_KEY": key, "TERTULIA_REGISTRATION_URL": stack.addresses["registration"]}
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as api:
        listed = await api.get(f"{stack.addresses['registration']}/v1/editions/{edition_id}/amendments")
    newest = listed.json()["items"][-1]["amendment_id"]
    run = "import sys; from tertulia.cli import main; sys.argv = ['tertulia', *sys.argv[1:]]; main()"
    arguments = ("-c", run, "change", "undo", edition_id, newest, "--yes")
    child = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await child.communicate()
    assert child.returncode == 0, printed
    return printed.decode()


async def test_a_large_change_is_asked_for_made_undone_and_never_hangs(tmp_path: Path) -> None:
    async with Stack(tmp_path, settings=SETTINGS) as stack:
        key = await add_operator(Settings(mongo_url=stack.addresses["mongo"]), "itecam", "Itecam")
        async with httpx.AsyncClient(
            base_url=f"{stack.addresses['registration']}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30
        ) as api:
            edition = RunningEdition(api)
            await stack.unless_crashed(edition.announce())
            before = await edition.places()
            no_tables = {"zones": [edition.workspace | {"tables": []}, coming_edition_body()["zones"][1]]}

            refused = await edition.patch(no_tables)
            assert (refused.status_code, refused.json()["type"]) == (428, "urn:tertulia:problem:preview-required")
            counts = refused.json()["preview"]["counts"]
            assert (counts["encounters"], counts["waiting"]) == (len(before), len(before))
            assert await edition.places() == before

            assert (await edition.patch(no_tables, token=refused.json()["token"])).status_code == 200

            async def none_is_left() -> bool:
                return await edition.places() == {}

            async def all_are_back() -> bool:
                return await edition.places() == before

            await wait_until(none_is_left)
            printed = await undone_by_command(stack, key, edition.path.removeprefix("/editions/"))
            assert f"{len(before)} more would get a place" in printed
            await wait_until(all_are_back)

            stack.signal("scheduler", signal.SIGSTOP)
            assert (await edition.patch(no_tables)).status_code == 503
            assert (await edition.patch(no_tables, token="*")).status_code == 200
            stack.signal("scheduler", signal.SIGCONT)
            await wait_until(none_is_left)
