"""Notify as it is assembled and run: records in, a mail and its record out, readiness and metrics."""

from __future__ import annotations

from shared.app import make_app
from shared.runtime.metrics import DELIVERIES
from tests.support.metrics import MetricDelta
from tests.support.notify_stage import Stage, agenda, encounter, everybody
from tests.support.running import running
from tests.support.waiting import wait_until


async def test_an_agenda_on_its_topic_is_mailed_and_recorded() -> None:
    stage, sent = Stage(deliver_every_seconds=0.02), MetricDelta(DELIVERIES, state="sent", kind="agenda")
    async with running(make_app(stage.runtime)) as client:
        stage.servers.publish(*everybody(), agenda(1, encounter(0, 1)))
        await wait_until(lambda: stage.is_owed("prt_0"))
        stage.time.advance(60)
        await wait_until(lambda: stage.states() == ["sent"])
        assert len(stage.mailer.accepted) == 1
        assert (await client.get("/readyz")).json() == {"status": "ready", "missing": {}, "held": {}}
        assert "tertulia_deliveries_total" in (await client.get("/metrics")).text
    assert sent.value == 1


async def test_without_a_mail_server_the_running_service_is_not_ready() -> None:
    stage = Stage(deliver_every_seconds=0.02)
    stage.mailer.away = True
    async with running(make_app(stage.runtime)) as client:
        stage.servers.publish(*everybody(), agenda(1, encounter(0, 1)))
        await wait_until(lambda: stage.is_owed("prt_0"))
        stage.time.advance(60)

        async def is_missed() -> bool:
            return set((await client.get("/readyz")).json()["missing"]) == {"smtp"}

        await wait_until(is_missed)
