"""Fill rates of an edition: encounters with a place among those wanted, by participant and by goal."""

from __future__ import annotations

from collections import Counter

from services.scheduler.domain.objective.priority import FillRate
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Goal


def fill_rate(state: AgendaState, participant_id: str) -> FillRate:
    """Return the fill rate of a participant."""
    pair_ids = state.links.pairs_of[participant_id]
    placed = sum(pair_id in state.placements for pair_id in pair_ids)
    return FillRate(placed, placed + sum(pair_id in state.waiting for pair_id in pair_ids))


def below_minimum(state: AgendaState) -> dict[str, FillRate]:
    """Return the participants with a shortfall of the edition's minimum, sorted by id."""
    if not state.min_encounters:
        return {}
    waiting = sorted({participant_id for pair_id in state.waiting for participant_id in state.pairs[pair_id].people})
    rates = ((participant_id, fill_rate(state, participant_id)) for participant_id in waiting)
    return {participant_id: rate for participant_id, rate in rates if rate.shortfall(state.min_encounters)}


def fill_rates_by_goal(state: AgendaState) -> dict[Goal, FillRate]:
    """Return the fill rate of every goal of the edition, over the meetings that serve it."""
    placed = Counter(goal for pair_id in state.placements for goal in state.goals_served(pair_id))
    waiting = Counter(goal for pair_id in state.waiting for goal in state.goals_served(pair_id))
    return {goal: FillRate(placed[goal], placed[goal] + waiting[goal]) for goal in state.goals}
