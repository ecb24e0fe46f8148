"""Stand-ins: another representative of an organisation meets, where the one who was asked for has no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.timeline import SlotSet

People = tuple[str, ...]


def find_substitute(
    state: AgendaState, pair_id: str, allowed: Callable[[People], SlotSet], near: Assignment | None = None
) -> tuple[People, Assignment] | None:
    """Who could meet instead, and at which seat, with nobody moved: of several the one with the fewest encounters.

    `allowed` are the slots that these people may be given. The state is left as it is.
    """
    best: tuple[int, str, People, Assignment] | None = None
    for by, people in _instead(state, pair_id):
        seat, _ = find_assignment(state.board, state.meeting(pair_id, people), allowed(people), near)
        offer = (len(state.board.assignments_of[by]), by)
        if seat is not None and (best is None or offer < best[:2]):
            best = (*offer, people, seat)
    return best[2:] if best else None


def _instead(state: AgendaState, pair_id: str) -> Iterator[tuple[str, People]]:
    """Each stand-in for one of the two, and who would meet then."""
    pair = state.pairs[pair_id]
    for who in pair.participant_ids:
        (partner,) = set(pair.participant_ids) - {who}
        for by in state.substitutes_of(who):
            if by not in pair.people and not _is_blocked(state, by, partner):
                yield by, (*sorted((by, partner)), *pair.guest_ids)


def _is_blocked(state: AgendaState, one: str, other: str) -> bool:
    """Whether one of the two does not want to meet the other: nobody has asked them of this one."""
    parties = state.participants[one], state.participants[other]
    return parties[0].blocks(other, parties[1].organisation_id) or parties[1].blocks(one, parties[0].organisation_id)
