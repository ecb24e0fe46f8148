"""Matching, wired by hand."""

from __future__ import annotations

from functools import partial

from starlette.applications import Starlette

from services.matching.api import routes_of
from services.matching.configurations import configurations_in
from services.matching.domain.decide import Matchmaker
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.encoders import default_scorer, quality_scorer, the_use
from services.matching.handlers import listen
from services.matching.observatory.leiden import communities
from services.matching.observatory.view_cache import ViewCache
from services.matching.pairs import pair_routes
from services.matching.profile_help import ProfileHelp
from services.matching.service import Matching, MatchingAggregate, SecondLook, warm_up
from services.matching.settings import Settings
from services.matching.vocabulary import labels, vocabulary
from shared.app import Runtime, make_app
from shared.internal_api.server import internal_routes
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.messaging.consumer import Consumer
from shared.runtime.background import Background
from shared.runtime.health import Health
from shared.storage.journal import Journal, KafkaOutlet
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo


def make(settings: Settings) -> Starlette:
    """The whole service, not yet started."""
    broker, mongo = make_broker(settings), Mongo(settings)
    health = Health(settings.stall_seconds)
    background, consumer = Background(health), Consumer(broker, settings, health)
    store = MongoJournalStore(mongo.database(settings.database))
    matchmaker = Matchmaker([NgramScorer(), default_scorer()], configurations_in(settings.configurations))
    journal = Journal(
        MatchingAggregate(matchmaker),
        store,
        KafkaOutlet(KafkaPublisher(broker)),
        mongo.now,
        snapshot_every=settings.snapshot_every,
        editions_in_memory=settings.editions_in_memory,
        off_loop=True,
    )
    load = partial(warm_up, default_scorer())
    matching = Matching(journal)
    listen(consumer, matching)
    consumer.on_assignment(journal.evict_unowned)
    background.every(settings.sweep_seconds, journal.sweep, "sweep")
    if settings.quality_tier:
        second_look = SecondLook(matching, journal, matchmaker, quality_scorer())
        background.every(settings.refine_seconds, second_look.refine, "refine")
    runtime = Runtime(settings, broker, mongo, health, background, consumer, prepare=[store.prepare], warm_up=[load])
    helper, lookout = ProfileHelp(the_use, vocabulary), ViewCache(journal.fresh, default_scorer, communities, labels)
    asked = [*routes_of(helper, lookout), *pair_routes(journal, matchmaker)]
    return make_app(runtime, internal_routes(settings, asked))
