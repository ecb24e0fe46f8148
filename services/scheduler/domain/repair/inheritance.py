"""Places that pairs inherit: a duplicate participant was merged, and the encounter goes on with the kept participant.

The kept participant's pair counts as displaced from the place of the duplicate's pair, so that it comes home to that
place as every displaced encounter does (ADR 0050). The partner keeps hour and table, if the kept participant is free.
"""

from __future__ import annotations

from services.scheduler.domain.changes import Displaced, Settled
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.repair import settling
from services.scheduler.domain.snapshots import SettledPlace
from services.scheduler.domain.state import AgendaState


def inherit_place(decision: DecisionInProgress, pair_id: str) -> bool:
    """Record the place that a pair without a settled place inherits; return whether it inherits any.

    A pair with a settled place inherits nothing, and neither does a pair whose encounter was held or missed. A place
    that the pair was given moments ago, before the merge was known, does not count.
    """
    state = decision.state
    is_fresh = settling.is_fresh(state, pair_id)
    is_settled = (pair_id in state.placements or pair_id in state.unsettled) and not is_fresh
    if is_settled or not state.is_wanted(pair_id):
        return False
    settled = _inherited(state, pair_id)
    if settled is None:
        return False
    if is_fresh:
        decision.record(Settled(pair_id=pair_id))
    decision.record(Displaced(pair_id=pair_id, settled=settled))
    return True


def _inherited(state: AgendaState, pair_id: str) -> SettledPlace | None:
    """Return the settled place of the latest pair of a duplicate of either participant with the same partner."""
    first_id, second_id = state.pairs[pair_id].matched
    found = [
        settled
        for kept_id, partner_id in ((first_id, second_id), (second_id, first_id))
        for other_pair in sorted(state.links.pairs_of[partner_id])
        if _is_of_duplicate(state, other_pair, kept_id, partner_id)
        and (settled := state.unsettled.get(other_pair)) is not None
        and settled.place is not None
    ]
    if not found:
        return None
    latest = max(found, key=lambda settled: settled.since)
    return latest.model_copy(update={"people": state.pairs[pair_id].people, "step": state.version})


def _is_of_duplicate(state: AgendaState, pair_id: str, kept_id: str, partner_id: str) -> bool:
    """Return whether a pair is of the partner and a duplicate of the kept participant."""
    duplicates = (
        state.participants.get(person_id) for person_id in state.pairs[pair_id].matched if person_id != partner_id
    )
    return any(duplicate is not None and duplicate.merged_into == kept_id for duplicate in duplicates)
