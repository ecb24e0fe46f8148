"""`tertulia up` twice in one folder: the second goes on where the first ended, with a broker that forgot everything."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from deploy.embedded.smtp_sink import mails
from services.registration.operators import add_operator
from services.registration.settings import Settings
from tertulia.kept_stack import KeptStack
from tests.support.registration_api import coming_edition_body, organisation_body, participant_body
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@asynccontextmanager
async def api_of(stack: KeptStack, key: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"{stack.addresses['registration']}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30
    ) as api:
        yield api


async def register(api: httpx.AsyncClient, path: str, number: int) -> str:
    made = await api.post(f"{path}/organisations", json=organisation_body(name=f"Empresa {number}"))
    person = participant_body(made.json()["organisation_id"], name=f"P {number}", email=f"p{number}@x.example")
    created = await api.post(f"{path}/participants", json=person)
    participant_id: str = created.json()["participant_id"]
    return participant_id


async def ask(api: httpx.AsyncClient, path: str, requester: str, target: str) -> None:
    body = {"requester_id": requester, "target_id": target}
    assert (await api.post(f"{path}/match-requests", json=body)).status_code == 201


async def placed(api: httpx.AsyncClient, path: str) -> int:
    listed = (await api.get(f"{path}/encounters")).json()["items"]
    return sum(1 for encounter in listed if encounter["place"])


async def until_placed(api: httpx.AsyncClient, path: str, number: int) -> None:
    async def all_placed() -> bool:
        return await placed(api, path) == number

    await wait_until(all_placed, 60)


async def sign_in_by_mail(stack: KeptStack, owner: httpx.AsyncClient) -> None:
    """A helper is invited, asks for a link, gets it by mail, and signs in."""
    body = {"email": "eva@itecam.example", "name": "Eva Sanz", "role": "desk", "language": "es"}
    assert (await owner.post("/staff", json=body)).status_code == 201
    async with api_of(stack, "nobody.at-all") as eva:
        asked = {"operator_id": "itecam", "email": "eva@itecam.example"}
        assert (await eva.post("/sign-in-links", json=asked)).status_code == 202
        await wait_until(lambda: bool(mails(stack.mails, "eva@itecam.example")), 20)
        [mail] = mails(stack.mails, "eva@itecam.example")
        plain = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",))
        assert plain is not None
        [link] = re.findall(rf"{stack.addresses['registration']}/sign-in\?link=\S+", plain.get_content())
        page = await eva.get(link)
        assert page.status_code == 200
        secret = link.rpartition("=")[2]
        session = (await eva.post("/sessions", json={"link": secret})).json()["session"]
    async with api_of(stack, session) as eva:
        assert (await eva.get("/me")).json()["role"] == "desk"


async def test_what_a_folder_holds_outlasts_its_stack(tmp_path: Path) -> None:
    printed = io.StringIO()
    folder = tmp_path / "kept"
    async with KeptStack.in_folder(folder, "tansu", 1, Console(file=printed)) as stack:
        key = await add_operator(Settings(mongo_url=stack.addresses["mongo"]), "itecam", "Itecam")
        async with api_of(stack, key) as api:
            body = coming_edition_body(consent_policy="requester")
            path = f"/editions/{(await api.post('/editions', json=body)).json()['edition_id']}"
            one, other = await register(api, path, 1), await register(api, path, 2)
            await ask(api, path, one, other)
            await until_placed(api, path, 1)
            await sign_in_by_mail(stack, api)
        addresses = stack.addresses
    assert "told again" not in printed.getvalue()

    async with KeptStack.in_folder(folder, "tansu", 1, Console(file=printed)) as stack:
        assert stack.addresses == addresses
        async with api_of(stack, key) as api:
            assert await placed(api, path) == 1
            await ask(api, path, await register(api, path, 3), one)
            await until_placed(api, path, 2)
    # The edition, two organisations, two participants and their request; a pair's score, an encounter.
    assert int(printed.getvalue().split(" events told again")[0].rpartition("\n")[2]) >= 8
