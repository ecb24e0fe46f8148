"""The domain of matching as the journal runs it: see `shared.storage.journal.Aggregate`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter

from services.matching.domain.changes import Change
from services.matching.domain.decide import Matchmaker
from services.matching.domain.evolve import evolve
from services.matching.domain.state import MatchingState
from shared.contract.events import Event
from shared.messaging.inputs import refuse_foreign
from shared.runtime.log import get_logger
from shared.runtime.metrics import MISSING_VERSIONS
from shared.storage.aggregate import Decision

_log = get_logger(__name__)


class MatchingAggregate:
    """Decides on events with a `Matchmaker` and applies the changes."""

    state_type = MatchingState
    change_type: TypeAdapter[Change] = TypeAdapter(Change)

    def __init__(self, matchmaker: Matchmaker) -> None:
        self._matchmaker = matchmaker

    def empty(self, edition_id: str) -> MatchingState:
        """Return the state of an edition without events."""
        return MatchingState(edition_id=edition_id)

    def decide(self, state: MatchingState, events: Sequence[Event], now: datetime) -> Decision[Change, Event]:  # noqa: ARG002 -- a published event has the time of its inputs
        """Decide on the events. An affinity version that is not installed is counted and logged.

        Raises:
            ForeignOperator: an event names another operator than its edition's.
        """
        refuse_foreign(state.operator_id, events, is_edition_known=state.rules is not None)
        decision = self._matchmaker.decide_slice(state, events)
        if missing := self._matchmaker.missing_version(state):
            MISSING_VERSIONS.inc()
            _log.warning("affinity_version_missing", edition=state.edition_id, version=missing)
        return Decision(decision.changes, list(decision.published), decision.taken, decision.is_unfinished)

    def evolve(self, state: MatchingState, change: Change) -> None:
        """Apply a change to the state."""
        evolve(state, change)
