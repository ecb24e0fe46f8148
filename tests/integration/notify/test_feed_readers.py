"""The feed, fetched over HTTP by vdirsyncer and listed by khal, as a participant's own programs do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from deploy.embedded.probes import HOST, free_ports
from tests.support.notify_stage import Stage, agenda, encounter, everybody, session
from tests.support.outside import outside

_VDIRSYNCER = """
[general]
status_path = "{folder}/status"
[pair agenda]
a = "feed"
b = "local"
collections = null
conflict_resolution = "a wins"
[storage feed]
type = "http"
url = "{url}"
[storage local]
type = "filesystem"
path = "{folder}/calendar"
fileext = ".ics"
"""
_KHAL = """
[calendars]
[[agenda]]
path = {folder}/calendar
[locale]
local_timezone = Europe/Madrid
default_timezone = Europe/Madrid
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {folder}/khal.db
"""


class Reader:
    """A participant's machine."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        (folder / "vdirsyncer").write_text(_VDIRSYNCER.format(folder=folder, url=url), encoding="utf-8")
        (folder / "khal").write_text(_KHAL.format(folder=folder), encoding="utf-8")
        (folder / "calendar").mkdir()

    async def fetch(self) -> list[str]:
        """Fetch the feed, and return the lines of the day that are not cancelled."""
        for command in ("discover", "sync"):
            await self._run(*outside("vdirsyncer"), "-c", str(self._folder / "vdirsyncer"), command)
        form = "{start-time} {status}{title}"
        listed = await self._run(
            *outside("khal"), "-c", str(self._folder / "khal"), "list", "--format", form, "2026-11-26", "1d"
        )
        confirmed = [line for line in listed.splitlines() if "CONFIRMED" in line]
        return [" ".join(line.replace("CONFIRMED", "").split()) for line in confirmed]

    async def _run(self, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()


@asynccontextmanager
async def served(stage: Stage, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=stage.runtime.routes), HOST, port, log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def test_a_calendar_program_follows_the_feed(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    stage = Stage(public_url=f"http://{HOST}:{port}", link_secret="a secret of thirty-two characters!")
    await stage.consume(*everybody(), agenda(1, encounter(0, 1), encounter(2, 2), session(4)))
    (mail,) = await stage.after(61)
    body = mail.get_body(("plain",))
    assert body
    (url,) = re.findall(r"http://\S+/agenda\.ics", str(body.get_content()))
    async with served(stage, port):
        reader = Reader(tmp_path, url)
        first = ["09:00 Encounter with Metal 1", "09:30 Encounter with Metal 2", "10:00 Keynote"]
        assert await reader.fetch() == first
        await stage.consume(agenda(2, encounter(1, 1), session(4)))
        stage.time.advance(2)
        second = ["09:15 Encounter with Metal 1", "10:00 Keynote"]
        assert await reader.fetch() == second
