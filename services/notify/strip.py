"""Notify's part in `tertulia journal strip`: journal, ledger and feeds."""

from __future__ import annotations

from services.notify.aggregate import AudienceAggregate
from services.notify.domain.changes import Change, ContactRecorded, OrganisationRecorded
from services.notify.domain.state import Audience
from services.notify.feed.store import FEEDS, MongoFeeds
from services.notify.old_hashes import renumbered, renumbered_feed
from services.notify.store import COLLECTION, MongoLedger, delivery_of
from services.notify.texts import AudienceTexts
from shared.runtime.clock import utc_now
from shared.storage.edition_cache import EditionCache
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import MongoDatabase
from shared.storage.people import MongoPeople, People
from shared.storage.strip import Stripper

_AGGREGATE, _TEXTS = AudienceAggregate(), AudienceTexts()


async def strip(database: MongoDatabase, edition_id: str, *, dry_run: bool = False) -> dict[str, int]:
    """Rewrite journal, ledger and feeds of an edition, and return the numbers of rewritten documents by collection."""
    stripper = Stripper[Audience, Change](database, _AGGREGATE, _TEXTS, _numbered)
    plan = await stripper.plan(edition_id)
    if not dry_run:
        await stripper.write(plan)
    people = None if dry_run else People[Audience, Change](MongoPeople(database), _TEXTS)  # a load writes texts
    cache = EditionCache(_AGGREGATE, MongoJournalStore(database), 1, people)
    audience = (await cache.fetch(edition_id)).state
    deliveries = await _renumber_ledger(database, audience, dry_run=dry_run)
    return plan.counts() | {COLLECTION: deliveries, FEEDS: await _renumber_feeds(database, audience, dry_run=dry_run)}


def _numbered(state: Audience, change: Change) -> Change:
    match change:
        case ContactRecorded(participant_id=participant_id):
            return change.model_copy(update={"contact": state.contacts[participant_id]})
        case OrganisationRecorded(organisation_id=organisation_id):
            return change.model_copy(update={"organisation": state.organisations[organisation_id]})
        case _:
            return change


async def _renumber_ledger(database: MongoDatabase, audience: Audience, *, dry_run: bool) -> int:
    ledger, count = MongoLedger(database, utc_now), 0
    documents = [document async for document in database[COLLECTION].find({"edition_id": audience.edition_id})]
    for delivery in map(delivery_of, documents):
        new = renumbered(delivery, audience)
        if new != delivery:
            count += 1
            if not dry_run:
                await ledger.save(new)
    return count


async def _renumber_feeds(database: MongoDatabase, audience: Audience, *, dry_run: bool) -> int:
    feeds, count, edition_id = MongoFeeds(database), 0, audience.edition_id
    documents = [document async for document in database[FEEDS].find({"edition_id": edition_id}, {"_id": 1})]
    for document in documents:
        participant_id = document["_id"].removeprefix(f"{edition_id}/")
        feed = await feeds.find(edition_id, participant_id)
        new = renumbered_feed(feed, audience, participant_id)
        if new != feed:
            count += 1
            if not dry_run:
                await feeds.save(edition_id, participant_id, new)
    return count
