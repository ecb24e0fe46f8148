from __future__ import annotations

import pytest

from tests.chaos import settle
from tests.chaos.settle import NotQuiet, until_nothing_lacks


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "_LOOK_EVERY_SECONDS", 0.0)


async def test_the_run_is_quiet_after_several_looks_without_work_left() -> None:
    looks = [["a"], [], ["b"], [], [], []]

    async def lacks() -> list[str]:
        return looks.pop(0)

    await until_nothing_lacks(lacks, 60)
    assert looks == []


async def test_work_left_after_the_time_is_named() -> None:
    async def lacks() -> list[str]:
        return ["3 mails are owed", "notify-1 is not ready"]

    with pytest.raises(NotQuiet, match="3 mails are owed; notify-1 is not ready"):
        await until_nothing_lacks(lacks, 0)
