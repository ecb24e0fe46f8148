"""A real Prometheus notices a fault of the running product within a minute; `make prove-alerts` plants them all."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.alerts.drill import BROKER, DETECTED_SECONDS, RETURNED_SECONDS, find
from tests.alerts.watched import Load, WatchedStack
from tests.support.outside import outside

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[WatchedStack]:
    [program] = outside("prometheus")
    async with WatchedStack(tmp_path, program) as stack, stack.alerting:
        yield stack


async def doctor(stack: WatchedStack, expected: int = 0) -> list[dict[str, str]]:
    """Return the findings of the command with the settings of the stack, after a look at its exit code."""
    command = (sys.executable, "-m", "tertulia.cli", "doctor", "--json")
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | stack.environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == expected, output.decode()
    findings: list[dict[str, str]] = json.loads(output)
    return findings


async def test_a_fault_is_noticed_within_a_minute_and_the_doctor_names_what_is_wrong(stack: WatchedStack) -> None:
    assert await stack.alerting.firing() == set()
    healthy = await doctor(stack)
    assert [finding for finding in healthy if finding["verdict"] == "wrong"] == []
    assert {finding["part"] for finding in healthy if finding["verdict"] == "fine"} >= {
        "settings", "clock", "write concern", "broker", "topics", "groups", "dead letters", "relay", "services",
    }  # fmt: skip

    found = await find(stack, Load(stack), BROKER)
    assert found.detected < DETECTED_SECONDS
    assert found.returned is not None
    assert found.returned < RETURNED_SECONDS

    await stack.kill("smtp-sink")
    [wrong] = [finding for finding in await doctor(stack, expected=1) if finding["verdict"] == "wrong"]
    assert (wrong["part"], wrong["runbook"]) == ("relay", "deploy/runbooks/mail-server-away.md")
