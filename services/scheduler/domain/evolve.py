"""The only function that changes an edition's state, so that replaying a journal gives the state that wrote it."""

from __future__ import annotations

from functools import singledispatch

from services.scheduler.domain.changes import (
    AgendaTouched,
    Announced,
    Change,
    EditionTaken,
    Improved,
    Lifted,
    OrganisationTaken,
    PairTaken,
    ParticipantTaken,
    Placed,
    Told,
    Waits,
)
from services.scheduler.domain.state import AgendaState
from shared.events import Cause, Phase

#: Causes kept for one agenda between two tellings: the reader wants the gist, the encounters have their own.
_MOST_CAUSES = 5


def evolve(state: AgendaState, change: Change) -> None:
    """Apply one change to the state and its indexes."""
    _apply(change, state)


@singledispatch
def _apply(change: object, state: AgendaState) -> None:  # noqa: ARG001 - the signature of its cases
    raise TypeError(f"not a change: {change!r}")


@_apply.register
def _(change: EditionTaken, state: AgendaState) -> None:
    state.operator_id = change.edition.operator_id
    state.edition = change.edition
    state.version += 1
    if change.edition.phase is Phase.OPEN:
        state.announced = False
    state.forget_indexes("timeline", "board", "sessions_by_id", "zones_by_kinds")
    for pair_id, place in state.placements.items():
        index = state.timeline.index_of(place)
        if index not in {None, place.slot}:
            state.placements[pair_id] = place.model_copy(update={"slot": index})


@_apply.register
def _(change: OrganisationTaken, state: AgendaState) -> None:
    before = state.organisations.get(change.organisation_id)
    state.organisations[change.organisation_id] = change.organisation
    kind_is_new = before is None or before.kind is not change.organisation.kind
    if kind_is_new and state.links.people_of[change.organisation_id]:
        state.forget_indexes("board")  # it holds the zones of encounters, which follow from the kinds
    state.version += before is None or (before.kind, before.status) != (
        change.organisation.kind,
        change.organisation.status,
    )


@_apply.register
def _(change: ParticipantTaken, state: AgendaState) -> None:
    before = state.participants.get(change.participant_id)
    state.participants[change.participant_id] = change.participant
    if before is None or before.organisation_id != change.participant.organisation_id:
        if before is not None:
            state.links.people_of[before.organisation_id].discard(change.participant_id)
            state.forget_indexes("board")
        state.links.people_of[change.participant.organisation_id].add(change.participant_id)
    if "board" in state.__dict__:
        state.board.hours[change.participant_id] = state.hours(change.participant)
    state.version += before is None or before.model_copy(update={"revision": 0}) != change.participant.model_copy(
        update={"revision": 0}
    )


@_apply.register
def _(change: PairTaken, state: AgendaState) -> None:
    state.operator_id = change.operator_id
    state.pairs[change.pair_id] = change.pair
    for participant_id in change.pair.participant_ids:
        state.links.pairs_of[participant_id].add(change.pair_id)
    state.version += 1


@_apply.register
def _(change: Placed, state: AgendaState) -> None:
    if change.pair_id in state.placements:
        state.board.lift(change.pair_id)
    state.board.put(state.wanted(change.pair_id), state.seat(change.place))
    state.placements[change.pair_id] = change.place
    state.waiting.pop(change.pair_id, None)
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _(change: Lifted, state: AgendaState) -> None:
    state.board.lift(change.pair_id)
    del state.placements[change.pair_id]
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _(change: Waits, state: AgendaState) -> None:
    if change.reason is None:
        state.waiting.pop(change.pair_id, None)
    else:
        state.waiting[change.pair_id] = change.reason
    _touch_pair(state, change.pair_id, change.cause)


@_apply.register
def _(change: AgendaTouched, state: AgendaState) -> None:
    _touch_agenda(state, change.participant_id, change.cause)


@_apply.register
def _(change: Announced, state: AgendaState) -> None:
    state.announced = True
    for participant_id in state.agendas:
        _touch_agenda(state, participant_id, change.cause)


@_apply.register
def _(change: Improved, state: AgendaState) -> None:
    state.improved = change.version
    state.certificate = change.certificate


@_apply.register
def _(change: Told, state: AgendaState) -> None:
    state.encounters.update(change.encounters)
    state.agendas.update(change.agendas)
    for pair_id in change.pairs:
        state.untold_pairs.pop(pair_id, None)
    for participant_id in change.participants:
        state.untold_participants.pop(participant_id, None)


def _touch_pair(state: AgendaState, pair_id: str, cause: Cause) -> None:
    state.untold_pairs[pair_id] = cause
    for participant_id in state.pairs[pair_id].participant_ids:
        _touch_agenda(state, participant_id, cause)


def _touch_agenda(state: AgendaState, participant_id: str, cause: Cause) -> None:
    causes = state.untold_participants.get(participant_id, ())
    if cause not in causes:
        state.untold_participants[participant_id] = (*causes, cause)[-_MOST_CAUSES:]
