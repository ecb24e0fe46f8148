from __future__ import annotations

import pytest

from tests.support.notify_stage import Stage, everybody


@pytest.fixture
async def stage() -> Stage:
    stage = Stage(smtp_connections=2)
    await stage.consume(*everybody())
    return stage
