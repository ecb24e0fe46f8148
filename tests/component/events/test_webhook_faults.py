"""Webhooks when processes crash, meet, take over or find their feed made anew."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from services.events.store import HEADS, ITEMS, REFERENCES
from services.events.webhooks.store import DELIVERIES
from tests.support.notify_stage import edition, participant
from tests.support.webhook_stage import WebhookStage, changes, in_order, settled


@pytest.fixture
async def stage() -> WebhookStage:
    stage = WebhookStage()
    for hook in stage.wired.runtime.prepare:
        await hook()
    return stage


@pytest.mark.parametrize(
    "step",
    [
        f"{DELIVERIES}.insert_many",
        f"{DELIVERIES}.find_one",
        f"{DELIVERIES}.update_one",
        f"{DELIVERIES}.find",
        "webhook_endpoints.update_one",
        "webhook_endpoints.find",
    ],
)
@pytest.mark.parametrize("restarts", [True, False], ids=["crash", "error"])
async def test_a_crash_at_any_step_loses_nothing_and_repeats_only_under_the_same_id(step: str, restarts: bool) -> None:
    for failing in range(1, 5):
        stage = WebhookStage()
        await stage.add()
        await stage.work(1)
        events = [edition(), *changes(3, 3)]
        await stage.tell(*events[:5])
        stage.servers.failing[step] = failing
        try:
            await stage.runner.look()
            await settled(stage.runner)
        except Exception:  # noqa: BLE001, S110 - the planted fault
            pass
        stage.servers.failing.clear()
        if restarts:
            await stage.restart()
        await stage.tell(*events[5:])
        await stage.wait(minutes=1)
        await stage.work(10)
        assert set(stage.told()) == {(event.key, event.revision) for event in events}
        by_event = defaultdict(set)
        for received in stage.receivers.got:
            by_event[received.told].add(received.message_id)
        assert all(len(ids) == 1 for ids in by_event.values())
        assert in_order(stage.told())


async def test_two_processes_never_serve_an_endpoint_at_once(stage: WebhookStage) -> None:
    await stage.add()
    second = stage.process().webhooks.runner
    await stage.tell(edition(), *changes(6, 3))
    for _ in range(10):
        await asyncio.gather(stage.runner.look(), second.look())
        await settled(stage.runner)
        await settled(second)
        stage.time.advance(1.1)
    told = stage.told()
    assert len(told) == len(set(told)) == 19
    assert in_order(told)


async def test_another_process_takes_over_when_the_lease_has_ended_and_at_once_after_a_stop(
    stage: WebhookStage,
) -> None:
    await stage.add()
    await stage.work()
    second = stage.process().webhooks.runner
    await stage.tell(edition())
    await stage.work(1, runner=second)
    assert stage.told() == []
    stage.time.advance(60)
    await stage.work(runner=second)
    assert len(stage.told()) == 1
    await second.stop()
    await stage.tell(participant(1))
    third = stage.process().webhooks.runner
    await stage.work(runner=third)
    assert len(stage.told()) == 2


async def test_a_feed_that_was_made_anew_repeats_no_message_under_another_id(stage: WebhookStage) -> None:
    await stage.add()
    await stage.tell(edition(), participant(1))
    await stage.work()
    before = list(stage.receivers.got)
    database = stage.servers.mongo.database("tertulia_events")
    for collection in (ITEMS, REFERENCES, HEADS):
        await database[collection].delete_many({})
    await stage.restart()
    await stage.tell(edition(), participant(1), participant(2))
    await stage.wait(minutes=1)
    await stage.work(15)
    assert [received.told for received in stage.receivers.got[len(before) :]] == [("edn_1/participant/prt_2", 1)]
