"""The change feeds on MongoDB, with both drivers and in the database of the simulation."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.events.domain.cursor import BadCursor, CursorGone
from services.events.ports import NumberTaken
from services.events.service import ChangeFeeds, FeedPage, FeedQuery
from services.events.store import HEADS, ITEMS, MongoFeed
from shared.contract.events import Event
from shared.contract.events.registration import Phase
from shared.messaging.inputs import ForeignOperator, Input, Position
from shared.storage.mongo import MongoDatabase
from tests.support.notify_stage import NOW, agenda, edition, encounter, participant


@pytest.fixture
async def store(database: MongoDatabase) -> MongoFeed:
    subject = MongoFeed(database)
    await subject.prepare()
    return subject


def feeds_of(store: MongoFeed) -> ChangeFeeds:
    return ChangeFeeds(store, 10, timedelta(days=90), lambda: NOW + timedelta(days=100))


async def feed(feeds: ChangeFeeds, *events: Event) -> None:
    for event in events:
        await feeds.consume(event.edition_id, [Input(event, Position("t", 0, 0))])


def told(page: FeedPage) -> list[tuple[str, int]]:
    return [(placed.item.thing.rpartition("/")[2], placed.item.revision) for placed in page.items]


async def whole(feeds: ChangeFeeds, limit: int = 2) -> list[tuple[str, int]]:
    found, after = [], ""
    while (page := await feeds.read_edition("op_1", "edn_1", FeedQuery(after=after, limit=limit))).items:
        found += told(page)
        after = page.next
    return found


EVENTS = (edition(), participant(1), participant(2), agenda(1, number=1), participant(1, 2), agenda(2, number=1))
TOLD = [("edn_1", 1), ("prt_1", 1), ("prt_2", 1), ("prt_1", 1), ("prt_1", 2), ("prt_1", 2)]


async def test_pages_tell_all_events_in_order_and_none_twice(store: MongoFeed) -> None:
    feeds = feeds_of(store)
    await feed(feeds, *EVENTS)
    assert await whole(feeds) == await whole(feeds, 1) == await whole(feeds, 100) == TOLD


async def test_repeats_and_older_revisions_add_nothing_also_in_a_new_process(store: MongoFeed) -> None:
    await feed(feeds_of(store), *EVENTS)
    await feed(feeds_of(store), *reversed(EVENTS))
    assert await whole(feeds_of(store)) == TOLD


async def test_two_processes_that_hold_an_edition_leave_no_gap_and_no_repeat(store: MongoFeed) -> None:
    first, second = feeds_of(store), feeds_of(store)
    await feed(first, edition())
    await feed(second, edition())
    events = [participant(number, revision) for revision in (1, 2, 3) for number in range(5)]
    await asyncio.gather(feed(first, *events), feed(second, *events))
    page = await first.read_edition("op_1", "edn_1", FeedQuery(limit=100))
    assert [placed.item.number for placed in page.items] == list(range(1, 17))
    assert len(set(told(page))) == 16
    operators = await second.read_operator("op_1", FeedQuery(limit=100))
    assert told(operators) == told(page)


async def test_a_number_in_use_is_refused(store: MongoFeed) -> None:
    feeds = feeds_of(store)
    await feed(feeds, edition(), participant(1))
    items = [placed.item for placed in (await feeds.read_edition("op_1", "edn_1", FeedQuery())).items]
    with pytest.raises(NumberTaken):
        await store.add(items[1:])


async def test_the_feed_of_an_operator_joins_its_editions(store: MongoFeed) -> None:
    feeds = feeds_of(store)
    other = edition().model_copy(update={"edition_id": "edn_2"})
    stranger = edition().model_copy(update={"edition_id": "edn_3", "operator_id": "op_2"})
    await feed(feeds, edition(), other, stranger, participant(1))
    page = await feeds.read_operator("op_1", FeedQuery(limit=2))
    rest = await feeds.read_operator("op_1", FeedQuery(after=page.next))
    assert told(page) + told(rest) == [("edn_1", 1), ("edn_2", 1), ("prt_1", 1)]
    assert told(await feeds.read_operator("op_2", FeedQuery())) == [("edn_3", 1)]
    assert not (await feeds.read_edition("op_2", "edn_1", FeedQuery())).items


async def test_a_process_that_ended_before_the_operator_s_feed_was_written_is_made_up_for(
    store: MongoFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "place", _ends)
        with pytest.raises(ConnectionError):
            await feed(feeds_of(store), edition())
    feeds = feeds_of(store)
    await feed(feeds, edition(), participant(1))
    assert told(await feeds.read_operator("op_1", FeedQuery())) == [("edn_1", 1), ("prt_1", 1)]


async def test_a_snapshot_tells_the_newest_of_each_thing_and_then_what_follows(store: MongoFeed) -> None:
    feeds = feeds_of(store)
    await feed(feeds, *EVENTS)
    page = await feeds.read_edition("op_1", "edn_1", FeedQuery(limit=2, is_snapshot=True))
    await feed(feeds, participant(2, 2), participant(3))
    found = told(page)
    while page.items:
        page = await feeds.read_edition("op_1", "edn_1", FeedQuery(limit=2, after=page.next))
        found += told(page)
    assert found == [("edn_1", 1), ("prt_2", 1), ("prt_1", 2), ("prt_1", 2), ("prt_2", 2), ("prt_3", 1)]


async def test_filters_let_the_cursor_move_on(store: MongoFeed) -> None:
    feeds = feeds_of(store)
    await feed(feeds, *EVENTS)
    agendas = FeedQuery(types=frozenset({"org.tertulia.agenda.changed.v1"}))
    assert told(await feeds.read_edition("op_1", "edn_1", agendas)) == [("prt_1", 1), ("prt_1", 2)]
    since = FeedQuery(thing="participant/prt_1", from_revision=2)
    assert told(await feeds.read_edition("op_1", "edn_1", since)) == [("prt_1", 2), ("prt_1", 2)]
    none = await feeds.read_edition("op_1", "edn_1", FeedQuery(types=frozenset({"org.tertulia.encounter.changed.v1"})))
    assert (none.items, none.number) == ([], len(EVENTS))


async def test_a_cursor_of_a_feed_that_was_made_anew_is_gone(store: MongoFeed, database: MongoDatabase) -> None:
    await feed(feeds_of(store), *EVENTS)
    page = await feeds_of(store).read_edition("op_1", "edn_1", FeedQuery())
    for collection in (ITEMS, HEADS, "operator_feed"):
        await database[collection].delete_many({})
    with pytest.raises(CursorGone):
        await feeds_of(store).read_edition("op_1", "edn_1", FeedQuery(after=page.next))
    await feed(feeds_of(store), *EVENTS)
    with pytest.raises(CursorGone):
        await feeds_of(store).read_edition("op_1", "edn_1", FeedQuery(after=page.next))


async def test_a_cursor_beyond_a_restored_feed_is_gone(store: MongoFeed, database: MongoDatabase) -> None:
    await feed(feeds_of(store), *EVENTS)
    newest = (await feeds_of(store).read_edition("op_1", "edn_1", FeedQuery())).next
    assert (await feeds_of(store).read_edition("op_1", "edn_1", FeedQuery(after=newest))).items == []
    await database[ITEMS].delete_many({"number": {"$gt": 3}})
    await database[HEADS].update_one({"_id": "edition/edn_1"}, {"$set": {"number": 3}})
    with pytest.raises(CursorGone):
        await feeds_of(store).read_edition("op_1", "edn_1", FeedQuery(after=newest))


async def test_a_text_that_is_no_cursor_is_refused(store: MongoFeed) -> None:
    await feed(feeds_of(store), edition())
    for text in ("7", "latest", "abcdefabcdef.x", "abcdefabcdef.1.2.3", "-1"):
        with pytest.raises(BadCursor, match="is no cursor"):
            await feeds_of(store).read_edition("op_1", "edn_1", FeedQuery(after=text))


async def test_no_item_holds_a_name_an_address_or_a_text(store: MongoFeed, database: MongoDatabase) -> None:
    person = participant(1).model_copy(update={"job_title": "Chief Person", "phone": "+34 600", "external_id": "crm-7"})
    await feed(feeds_of(store), edition(), person)
    kept = [str(document) async for document in database[ITEMS].find({})]
    assert kept
    for secret in (person.name, person.email, "Chief Person", "+34 600", "crm-7"):
        assert not [document for document in kept if secret in document]


async def test_an_event_of_another_operator_is_refused(store: MongoFeed) -> None:
    feeds = feeds_of(store)
    await feed(feeds, edition())
    with pytest.raises(ForeignOperator):
        await feed(feeds, participant(1, 9).model_copy(update={"operator_id": "op_2"}))
    assert await whole(feeds) == [("edn_1", 1)]


async def test_an_encounter_is_told_whole(store: MongoFeed) -> None:
    feeds = feeds_of(store)
    entry = agenda(1, encounter(0, 1))
    await feed(feeds, edition(), entry)
    item = (await feeds.read_edition("op_1", "edn_1", FeedQuery())).items[-1].to_json()
    assert item["data"] == entry.to_json()
    assert (item["type"], item["id"], item["subject"]) == (entry.TYPE, entry.event_id, entry.key)


async def test_the_feed_of_an_edition_closed_long_ago_is_forgotten(store: MongoFeed) -> None:
    feeds = feeds_of(store)
    closed = edition(2, phase=Phase.CLOSED)
    recently = edition(phase=Phase.CLOSED).model_copy(
        update={"edition_id": "edn_2", "occurred_at": NOW + timedelta(days=50)}
    )
    await feed(feeds, edition(), closed, recently)
    cursor = (await feeds.read_edition("op_1", "edn_1", FeedQuery())).next
    await feeds.forget_closed()
    with pytest.raises(CursorGone):
        await feeds.read_edition("op_1", "edn_1", FeedQuery(after=cursor))
    assert told(await feeds.read_operator("op_1", FeedQuery())) == [("edn_2", 1)]
    await feed(feeds, edition(3, phase=Phase.CLOSED))
    assert await whole(feeds) == [("edn_1", 3)]


async def _ends(*_: object) -> None:
    raise ConnectionError("the process ends here")
