"""Wiring of matching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette

from services.matching.aggregate import MatchingAggregate
from services.matching.api import observatory_routes, pair_routes, preview_routes, profile_help_routes, version_routes
from services.matching.configurations import configurations_in
from services.matching.domain.changes import Change
from services.matching.domain.decide import Matchmaker
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import TextScorer
from services.matching.encoders import default_scorer, quality_scorer, use_encoder
from services.matching.handlers import listen
from services.matching.observatory.leiden import communities
from services.matching.observatory.picture import Communities, Labels
from services.matching.observatory.view_cache import ViewCache
from services.matching.ports import ProfileHelper
from services.matching.profile_help import ProfileHelp
from services.matching.service import Matching, Rescorer, warm_up
from services.matching.settings import Settings
from services.matching.texts import ProfileTexts
from services.matching.vocabulary import labels, vocabulary
from shared.app import Infrastructure, Runtime, make_app
from shared.contract.events import Event
from shared.internal_api.server import internal_routes
from shared.messaging.broker import KafkaPublisher
from shared.storage.journal import Journal, KafkaOutlet
from shared.storage.journal_store import MongoJournalStore
from shared.storage.people import MongoPeople, People


@dataclass(frozen=True)
class Models:
    """Language models and algorithms that load slowly. The simulation passes small models."""

    #: Every scorer that an affinity configuration may name.
    scorers: Sequence[TextScorer]
    #: The scorer of the default tier: loaded at start, and used by the observatory.
    default: TextScorer
    #: The scorer of rescoring, or None in an installation without the quality tier.
    quality: TextScorer | None
    helper: ProfileHelper
    communities: Communities
    labels: Callable[[], Labels]

    @classmethod
    def of(cls, settings: Settings) -> Models:
        """Return the models of an installation. Their weights are read when they are first used."""
        default = default_scorer()
        return cls(
            scorers=[NgramScorer(), default],
            default=default,
            quality=quality_scorer() if settings.quality_tier else None,
            helper=ProfileHelp(use_encoder, vocabulary),
            communities=communities,
            labels=labels,
        )


@dataclass(frozen=True)
class WiredMatching:
    """The parts that `assemble` has wired. Production runs `runtime`; component tests call the use cases as well."""

    runtime: Runtime
    journal: Journal[MatchingState, Change, Event]
    matching: Matching
    #: None in an installation without the quality tier.
    rescorer: Rescorer | None


def make(settings: Settings) -> Starlette:
    """Make the service with the drivers and models of production; it starts with its lifespan."""
    return make_app(assemble(settings, Infrastructure.connect_to(settings), Models.of(settings)).runtime)


def assemble(settings: Settings, infrastructure: Infrastructure, models: Models) -> WiredMatching:
    """Wire the service."""
    runtime = Runtime(settings, infrastructure)
    background, consumer = runtime.background, runtime.add_consumer()
    database = infrastructure.mongo.database(settings.database)
    store, texts = MongoJournalStore(database), MongoPeople(database)
    matchmaker = Matchmaker(models.scorers, configurations_in(settings.configurations))
    journal = Journal(
        MatchingAggregate(matchmaker),
        store,
        KafkaOutlet(KafkaPublisher(infrastructure.broker)),
        infrastructure.mongo.now,
        people=People(texts, ProfileTexts()),
        snapshot_every=settings.snapshot_every,
        editions_in_memory=settings.editions_in_memory,
        off_loop=True,
    )
    matching = Matching(journal)
    listen(consumer, matching)
    consumer.on_assignment(journal.evict_unowned)
    background.every(settings.sweep_seconds, journal.sweep, "sweep")
    background.every(settings.sweep_seconds, journal.measure, "unsent")
    rescorer = None
    if models.quality is not None:
        rescorer = Rescorer(matching, journal, matchmaker, models.quality)
        background.every(settings.refine_seconds, rescorer.rescore, "refine")
    runtime.prepare += [store.prepare, texts.prepare]
    runtime.warm_up.append(partial(warm_up, models.default))
    view_cache = ViewCache(
        journal.fresh, lambda: models.default, models.communities, models.labels, infrastructure.monotonic
    )
    routes = [
        *profile_help_routes(models.helper),
        *observatory_routes(view_cache),
        *pair_routes(journal, matchmaker),
        *preview_routes(journal, matchmaker),
        *version_routes(matchmaker),
    ]
    runtime.routes += internal_routes(settings, routes)
    return WiredMatching(runtime, journal, matching, rescorer)
