"""How events change what is known of an edition, one after the other, and what is then said of its pairs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from threading import Lock
from typing import Final

from services.matching.domain.changes import Change
from services.matching.domain.event_effects import EventEffects
from services.matching.domain.rescoring import RescoredRevisions, rescore, texts_of
from services.matching.domain.scoring.configuration import CONFIGURATIONS, AffinityConfiguration
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.state import MatchingState
from services.matching.domain.text.scorer import Role, TextScorer
from shared.contract.events import AffinityScored, EditionChanged, Event, ParticipantChanged

#: Pools in memory; the least recently used is dropped. A pool of 350 participants takes 3 MB, of 10,000 about 100 MB.
_POOLS_KEPT: Final = 64


class UnknownConfiguration(Exception):
    """An edition names a version that no configuration has, or one whose text scorer is not installed."""

    def __init__(self, version: str, missing: str) -> None:
        super().__init__(f"affinities of version {version!r} cannot be computed here: {missing}")
        self.version = version


class Matchmaker:
    """Decides on events. Keeps, beside each state, the arrays made of it. Editions may be decided on in threads."""

    def __init__(
        self,
        scorers: Iterable[TextScorer],
        configurations: Mapping[str, AffinityConfiguration] = CONFIGURATIONS,
    ) -> None:
        self._scorers = {scorer.version: scorer for scorer in scorers}
        self._configurations = configurations
        self._pools: OrderedDict[str, tuple[MatchingState, Pool]] = OrderedDict()
        self._lock = Lock()

    def decide(self, state: MatchingState, events: Sequence[Event]) -> tuple[list[Change], list[AffinityScored]]:
        """What the events change in `state`, with the changes made, and what is to be said.

        Each event is worked through by itself: the same events in the same order say the same, bit for bit, however
        they are grouped into batches. A pair waits until both sides, their organisations and the edition's rules are
        known.

        Raises:
            UnknownConfiguration: before anything is changed.
        """
        for event in events:
            if isinstance(event, EditionChanged):
                self._configured(event.affinity_version)
        self._warm(state, events)
        changes: list[Change] = []
        published: list[AffinityScored] = []
        for event in events:
            effects = EventEffects(state, event, changes, published)
            effects.record()
            pool = self.pool(state)
            if pool is not None:
                effects.update(pool)
        return changes, published

    def texts_of(self, state: MatchingState, pairs: Collection[AffinityScored]) -> tuple[list[str], list[str]]:
        """The needs and the offers of pairs, as they are to be read: so that they can be read ahead."""
        if state.rules is None:
            return [], []
        configuration, _ = self._configured(state.rules.affinity_version)
        return texts_of(state, configuration, pairs)

    def rescore(
        self, state: MatchingState, scorer: TextScorer, pairs: Collection[AffinityScored], rescored: RescoredRevisions
    ) -> tuple[list[Change], list[AffinityScored]]:
        """Score pairs again by a better reader of texts: see `refining.rescore`."""
        if state.rules is None:
            return [], []
        configuration, _ = self._configured(state.rules.affinity_version)
        return rescore(state, Pool(scorer, configuration), pairs, rescored)

    def pool(self, state: MatchingState) -> Pool | None:
        """The pool made of this very state, under its configuration; none as long as the rules are not known."""
        if state.rules is None:
            return None
        configuration, scorer = self._configured(state.rules.affinity_version)
        with self._lock:
            cached = self._pools.pop(state.edition_id, None)
        if cached is None or cached[0] is not state or cached[1].configuration is not configuration:
            cached = (state, Pool(scorer, configuration))
            cached[1].put(state, state.participants)
        with self._lock:
            self._pools[state.edition_id] = cached
            if len(self._pools) > _POOLS_KEPT:
                self._pools.popitem(last=False)
        return cached[1]

    def _configured(self, version: str) -> tuple[AffinityConfiguration, TextScorer]:
        configuration = self._configurations.get(version)
        if configuration is None:
            raise UnknownConfiguration(version, "there is no such configuration")
        scorer = self._scorers.get(configuration.scorer)
        if scorer is None:
            raise UnknownConfiguration(version, f"it needs the text scorer {configuration.scorer!r}")
        return configuration, scorer

    def _warm(self, state: MatchingState, events: Sequence[Event]) -> None:
        """Embed all new texts at once: a scorer that remembers them then has them at hand, one by one."""
        profiles = [event.profile for event in events if isinstance(event, ParticipantChanged)]
        if len(profiles) > 1 and state.rules is not None:
            configuration, scorer = self._configured(state.rules.affinity_version)
            scorer.embed(configuration.read(text for profile in profiles for text in profile.needs), Role.NEED)
            scorer.embed(configuration.read(text for profile in profiles for text in profile.offers), Role.OFFER)
