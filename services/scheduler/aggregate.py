"""The scheduler's decisions as the journal takes them: see `shared.storage.aggregate.Aggregate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from services.scheduler.domain.changes import CHANGE, Change, OperatorRecorded
from services.scheduler.domain.decide import NotAPair, apply_event
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import Solution
from services.scheduler.domain.organiser.edit_plan import RulesBroken, StalePlan
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.publication import publish
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verification import verify_touched
from shared.contract.events import Event
from shared.messaging.inputs import Poison, refuse_foreign
from shared.storage.aggregate import Decision

Answer = TypeVar("Answer")
Decide = Callable[[AgendaState, datetime], Decision[Change, Event]]


class AgendaAggregate:
    """The agenda of one edition. A decision is verified before it is journalled."""

    state_type = AgendaState
    change_type: TypeAdapter[Change] = CHANGE

    def empty(self, edition_id: str) -> AgendaState:
        return AgendaState(edition_id=edition_id)

    def decide(self, state: AgendaState, events: Sequence[Event], now: datetime) -> Decision[Change, Event]:
        """Apply events, repair the agenda, and publish the changes.

        Raises:
            ForeignOperator: an event names another operator than its edition's.
            Poison: an affinity of no pair.
        """
        refuse_foreign(state.operator_id, events, is_edition_known=state.edition is not None)
        decision = DecisionInProgress(state, now)
        for event in events:
            if state.edition is None and event.operator_id != state.operator_id:
                decision.record(OperatorRecorded(operator_id=event.operator_id))
            try:
                apply_event(decision, event)
            except NotAPair as error:
                raise Poison(event, str(error)) from error
        return _finished(decision)

    def evolve(self, state: AgendaState, change: Change) -> None:
        evolve(state, change)


def adopting(solution: Solution) -> Decide:
    """Return the decision to adopt an improved agenda. It raises as `improvement.adopt.adopt` does."""

    def decide(state: AgendaState, now: datetime) -> Decision[Change, Event]:
        decision = DecisionInProgress(state, now)
        adopt(decision, solution)
        return _finished(decision)

    return decide


def announcing(state: AgendaState, now: datetime) -> Decision[Change, Event]:
    """Decide to make the agendas final."""
    decision = DecisionInProgress(state, now)
    announce(decision)
    return _finished(decision)


def publishing(state: AgendaState, now: datetime) -> Decision[Change, Event]:
    """Decide to publish changes that did not fit in the entries before."""
    return _finished(DecisionInProgress(state, now))


class Query(Generic[Answer]):
    """A decision of an actor, with an answer for the caller. A rejection changes nothing, and `answer` raises it."""

    def __init__(self, work: Callable[[DecisionInProgress], Answer], actor: str | None = None) -> None:
        self._work = work
        self._actor = actor
        self._answer: Answer | None = None
        self._rejection: Exception | None = None

    def __call__(self, state: AgendaState, now: datetime) -> Decision[Change, Event]:
        """Decide. The journal calls this again if another process wrote an entry first."""
        decision = DecisionInProgress(state, now)
        decision.actor = self._actor
        try:
            self._answer, self._rejection = self._work(decision), None
        except (EditRejected, StalePlan, RulesBroken) as rejection:
            # These are raised before any change, so that the state need not be loaded again.
            self._rejection = rejection
            return Decision()
        return _finished(decision)

    @property
    def answer(self) -> Answer:
        """The answer of the work. Raises the rejection of the work."""
        if self._rejection is not None:
            raise self._rejection
        assert self._answer is not None  # noqa: S101 - the journal has called this
        return self._answer


def _finished(decision: DecisionInProgress) -> Decision[Change, Event]:
    verify_touched(decision)
    published, events = publish(decision.state, decision.now)
    if published is not None:
        decision.record(published)
    return Decision(changes=decision.changes, outbox=events)
