"""Take over an improved agenda, if it is still right and no worse; and announce agendas once published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.scheduler.domain.batch import Batch
from services.scheduler.domain.board import Seat
from services.scheduler.domain.changes import (
    Announced,
    AttendanceNoted,
    Change,
    Improved,
    Ordered,
    PairTaken,
    ParticipantTaken,
    Placed,
    TakenOver,
)
from services.scheduler.domain.evidence import Evidence, Inputs
from services.scheduler.domain.insert import find_seat
from services.scheduler.domain.levels import results, worth
from services.scheduler.domain.problem import Solution
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verifier import AgendaBroken, Violation, judge, judge_kept, verify
from shared.events import Cause, CauseCode, Certificate, Place


class SolutionStale(Exception):
    """Inputs came in while the agenda was improved, and it does not fit them: it is improved again."""


def inputs_of(state: AgendaState) -> Inputs:
    """What the state's agenda is judged by."""
    return Inputs(state.edition, state.organisations, state.participants, state.pairs, state.comes_after)


def violations_of(state: AgendaState, places: Mapping[str, Place], now: datetime) -> list[Violation]:
    """What is wrong with an agenda of the state, as a whole; what has begun is history."""
    return verify(inputs_of(state), places, {pair for pair in places if state.has_begun(pair, now)})


def evidence_of(state: AgendaState) -> Evidence:
    """The state's agenda, with look-ups that are kept up to date: what changed is judged without a look at the rest.

    They are not those of the board, so that the verifier does not believe what it checks.
    """
    links, placed, comes_after = state.links, state.placements, state.comes_after
    return Evidence(
        inputs_of(state),
        placed,
        of_person=lambda person: [pair for pair in links.pairs_of[person] if pair in placed],
        at_table=lambda zone, table: links.pairs_at[zone, table],
        before=lambda pair: [each for each in comes_after.get(pair, ()) if each in placed],
        after=lambda pair: [each for each in links.followers.get(pair, ()) if each in placed],
    )


def verify_touched(batch: Batch) -> None:
    """Raise `AgendaBroken` if an encounter that the batch placed, or that its news is about, breaks a rule."""
    verify_step(batch)
    state = batch.state
    touched = {pair for change in batch.changes for pair in _about(state, change) if pair in state.placements}
    if state.settled or not touched:
        return
    begun = {pair for pair in touched if state.has_begun(pair, batch.now)}
    violations = judge(evidence_of(state), sorted(touched), begun)
    if violations:
        raise AgendaBroken(violations)


def _about(state: AgendaState, change: Change) -> Iterable[str]:
    """The pairs a change is about."""
    if isinstance(change, Placed | PairTaken | TakenOver | Ordered | AttendanceNoted):
        return (change.pair_id,)
    return state.links.pairs_of[change.participant_id] if isinstance(change, ParticipantTaken) else ()


def verify_step(batch: Batch) -> None:
    """Raise `AgendaBroken` if the step just taken moved what was to stay, or put somebody wrongly where it is now.

    Asked after each event, for the next one may change what is to be kept; and what has begun is history from then on.
    """
    state, now = batch.state, batch.now
    kept = {
        pair: place
        for pair, place in batch.before.items()
        if place is not None and pair not in batch.by_hand and state.must_stay(pair, place, now)
    }
    at_once = [pair for pair in batch.before if state.has_begun(pair, now)]
    if kept or at_once:
        evidence = evidence_of(state)
        violations = judge(evidence, at_once) + judge_kept(evidence, kept)
        if violations:
            raise AgendaBroken(violations)
    batch.before.clear()


def adopt(batch: Batch, solution: Solution) -> bool:
    """Replace the agenda by the solution; returns whether anything moved.

    A solution that is worse by the edition's levels is not taken, nor, once agendas are announced, one that is no
    better; it counts as the improvement of its version all the same.

    Raises:
        SolutionStale: it does not fit what has come in since it was asked for.
        AgendaBroken: it fits the inputs it was asked for, and breaks a rule.
    """
    state = batch.state
    if state.settled or state.announced != solution.announced:
        raise SolutionStale("the edition's phase has changed")
    if any(seat.slots > state.timeline.whole for seat in solution.seats.values()):
        raise SolutionStale("the edition has fewer slots now")
    seats = _merged(batch, solution)
    places = {pair: _place(state, pair, seat) for pair, seat in seats.items()}
    is_better = _is_better(state, seats)
    if is_better:
        _check(batch, places, is_stale=solution.version != state.version)
    moved = is_better and _replace(batch, seats)
    most = max(solution.bound, len(state.placements))
    fewest_breaks = solution.fewest_breaks if solution.version == state.version else 0
    certificate = Certificate(
        placed=len(state.placements), bound=most, levels=results(state, most, fewest_breaks), seconds=solution.seconds
    )
    batch.make(Improved(version=solution.version, certificate=certificate))
    return moved


def _is_better(state: AgendaState, seats: Mapping[str, Seat]) -> bool:
    has = worth(state, {pair: seat for pair, (_, seat) in state.board.placed.items()}).ranks
    offered = worth(state, seats).ranks
    return offered < has if state.announced else offered <= has


def announce(batch: Batch) -> None:
    """Make the agendas final: whoever has one is told, now or in the entries that follow."""
    if batch.state.unannounced:
        cause = Cause(code=CauseCode.EDITION_PUBLISHED, subject_id=batch.state.edition_id)
        batch.make(Announced(cause=cause))


def _merged(batch: Batch, solution: Solution) -> Mapping[str, Seat]:
    """The solution's seats for those who still want them; what was placed since keeps its own."""
    state, board = batch.state, batch.state.board
    seats = {
        pair: seat
        for pair, seat in solution.seats.items()
        if not state.stays(pair, batch.now) and state.is_wanted(pair)
    }
    for pair, (_, seat) in board.placed.items():
        if state.stays(pair, batch.now):
            if solution.seats.get(pair, seat) != seat:
                raise SolutionStale("an encounter that it moves is frozen by now")
            seats[pair] = seat
        elif solution.version != state.version and pair not in seats:
            seats[pair] = seat
    return seats


def _place(state: AgendaState, pair_id: str, seat: Seat) -> Place:
    placed = state.board.placed.get(pair_id)
    return state.placements[pair_id] if placed is not None and placed[1] == seat else state.place(seat)


def _check(batch: Batch, places: Mapping[str, Place], *, is_stale: bool) -> None:
    violations = violations_of(batch.state, places, batch.now)
    if violations:
        raise SolutionStale(str(violations[:5])) if is_stale else AgendaBroken(violations)


def _replace(batch: Batch, seats: Mapping[str, Seat]) -> bool:
    state = batch.state
    cause = Cause(code=CauseCode.IMPROVED, subject_id=state.edition_id)
    before = len(batch.changes)
    for pair in sorted(set(state.placements) - set(seats)):
        batch.lift(pair, cause)
    batch.seat_all(dict(seats), cause)
    allowed = state.open_slots(batch.now)
    for pair in sorted(state.pairs):
        if pair not in state.placements and state.is_wanted(pair) and state.is_known(pair):
            batch.wait(pair, find_seat(state.board, state.wanted(pair), allowed)[1], cause)
    return len(batch.changes) > before
