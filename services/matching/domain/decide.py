"""Decides on events, in order: the changes of an edition, and the affinities to publish."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from services.matching.domain.changes import Change
from services.matching.domain.event_effects import EventEffects
from services.matching.domain.publication import PairsPublication
from services.matching.domain.rescoring.rescoring import RescoredRevisions, rescore, texts_of
from services.matching.domain.scoring.configuration import CONFIGURATIONS, NEWEST, AffinityConfiguration
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.state import MatchingState
from services.matching.domain.text.scorer import Role, TextScorer
from services.matching.vocabulary import answer_rule
from shared.contract.events import AffinityScored, Event, ParticipantChanged

#: Pools in memory; the least recently used is dropped. A pool of 350 participants takes 3 MB, of 10,000 about 100 MB.
_POOLS_KEPT: Final = 64
#: Participants whose texts are embedded in a decision, some milliseconds each; and changes at which it ends.
_PARTICIPANTS_AT_ONCE, _CHANGES_AT_ONCE = 12, 250


@dataclass(frozen=True)
class DecisionSlice:
    """A part of a decision: see `shared.storage.aggregate.Decision`."""

    changes: list[Change] = field(default_factory=list)
    published: list[AffinityScored] = field(default_factory=list)
    taken: int = 0
    is_unfinished: bool = False


class Matchmaker:
    """Decides on events. Caches the arrays (`Pool`) of states. Threads may decide on different editions at once.

    A version is installed if its configuration is, with the text scorer and the answer rule that it names. An edition
    that names another version is scored by the newest version that is installed, so that a wrong version never stops
    matching, not even that of its edition.
    """

    def __init__(
        self,
        scorers: Iterable[TextScorer],
        configurations: Mapping[str, AffinityConfiguration] = CONFIGURATIONS,
    ) -> None:
        by_version = {scorer.version: scorer for scorer in scorers}
        self._installed = {
            version: (configuration, by_version[configuration.scorer])
            for version, configuration in configurations.items()
            if configuration.scorer in by_version and (not configuration.answers or answer_rule(configuration.answers))
        }
        self._pools: OrderedDict[str, tuple[MatchingState, Pool]] = OrderedDict()
        self._lock = Lock()

    @property
    def versions(self) -> list[str]:
        """The installed versions, sorted."""
        return sorted(self._installed)

    def missing_version(self, state: MatchingState) -> str | None:
        """Return the version that an edition names, if it is not installed; else None."""
        version = state.rules.affinity_version if state.rules else None
        return None if version is None or version in self._installed else version

    def decide(self, state: MatchingState, events: Sequence[Event]) -> tuple[list[Change], list[AffinityScored]]:
        """Apply the events to `state`; return the changes made and the affinities to publish.

        Events are processed singly: the same events in the same order give the same result, bit for bit, in batches
        of any size. A pair is scored once both participants, their organisations and the edition's rules are known.
        """
        changes: list[Change] = []
        published: list[AffinityScored] = []
        while events or state.left:
            done = self.decide_slice(state, events)
            changes += done.changes
            published += done.published
            events = events[done.taken :]
        return changes, published

    def decide_slice(self, state: MatchingState, events: Sequence[Event]) -> DecisionSlice:
        """Continue the work left, or take as many events as a short decision allows."""
        decision, taken = DecisionSlice(), 0
        if state.left is not None and (pool := self.pool(state)) is not None:
            PairsPublication(state, pool, decision.changes, decision.published).publish_next()
        else:
            some = _slice_of(events)
            self._warm(state, some)
            while taken < len(some) and state.left is None and len(decision.changes) < _CHANGES_AT_ONCE:
                self._take(state, some[taken], decision)
                taken += 1
        return replace(decision, taken=taken, is_unfinished=state.left is not None)

    def _take(self, state: MatchingState, event: Event, decision: DecisionSlice) -> None:
        effects = EventEffects(state, event, decision.changes, decision.published)
        effects.record()
        pool = self.pool(state)
        if pool is not None:
            effects.update(pool)

    def texts_of(self, state: MatchingState, pairs: Collection[AffinityScored]) -> tuple[list[str], list[str]]:
        """Return the needs and the offers of pairs as a text scorer reads them, so that they can be embedded ahead."""
        if state.rules is None:
            return [], []
        configuration, _ = self._configured(state.rules.affinity_version)
        return texts_of(state, configuration, pairs)

    def rescore(
        self, state: MatchingState, scorer: TextScorer, pairs: Collection[AffinityScored], rescored: RescoredRevisions
    ) -> tuple[list[Change], list[AffinityScored]]:
        """Score pairs again with a better text scorer: see `rescoring.rescore`."""
        if state.rules is None:
            return [], []
        configuration, _ = self._configured(state.rules.affinity_version)
        return rescore(state, Pool(scorer, configuration), pairs, rescored)

    def pool(self, state: MatchingState) -> Pool | None:
        """Return the pool of this state object under its configuration; None while the rules are unknown."""
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
        """Return a version, or the newest that is installed, with its text scorer."""
        installed = self._installed
        return installed.get(version) or installed.get(NEWEST.version) or installed[max(installed)]

    def _warm(self, state: MatchingState, events: Sequence[Event]) -> None:
        """Embed all new texts at once: a scorer with a cache then has them ready."""
        profiles = [event.profile for event in events if isinstance(event, ParticipantChanged)]
        if len(profiles) > 1 and state.rules is not None:
            configuration, scorer = self._configured(state.rules.affinity_version)
            scorer.embed(configuration.read(text for profile in profiles for text in profile.needs), Role.NEED)
            scorer.embed(configuration.read(text for profile in profiles for text in profile.offers), Role.OFFER)


def _slice_of(events: Sequence[Event]) -> Sequence[Event]:
    """Return the first events, with `_PARTICIPANTS_AT_ONCE` participants at most."""
    numbers = [number for number, event in enumerate(events) if isinstance(event, ParticipantChanged)]
    return events[: numbers[_PARTICIPANTS_AT_ONCE]] if len(numbers) > _PARTICIPANTS_AT_ONCE else events
