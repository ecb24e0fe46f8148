"""Substitutes: another representative of an organisation meets if the requested participant has no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.timeline import SlotSet

People = tuple[str, ...]


def substitutes_of(state: AgendaState, participant_id: str) -> list[str]:
    """List the colleagues that may replace a participant; none unless representatives are interchangeable."""
    participant = state.participants.get(participant_id)
    organisation = state.organisations.get(participant.organisation_id) if participant else None
    if participant is None or organisation is None or not organisation.interchangeable:
        return []
    colleagues = state.links.participants_of[participant.organisation_id] - {participant_id}
    return list(filter(state.takes_part, sorted(colleagues)))


def find_substitute(
    state: AgendaState, pair_id: str, allowed: Callable[[People], SlotSet], near: Assignment | None = None
) -> tuple[People, Assignment] | None:
    """Return the people who could meet with a substitute, and their assignment, without moving a meeting.

    `allowed` returns the slots that people may be given. Of several substitutes the least busy
    meets. The state is not changed.
    """
    best: tuple[int, str, People, Assignment] | None = None
    for substitute_id, people in _substitutions(state, pair_id):
        assignment, _ = find_assignment(state.board, state.meeting(pair_id, people), allowed(people), near)
        rank = (len(state.board.assignments_of[substitute_id]), substitute_id)
        if assignment is not None and (best is None or rank < best[:2]):
            best = (*rank, people, assignment)
    return best[2:] if best else None


def _substitutions(state: AgendaState, pair_id: str) -> Iterator[tuple[str, People]]:
    """List the substitutes for either of the two, with the people of the encounter."""
    pair = state.pairs[pair_id]
    for replaced_id in pair.participant_ids:
        (partner_id,) = set(pair.participant_ids) - {replaced_id}
        for substitute_id in substitutes_of(state, replaced_id):
            if substitute_id not in pair.people and not _is_blocked(state, substitute_id, partner_id):
                yield substitute_id, (*sorted((substitute_id, partner_id)), *pair.guest_ids)


def _is_blocked(state: AgendaState, first_id: str, second_id: str) -> bool:
    """Return whether a participant refuses to meet the second. A substitution has no consent of its own."""
    first, second = state.participants[first_id], state.participants[second_id]
    return first.blocks(second_id, second.organisation_id) or second.blocks(first_id, first.organisation_id)
