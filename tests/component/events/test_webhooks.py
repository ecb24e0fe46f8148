"""Webhooks: order by thing, one id for all tries, retries, pace, replay, and nothing lost by crashes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from services.events.webhooks.delivery import SCHEDULE, ReceiverAnswer
from shared.internal_api.server import Declined
from shared.internal_api.webhooks import (
    ChangedWebhook,
    NewWebhook,
    Replay,
    SecretRotation,
    WebhookAlgorithm,
    WebhookDeliveryState,
)
from shared.runtime.metrics import (
    WEBHOOK_DELAY_SECONDS,
    WEBHOOK_OPEN,
    WEBHOOK_TRIES,
    WEBHOOK_TRY_SECONDS,
    WEBHOOKS_DISABLED,
    WEBHOOKS_FAILING,
)
from tests.support.metrics import MetricDelta, metric_value
from tests.support.notify_stage import agenda, edition, participant
from tests.support.waiting import wait_until
from tests.support.webhook_stage import REFUSED, TAKEN, Received, WebhookStage, changes, in_order, settled

URL = WebhookStage.URL


@pytest.fixture
async def stage() -> WebhookStage:
    stage = WebhookStage()
    for hook in stage.wired.runtime.prepare:
        await hook()
    return stage


async def test_all_events_arrive_once_and_in_the_order_of_their_things(stage: WebhookStage) -> None:
    await stage.add()
    events = [edition(), *changes(5, 4)]
    await stage.tell(*events)
    await stage.work()
    assert sorted(stage.told()) == sorted((event.key, event.revision) for event in events)
    assert in_order(stage.told())


async def test_a_message_is_a_signed_cloudevent_in_the_form_of_the_standard(stage: WebhookStage) -> None:
    made = await stage.add()
    await stage.tell(edition())
    await stage.work()
    [received] = stage.receivers.got
    event = received.event
    assert (event["type"], event["timestamp"]) == ("org.tertulia.edition.changed.v1", event["time"])
    assert event["data"]["edition_id"] == "edn_1"
    assert received.headers["Content-Type"] == "application/json"
    assert "." not in received.message_id
    assert verifies(made.secret, received)


def sent_at(headers: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)


async def test_a_webhook_tells_its_edition_and_its_types_only(stage: WebhookStage) -> None:
    other = edition().model_copy(update={"edition_id": "edn_2"})
    stranger = edition().model_copy(update={"edition_id": "edn_3", "operator_id": "op_2"})
    await stage.add(edition_id="edn_1", types=("org.tertulia.agenda.changed.v1", "org.tertulia.edition.changed.v1"))
    await stage.tell(edition(), other, stranger, participant(1), agenda(1, number=1))
    await stage.work()
    assert stage.told() == [("edn_1/edition/edn_1", 1), ("edn_1/participant/prt_1", 1)]


async def test_a_webhook_begins_with_the_events_after_its_making_unless_it_asks_for_all(stage: WebhookStage) -> None:
    await stage.tell(edition(), participant(1))
    await stage.add(from_start=False)
    await stage.work()
    assert stage.told() == []
    await stage.tell(participant(1, 2))
    await stage.work()
    assert stage.told() == [("edn_1/participant/prt_1", 2)]


async def test_each_try_has_the_same_id_and_body_and_later_messages_of_the_thing_wait(stage: WebhookStage) -> None:
    made = await stage.add()
    stage.receivers.plays[URL] = lambda received: REFUSED if received.told == ("edn_1/participant/prt_1", 1) else TAKEN
    await stage.tell(edition(), participant(1), participant(2), participant(1, 2))
    for wait in SCHEDULE:
        await stage.wait(seconds=wait.total_seconds() * 1.2)
    tries = [received for received in stage.receivers.got if received.told == ("edn_1/participant/prt_1", 1)]
    assert len(tries) == len(SCHEDULE)
    assert len({(received.message_id, received.body) for received in tries}) == 1
    assert len({received.headers["webhook-timestamp"] for received in tries}) == len(SCHEDULE)
    await stage.wait(minutes=2)
    assert stage.told()[-1] == ("edn_1/participant/prt_1", 2)
    assert stage.told().count(("edn_1/participant/prt_1", 2)) == 1
    [failed] = await stage.log(made.webhook_id, WebhookDeliveryState.FAILED)
    assert (failed.tries_made, failed.response_body) == (len(SCHEDULE), "defect")
    assert [entry.status for entry in failed.tries] == [500] * len(SCHEDULE)


async def test_the_tries_of_a_message_take_about_three_days(stage: WebhookStage) -> None:
    await stage.add()
    stage.receivers.plays[URL] = lambda _: REFUSED
    await stage.tell(edition())
    began = stage.time.now
    while len(stage.receivers.got) < len(SCHEDULE):
        await stage.wait(minutes=10)
    assert 3.0 < (stage.time.now - began).total_seconds() / 86400 < 3.8


async def test_a_receiver_is_left_alone_for_as_long_as_it_asks(stage: WebhookStage) -> None:
    await stage.add()
    stage.receivers.plays[URL] = lambda _: ReceiverAnswer(0.01, 503, retry_after="1800")
    await stage.tell(edition(), *changes(3, 1))
    await stage.work(rounds=1)
    asked = len(stage.receivers.got)
    await stage.wait(minutes=25)
    assert len(stage.receivers.got) == asked
    stage.receivers.plays[URL] = lambda _: TAKEN
    await stage.wait(minutes=10)
    assert sorted(set(stage.told())) == sorted((event.key, event.revision) for event in [edition(), *changes(3, 1)])


async def test_410_disables_the_webhook_and_keeps_its_messages(stage: WebhookStage) -> None:
    made = await stage.add()
    stage.receivers.plays[URL] = lambda _: ReceiverAnswer(0.01, 410)
    await stage.tell(edition(), participant(1))
    await stage.work()
    view = await stage.webhooks.get("op_1", made.webhook_id)
    assert view.is_disabled
    assert "410" in view.disabled_reason
    asked = len(stage.receivers.got)
    await stage.wait(hours=1)
    assert len(stage.receivers.got) == asked
    stage.receivers.plays[URL] = lambda _: TAKEN
    await enable(stage, made.webhook_id)
    await stage.work(5)
    assert await stage.log(made.webhook_id, WebhookDeliveryState.OPEN) == []
    assert len({received.message_id for received in stage.receivers.got}) == 2


async def test_a_webhook_without_deliveries_for_days_is_disabled_with_the_reason(stage: WebhookStage) -> None:
    made = await stage.add()
    stage.receivers.plays[URL] = lambda _: REFUSED
    await stage.tell(edition(), *changes(2, 3))
    for _ in range(11):
        await stage.wait(hours=12)
    view = await stage.webhooks.get("op_1", made.webhook_id)
    assert view.disabled_reason == "no message was delivered for 5 days"
    stage.receivers.plays[URL] = lambda _: TAKEN
    await enable(stage, made.webhook_id)
    await stage.work(5)
    assert not (await stage.webhooks.get("op_1", made.webhook_id)).is_disabled
    assert await stage.log(made.webhook_id, WebhookDeliveryState.OPEN) == []


async def enable(stage: WebhookStage, webhook_id: str) -> None:
    view = await stage.webhooks.get("op_1", webhook_id)
    asked = ChangedWebhook(url=view.url, label=view.label, revision=view.revision)
    await stage.webhooks.change("op_1", webhook_id, asked)


async def test_both_secrets_sign_during_the_overlap_and_the_new_one_alone_afterwards(stage: WebhookStage) -> None:
    first = await stage.add()
    await stage.work()
    second = await stage.webhooks.rotate("op_1", first.webhook_id, SecretRotation(overlap_hours=24))
    await stage.tell(edition())
    await stage.work()
    assert [verifies(made.secret, stage.receivers.got[-1]) for made in (first, second)] == [True, True]
    await stage.wait(hours=25)
    await stage.tell(participant(1))
    await stage.work()
    assert [verifies(made.secret, stage.receivers.got[-1]) for made in (first, second)] == [False, True]


def verifies(secret: str, received: Received) -> bool:
    signed = Webhook(secret).sign(received.message_id, sent_at(received.headers), received.body)
    return signed in received.headers["webhook-signature"].split(" ")


async def test_secrets_are_shown_once_and_are_in_no_list(stage: WebhookStage) -> None:
    made = await stage.add()
    public = await stage.add(algorithm=WebhookAlgorithm.ED25519)
    assert (made.secret[:6], public.secret[:5]) == ("whsec_", "whpk_")
    shown = [view.model_dump_json() for view in await stage.webhooks.list_webhooks("op_1")]
    assert not [text for text in shown if made.secret in text or "whsk_" in text]
    assert [public.secret in text for text in shown].count(True) == 1


async def test_replays_send_a_single_message_failed_ones_or_a_time_again_under_their_ids(stage: WebhookStage) -> None:
    made = await stage.add()
    await stage.tell(edition(), participant(1))
    await stage.work()
    stage.time.advance(3600)
    since = stage.time.now
    stage.receivers.plays[URL] = lambda _: REFUSED
    await stage.tell(participant(2))
    for wait in SCHEDULE:
        await stage.wait(seconds=wait.total_seconds() * 1.2)
    stage.receivers.plays[URL] = lambda _: TAKEN
    ids = {received.told: received.message_id for received in stage.receivers.got}
    one = ids["edn_1/participant/prt_1", 1]

    async def replayed(asked: Replay) -> list[str]:
        before = len(stage.receivers.got)
        count = (await stage.webhooks.replay("op_1", made.webhook_id, asked)).deliveries
        await stage.work()
        again = [received.message_id for received in stage.receivers.got[before:]]
        assert len(again) == count
        return again

    assert await replayed(Replay(message_id=one, only_failed=False)) == [one]
    assert await replayed(Replay()) == [ids["edn_1/participant/prt_2", 1]]
    assert sorted(await replayed(Replay(only_failed=False, until=since))) == sorted(
        {one, ids["edn_1/edition/edn_1", 1]}
    )
    assert sorted(await replayed(Replay(only_failed=False))) == sorted(ids.values())
    with pytest.raises(Declined, match="no such delivery"):
        await stage.webhooks.replay("op_1", made.webhook_id, Replay(message_id="msg_none"))


async def test_a_test_message_is_sent_once_and_is_in_the_log(stage: WebhookStage) -> None:
    made = await stage.add()
    stage.receivers.plays[URL] = lambda _: ReceiverAnswer(0.01, 400, b"not for me")
    tested = await stage.webhooks.test("op_1", made.webhook_id)
    await stage.wait(hours=1)
    assert len(stage.receivers.got) == 1
    assert (tested.state, tested.response_body) == (WebhookDeliveryState.FAILED, "not for me")
    assert [delivery.message_id for delivery in await stage.log(made.webhook_id)] == [tested.message_id]
    assert (await stage.webhooks.replay("op_1", made.webhook_id, Replay())).deliveries == 0


async def test_an_endpoint_that_hangs_changes_nothing_for_the_others(stage: WebhookStage) -> None:
    others = [f"https://crm.example.org/{number}" for number in range(99)]
    for url in (URL, *others):
        await stage.add(url)
    stage.receivers.hanging.add(URL)
    events = [edition(), *changes(4, 2)]
    await stage.tell(*events)
    for _ in range(10):  # a process leases some endpoints in each round
        await stage.runner.look()
        stage.time.advance(1.1)

    def have_all() -> bool:
        return all(len(stage.told(url)) == len(events) for url in others)

    await wait_until(have_all, seconds=20)
    assert all(in_order(stage.told(url)) for url in others)
    assert stage.receivers.most[URL] <= 4
    stage.receivers.released.set()
    await settled(stage.runner)


async def test_at_most_four_messages_at_once_and_one_while_the_endpoint_fails(stage: WebhookStage) -> None:
    await stage.add()
    stage.receivers.hanging.add(URL)
    await stage.tell(edition(), *changes(20, 1))
    await stage.runner.look()
    await wait_until(lambda: len(stage.receivers.got) == 4)
    stage.receivers.released.set()
    await settled(stage.runner)
    stage.receivers.most.clear()
    await stage.wait(minutes=2)
    assert stage.receivers.most[URL] == 1


async def test_once_it_answers_again_a_receiver_gets_all_that_waits_at_once(stage: WebhookStage) -> None:
    await stage.add()
    stage.receivers.plays[URL] = lambda _: REFUSED
    events = [edition(), *changes(10, 1)]
    await stage.tell(*events)
    for _ in range(5):
        await stage.wait(minutes=10)
    stage.receivers.plays[URL] = lambda _: TAKEN
    before = len(stage.receivers.got)
    await stage.wait(minutes=5)
    await stage.work(5)
    assert len({received.told for received in stage.receivers.got[before:]}) == len(events)


async def test_a_deleted_webhook_sends_nothing_more(stage: WebhookStage) -> None:
    made = await stage.add()
    stage.receivers.plays[URL] = lambda _: REFUSED
    await stage.tell(edition(), *changes(3, 1))
    await stage.work(1)
    await stage.webhooks.delete("op_1", made.webhook_id)
    asked = len(stage.receivers.got)
    await stage.wait(hours=1)
    assert len(stage.receivers.got) <= asked + 1
    with pytest.raises(Declined, match="no such webhook"):
        await stage.webhooks.get("op_1", made.webhook_id)


async def test_a_webhook_of_another_operator_looks_unknown(stage: WebhookStage) -> None:
    made = await stage.add()
    for call in (
        stage.webhooks.get("op_2", made.webhook_id),
        stage.webhooks.delete("op_2", made.webhook_id),
        stage.webhooks.test("op_2", made.webhook_id),
        stage.webhooks.replay("op_2", made.webhook_id, Replay()),
        stage.webhooks.rotate("op_2", made.webhook_id, SecretRotation(overlap_hours=1)),
        stage.webhooks.deliveries("op_2", made.webhook_id, None, "", 10),
    ):
        with pytest.raises(Declined, match="there is no such webhook"):
            await call
    assert await stage.webhooks.list_webhooks("op_2") == []


async def test_an_unsafe_url_is_refused_with_its_place(stage: WebhookStage) -> None:
    with pytest.raises(Declined) as refused:
        await stage.webhooks.create("op_1", NewWebhook(url="https://127.0.0.1/", label="x"), "")
    assert refused.value.body["errors"] == [
        {"pointer": "/url", "detail": "the address 127.0.0.1 is a loopback: webhooks are sent to public addresses only"}
    ]


async def test_the_metrics_of_webhooks_count_tries_delays_failures_and_disabled_ones(stage: WebhookStage) -> None:
    delivered = MetricDelta(WEBHOOK_TRIES, outcome="delivered")
    retried = MetricDelta(WEBHOOK_TRIES, outcome="retry")
    tries, delays = MetricDelta(WEBHOOK_TRY_SECONDS), MetricDelta(WEBHOOK_DELAY_SECONDS)
    gone = MetricDelta(WEBHOOKS_DISABLED, reason="gone")
    await stage.add()
    await stage.tell(edition())
    await stage.work()
    stage.receivers.plays[URL] = lambda _: REFUSED
    await stage.tell(participant(1))
    await stage.work()
    assert (delivered.value, retried.value, tries.value, delays.value) == (1, 1, 2, 1)
    assert metric_value(WEBHOOKS_FAILING) == 1
    await stage.wired.webhooks.count_open()
    assert metric_value(WEBHOOK_OPEN) == 1
    stage.receivers.plays[URL] = lambda _: ReceiverAnswer(0.01, 410)
    await stage.wait(minutes=10)
    assert gone.value == 1
