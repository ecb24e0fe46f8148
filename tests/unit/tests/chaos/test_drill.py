from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from tests.chaos import drill as drill_module
from tests.chaos.drill import drill, until_at_work
from tests.chaos.stack import ChaosStack
from tests.chaos.watch import Place, Watch

PLACE: Place = ("tertulia-notify", "agenda.v1", 0)
DOWN_SECONDS = 0.3


class Stack(ChaosStack):
    """Stack with an instance that owns the partition: without it, records wait until its peer takes over."""

    def __init__(self, root: Path, watch: Watch, owner: str) -> None:
        super().__init__(root)
        self.killed: list[str] = []
        self._looks, self._owner = watch.standstills, owner

    async def kill(self, name: str) -> None:
        self.killed.append(name)
        if name == self._owner:
            self._looks.lags[PLACE] = 1
            asyncio.get_running_loop().call_later(DOWN_SECONDS, self._take_over)

    async def restart(self, name: str) -> None:
        pass

    def signal(self, name: str, number: signal.Signals) -> None:
        pass

    def _take_over(self) -> None:
        self._looks.lags[PLACE] = 0
        self._looks.committed[PLACE] += 1


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr(drill_module, "SESSION_SECONDS", -0.9)
    monkeypatch.setattr(drill_module, "_LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(drill_module, "_STOOD_STILL_SECONDS", DOWN_SECONDS / 2)
    watch = Watch("127.0.0.1:1")
    watch.standstills.lags[PLACE], watch.standstills.committed[PLACE] = 0, 5
    return watch


@pytest.mark.parametrize(("owner", "killed"), [("notify-1", ["notify-1"]), ("notify-2", ["notify-1", "notify-2"])])
async def test_recovery_lasts_from_the_kill_to_the_next_commit_of_the_partition(
    tmp_path: Path, watch: Watch, owner: str, killed: list[str]
) -> None:
    stack = Stack(tmp_path, watch, owner)
    began = time.monotonic()
    recovery = await drill(stack, watch, "notify")
    assert stack.killed == killed
    assert DOWN_SECONDS * 0.9 <= recovery <= time.monotonic() - began


async def test_the_kill_of_an_idle_instance_is_no_standstill(tmp_path: Path, watch: Watch) -> None:
    stack = Stack(tmp_path, watch, "matching-1")
    assert await drill(stack, watch, "notify") == 0.0
    assert set(stack.killed) == {"notify-1", "notify-2"}


async def test_the_drill_begins_once_every_group_has_committed(watch: Watch) -> None:
    waiting = asyncio.create_task(until_at_work(watch))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    for service in ("matching", "scheduler"):
        watch.standstills.committed[f"tertulia-{service}", "registration.v1", 1] = 1
    await asyncio.wait_for(waiting, 10)
