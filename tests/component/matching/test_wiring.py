"""Matching as it is assembled and run: records in, records out, HTTP, readiness and metrics."""

from __future__ import annotations

from datetime import datetime

from shared.app import make_app
from shared.contract.events import Consent
from shared.runtime.metrics import PAIRS_SCORED
from tests.support.matching_journal import MatchingHarness
from tests.support.matching_scene import Scene
from tests.support.metrics import MetricDelta
from tests.support.running import running
from tests.support.waiting import wait_until


async def test_records_in_lead_to_affinities_out_and_answers(scene: Scene, now: datetime) -> None:
    harness, scored = MatchingHarness(now), MetricDelta(PAIRS_SCORED, consent="pending")
    async with running(make_app(harness.runtime)) as client:
        harness.servers.publish(
            scene.edition(),
            scene.organisation("org_ann"),
            scene.organisation("org_bob"),
            scene.participant("ann", needs=("Soldadura de aluminio",)),
            scene.participant("bob", offers=("Taller de soldadura",)),
            scene.request("r1", "ann", "bob"),
        )
        await wait_until(lambda: bool(harness.sent))
        assert harness.sent[-1].consent is Consent.PENDING
        pair = (await client.get("/internal/editions/ed1/affinities/ann/bob")).json()
        assert pair["hindrances"] == ["answer_awaited"]
        assert (await client.get("/readyz")).json() == {"status": "ready", "missing": {}, "held": {}}
        assert "tertulia_pairs_scored_total" in (await client.get("/metrics")).text
    assert scored.value == 1
