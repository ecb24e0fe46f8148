"""Outside checkers for the tests: programs by other people, installed by `make tools`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

import pytest

from tests.tools.install import status


def outside(name: str) -> tuple[str, ...]:
    """The command of a checker. Without it the test is skipped with the reason; with `CI=true` it fails."""
    tool = status().get(name)
    reason = tool.missing if tool else "'make tools' has not been run"
    if tool and not tool.missing:
        return tool.command
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name}: {reason}")
    pytest.skip(f"{name}: {reason}")


def checked(name: str, *arguments: str, standard_input: str = "", allowed: Sequence[int] = (0,)) -> str:
    """The output of a checker. A status that is not among those allowed fails the test with the checker's own words."""
    process = subprocess.run(
        [*outside(name), *arguments], input=standard_input, capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode in allowed, f"{name}: {process.stdout}{process.stderr}"
    return process.stdout
