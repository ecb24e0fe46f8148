"""Endpoints and deliveries on MongoDB, with both drivers and in the database of the simulation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.events.item import item_of
from services.events.webhooks.delivery import ReceiverAnswer, TryVerdict, WebhookDelivery
from services.events.webhooks.endpoint import Endpoint
from services.events.webhooks.store import MongoDeliveries, MongoEndpoints
from shared.contract.events import Event
from shared.internal_api.webhooks import NewWebhook, Replay, WebhookDeliveryState
from shared.storage.mongo import MongoDatabase
from tests.support.notify_stage import participant

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAYS = timedelta(days=30)


@pytest.fixture
async def endpoints(database: MongoDatabase) -> MongoEndpoints:
    subject = MongoEndpoints(database)
    await subject.prepare()
    return subject


@pytest.fixture
async def deliveries(database: MongoDatabase) -> MongoDeliveries:
    subject = MongoDeliveries(database)
    await subject.prepare()
    return subject


def endpoint(operator_id: str = "op_1") -> Endpoint:
    asked = NewWebhook(url="https://crm.example.org/", label="CRM", types=("t",))
    return Endpoint.new(operator_id, asked, "start", NOW, "key:k1")


def delivery(of: Endpoint, event: Event, place: int, now: datetime = NOW) -> WebhookDelivery:
    item = item_of(event, place)
    assert item is not None
    return WebhookDelivery.of_item(of, item, place, now)


async def test_an_endpoint_is_read_as_it_was_written(endpoints: MongoEndpoints) -> None:
    ours, foreign = endpoint(), endpoint("op_2")
    await endpoints.add(ours)
    await endpoints.add(foreign)
    assert await endpoints.find("op_1", ours.webhook_id) == ours
    assert await endpoints.find("op_2", ours.webhook_id) is None
    assert await endpoints.of_operator("op_2") == [foreign]
    await endpoints.remove(ours.webhook_id)
    assert await endpoints.of_operator("op_1") == []


async def test_a_change_needs_the_revision_before_and_leaves_the_work_alone(endpoints: MongoEndpoints) -> None:
    ours = endpoint()
    await endpoints.add(ours)
    await endpoints.take_leases("prc_1", NOW, NOW + SECOND, 10)
    worked = ours.model_copy(update={"read_to": "abc.7", "last_delivered_at": NOW})
    assert await endpoints.note(worked, "prc_1")
    changed = ours.model_copy(update={"label": "New", "revision": 2})
    assert await endpoints.replace(changed)
    assert not await endpoints.replace(changed)
    [found] = await endpoints.of_operator("op_1")
    assert (found.label, found.revision, found.read_to, found.last_delivered_at) == ("New", 2, "abc.7", NOW)


async def test_a_lease_is_held_by_one_process_until_it_ends(endpoints: MongoEndpoints) -> None:
    for _ in range(5):
        await endpoints.add(endpoint())
    await endpoints.take_leases("prc_1", NOW, NOW + SECOND, 3)
    await endpoints.take_leases("prc_2", NOW, NOW + SECOND, 10)
    first, second = await endpoints.leased("prc_1"), await endpoints.leased("prc_2")
    assert (len(first), len(second)) == (3, 2)
    assert not await endpoints.note(first[0], "prc_2")
    await endpoints.renew_leases("prc_1", NOW + 5 * SECOND)
    await endpoints.take_leases("prc_2", NOW + 2 * SECOND, NOW + 9 * SECOND, 10)
    assert len(await endpoints.leased("prc_1")) == 3
    await endpoints.take_leases("prc_2", NOW + 5 * SECOND, NOW + 9 * SECOND, 10)
    assert (await endpoints.leased("prc_1"), len(await endpoints.leased("prc_2"))) == ([], 5)
    await endpoints.release("prc_2")
    await endpoints.take_leases("prc_1", NOW, NOW + SECOND, 10)
    assert len(await endpoints.leased("prc_1")) == 5


async def test_a_delivery_is_written_once_and_changed_while_it_is_open(deliveries: MongoDeliveries) -> None:
    ours = endpoint()
    first, second = delivery(ours, participant(1), 1), delivery(ours, participant(1, 2), 2)
    assert await deliveries.add([first]) == [first]
    assert await deliveries.add([first, second]) == [second]
    assert await deliveries.add([]) == []
    assert await deliveries.find(ours.webhook_id, first.message_id) == first
    assert await deliveries.find("whk_other", first.message_id) is None
    ended = first.after(ReceiverAnswer(0.1, 200, b"thanks"), TryVerdict.DELIVERED, NOW, None, DAYS)
    assert await deliveries.save(ended)
    assert not await deliveries.save(ended)
    assert await deliveries.find(ours.webhook_id, first.message_id) == ended
    assert [entry.message_id for entry in await deliveries.open_of(ours.webhook_id, 10)] == [second.message_id]
    assert await deliveries.count_open() == 1
    await deliveries.remove_of(ours.webhook_id)
    assert await deliveries.page(ours.webhook_id, None, "", 10) == []


async def test_open_deliveries_come_in_the_order_of_the_feed(deliveries: MongoDeliveries) -> None:
    ours = endpoint()
    anew = ours.model_copy(update={"generation": 2})
    made = [delivery(anew, participant(9), 1), *(delivery(ours, participant(number), number) for number in (3, 1, 2))]
    await deliveries.add(made)
    found = [entry.message_id for entry in await deliveries.open_of(ours.webhook_id, 10)]
    assert found == [made[2].message_id, made[3].message_id, made[1].message_id, made[0].message_id]
    assert len(await deliveries.open_of(ours.webhook_id, 2)) == 2


async def test_pages_list_the_newest_first_and_by_state(deliveries: MongoDeliveries) -> None:
    ours = endpoint()
    made = [delivery(ours, participant(number), number, NOW + number * SECOND) for number in range(5)]
    await deliveries.add(made)
    await deliveries.save(made[2].after(ReceiverAnswer(0.1, 500), TryVerdict.FAILED, NOW, None, DAYS))
    listed: list[str] = []
    after = ""
    while page := await deliveries.page(ours.webhook_id, None, after, 2):
        listed += [entry.message_id for entry in page]
        after = page[-1].listed
    assert listed == [entry.message_id for entry in reversed(made)]
    [failed] = await deliveries.page(ours.webhook_id, WebhookDeliveryState.FAILED, "", 10)
    assert failed.message_id == made[2].message_id


async def test_ended_deliveries_are_opened_again_by_state_time_and_id(deliveries: MongoDeliveries) -> None:
    ours = endpoint()
    made = [delivery(ours, participant(number), number, NOW + number * SECOND) for number in range(4)]
    await deliveries.add(made)

    async def end() -> None:
        for number, entry in enumerate(made[:3]):
            verdict, answer = ((TryVerdict.FAILED, 500), (TryVerdict.DELIVERED, 200))[number > 0]
            await deliveries.save(entry.after(ReceiverAnswer(0.1, answer), verdict, NOW, None, DAYS))

    for asked, count in (
        (Replay(), 1),
        (Replay(only_failed=False), 3),
        (Replay(only_failed=False, since=NOW + SECOND), 2),
        (Replay(only_failed=False, since=NOW + SECOND, until=NOW + 2 * SECOND), 1),
        (Replay(only_failed=False, message_id=made[2].message_id), 1),
        (Replay(message_id=made[2].message_id), 0),
        (Replay(message_id=made[3].message_id, only_failed=False), 0),
    ):
        await end()
        assert await deliveries.open_again(ours.webhook_id, asked, NOW) == count, asked
    await end()
    await deliveries.open_again(ours.webhook_id, Replay(only_failed=False), NOW)
    again = await deliveries.find(ours.webhook_id, made[2].message_id)
    assert again is not None
    assert (again.state, again.tries, again.due_at, again.expires_at) == (WebhookDeliveryState.OPEN, 0, NOW, None)
