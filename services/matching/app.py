"""Matching, wired by hand."""

from __future__ import annotations

from starlette.applications import Starlette

from services.matching.domain.matchmaking import Matchmaker
from services.matching.domain.ngrams import NgramScorer
from services.matching.handlers import listen
from services.matching.service import Matching, MatchingAggregate
from services.matching.settings import Settings
from shared.app import Runtime, make_app
from shared.background import Background
from shared.broker import KafkaPublisher, make_broker
from shared.consumer import Consumer
from shared.health import Health
from shared.journal import Journal, KafkaOutlet
from shared.journal_store import MongoJournalStore
from shared.mongo import Mongo


def make(settings: Settings) -> Starlette:
    """The whole service, not yet started."""
    broker, mongo = make_broker(settings), Mongo(settings)
    health = Health(settings.stall_seconds)
    background, consumer = Background(health), Consumer(broker, settings, health)
    store = MongoJournalStore(mongo.database(settings.database))
    journal = Journal(
        MatchingAggregate(Matchmaker([NgramScorer()])),
        store,
        KafkaOutlet(KafkaPublisher(broker)),
        snapshot_every=settings.snapshot_every,
        editions_in_memory=settings.editions_in_memory,
        off_loop=True,
    )
    listen(consumer, Matching(journal))
    background.every(settings.sweep_seconds, journal.sweep, "sweep")
    return make_app(Runtime(settings, broker, mongo, health, background, consumer, prepare=[store.prepare]))
