"""The scheduler's domain as the journal wants it: see `shared.storage.journal.Aggregate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from services.scheduler.domain.changes import CHANGE, Change
from services.scheduler.domain.decide import NotAPair, apply_event
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import Solution
from services.scheduler.domain.organiser.edits import RulesBroken, StalePlan
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.publication import publish
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verification import verify_touched
from shared.contract.events import Event
from shared.messaging.inputs import Poison
from shared.storage.aggregate import Decision

Answer = TypeVar("Answer")
Decide = Callable[[AgendaState, datetime], Decision[Change, Event]]


class AgendaAggregate:
    """One edition's agenda. Whatever a decision touches is verified before it is journalled."""

    state_type = AgendaState
    change_type: TypeAdapter[Change] = CHANGE

    def empty(self, edition_id: str) -> AgendaState:
        return AgendaState(edition_id=edition_id)

    def decide(self, state: AgendaState, events: Sequence[Event], now: datetime) -> Decision[Change, Event]:
        """Insert, repair, and tell what came of it. Raises `Poison` for an affinity of what is not a pair."""
        decision = DecisionInProgress(state, now)
        for event in events:
            try:
                apply_event(decision, event)
            except NotAPair as error:
                raise Poison(event, str(error)) from error
        return _told(decision)

    def evolve(self, state: AgendaState, change: Change) -> None:
        evolve(state, change)


def adopting(solution: Solution) -> Decide:
    """The decision to take over an improved agenda. It raises as `domain.adopt.adopt` does."""

    def decide(state: AgendaState, now: datetime) -> Decision[Change, Event]:
        decision = DecisionInProgress(state, now)
        adopt(decision, solution)
        return _told(decision)

    return decide


def announcing(state: AgendaState, now: datetime) -> Decision[Change, Event]:
    """The decision to make the agendas final."""
    decision = DecisionInProgress(state, now)
    announce(decision)
    return _told(decision)


def publishing(state: AgendaState, now: datetime) -> Decision[Change, Event]:
    """The decision to publish more of what did not fit in the entries before."""
    return _told(DecisionInProgress(state, now))


class Query(Generic[Answer]):
    """A decision that answers who asks for it. What cannot be had changes nothing, and is raised by `answer`."""

    def __init__(self, work: Callable[[DecisionInProgress], Answer]) -> None:
        self._work = work
        self._answer: Answer | None = None
        self._refusal: Exception | None = None

    def __call__(self, state: AgendaState, now: datetime) -> Decision[Change, Event]:
        """Decide; called again if another process was faster."""
        decision = DecisionInProgress(state, now)
        try:
            self._answer, self._refusal = self._work(decision), None
        except (EditRejected, StalePlan, RulesBroken) as refusal:
            # Raised before anything is changed, so that the state need not be loaded again.
            self._refusal = refusal
            return Decision()
        return _told(decision)

    @property
    def answer(self) -> Answer:
        """What came of it. Raises as the work did."""
        if self._refusal is not None:
            raise self._refusal
        assert self._answer is not None  # noqa: S101 - it has been decided
        return self._answer


def _told(decision: DecisionInProgress) -> Decision[Change, Event]:
    verify_touched(decision)
    told, events = publish(decision.state, decision.now)
    if told is not None:
        decision.record(told)
    return Decision(changes=decision.changes, outbox=events)
