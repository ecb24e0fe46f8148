"""The scheduler as it is assembled and run: records in, records out, HTTP, readiness and metrics."""

from __future__ import annotations

from shared.app import make_app
from shared.contract.events import EncounterChanged
from shared.runtime.metrics import ENCOUNTERS, IMPROVEMENTS
from tests.support.metrics import MetricDelta
from tests.support.running import running
from tests.support.scheduler_editions import affinity, edition, people
from tests.support.scheduler_service import SchedulerHarness, final
from tests.support.waiting import wait_until


async def test_records_in_lead_to_encounters_announced_agendas_and_answers() -> None:
    harness = SchedulerHarness()
    scheduled, improved = (
        MetricDelta(ENCOUNTERS, state="scheduled", reason=""),
        MetricDelta(IMPROVEMENTS, outcome="kept"),
    )
    async with running(make_app(harness.runtime)) as client:
        harness.servers.publish(edition(phase="published"), *people("a", "b"), affinity("a", "b"))
        await wait_until(lambda: any(isinstance(event, EncounterChanged) for event in harness.sent))
        assert final(harness.sent) == []
        harness.seconds += 3
        await wait_until(lambda: final(harness.sent) == ["a", "b"])
        listed = (await client.get("/internal/editions/ed/encounters")).json()
        assert len(listed["items"]) == 1
        assert (await client.get("/readyz")).json() == {"status": "ready", "missing": {}, "held": {}}
        assert "tertulia_encounters_total" in (await client.get("/metrics")).text
    assert (scheduled.value, improved.value) == (1, 1)
