"""Targets of an edit: the arrangements that it asks for, before its effects on further encounters."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatch

from services.scheduler.domain import timing
from services.scheduler.domain.organiser.errors import EditRejected, must_be_open, pair_of_encounter
from services.scheduler.domain.snapshots import Arrangement
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Place
from shared.contract.ids import pair_of
from shared.internal_api.edit_errors import EditErrorCode
from shared.internal_api.edits import (
    MOST_PEOPLE,
    Edit,
    InviteGuest,
    LockEncounter,
    OrderEncounters,
    PlaceEncounter,
    SwapRepresentative,
    UndoEdit,
)

#: Limit of orders (one encounter after another) in an edition. Placing either of the two looks at the order, and an
#: organiser sets some dozens by hand.
MOST_ORDERS = 500


def arrangement_of(state: AgendaState, pair_id: str) -> Arrangement:
    """Return the present arrangement of a pair's encounter."""
    return Arrangement(
        place=state.placements.get(pair_id),
        reason=state.waiting.get(pair_id),
        is_locked=pair_id in state.locked,
        people=state.pairs[pair_id].people,
        comes_after=state.comes_after.get(pair_id, ()),
    )


def edit_targets(state: AgendaState, edit: Edit, now: datetime) -> dict[str, Arrangement]:
    """Return the arrangements that the edit asks for, by pair id.

    Raises:
        EditRejected: the edit names something that does not exist, or comes too late.
    """
    must_be_open(state)
    return _targets(edit, state, now)


@singledispatch
def _targets(edit: object, state: AgendaState, now: datetime) -> dict[str, Arrangement]:  # noqa: ARG001 - the signature of its cases
    raise TypeError(f"not an edit: {edit!r}")


@_targets.register
def _targets_of_place_encounter(edit: PlaceEncounter, state: AgendaState, now: datetime) -> dict[str, Arrangement]:
    pair = _editable(state, edit.encounter_id, now)
    place = _place(state, pair, edit, now)
    return {pair: arrangement_of(state, pair).model_copy(update={"place": place, "reason": None, "is_locked": True})}


@_targets.register
def _targets_of_lock_encounter(edit: LockEncounter, state: AgendaState, now: datetime) -> dict[str, Arrangement]:
    pair = _editable(state, edit.encounter_id, now)
    if pair not in state.placements:
        raise EditRejected(
            EditErrorCode.NO_PLACE, f"encounter {edit.encounter_id} has no place: give it one before you lock it"
        )
    return {pair: arrangement_of(state, pair).model_copy(update={"is_locked": edit.is_locked})}


@_targets.register
def _targets_of_swap_representative(
    edit: SwapRepresentative, state: AgendaState, now: datetime
) -> dict[str, Arrangement]:
    pair = _editable(state, edit.encounter_id, now)
    people, known = state.pairs[pair].people, state.participants
    if pair not in state.placements:
        raise EditRejected(
            EditErrorCode.NO_PLACE, f"encounter {edit.encounter_id} has no place: a substitute can meet once it has one"
        )
    if edit.participant_id not in people:
        raise EditRejected(
            EditErrorCode.NOT_THEIRS, f"participant {edit.participant_id} is not in encounter {edit.encounter_id}"
        )
    if edit.by not in known or edit.participant_id not in known:
        raise EditRejected(EditErrorCode.UNKNOWN_PARTICIPANT, f"the edition has no participant {edit.by}: check the id")
    if edit.by in people or known[edit.by].organisation_id != known[edit.participant_id].organisation_id:
        raise EditRejected(
            EditErrorCode.NOT_A_REPRESENTATIVE,
            f"participant {edit.by} is in the encounter already, or of another organisation than {edit.participant_id}",
        )
    return {
        pair: _between(
            state, pair, tuple(edit.by if person_id == edit.participant_id else person_id for person_id in people)
        )
    }


@_targets.register
def _targets_of_invite_guest(edit: InviteGuest, state: AgendaState, now: datetime) -> dict[str, Arrangement]:
    pair = _editable(state, edit.encounter_id, now)
    people = state.pairs[pair].people
    if edit.is_invited:
        _check_guest(state, pair, edit.participant_id)
        return {pair: _between(state, pair, (*people, edit.participant_id))}
    if edit.participant_id in state.pairs[pair].participant_ids:
        raise EditRejected(
            EditErrorCode.NOT_A_GUEST,
            f"participant {edit.participant_id} is one of the two who meet, not a guest: swap the participant instead",
        )
    return {pair: _between(state, pair, tuple(person_id for person_id in people if person_id != edit.participant_id))}


def _between(state: AgendaState, pair: str, people: tuple[str, ...]) -> Arrangement:
    """Return the pair's arrangement with these people: the two, sorted, then their guests, sorted."""
    sorted_people = (*pair_of(*people[:2]), *sorted(people[2:]))
    return arrangement_of(state, pair).model_copy(update={"people": sorted_people})


def _check_guest(state: AgendaState, pair: str, participant_id: str) -> None:
    """Raise `EditRejected` if the participant cannot be a guest, whatever the place of the encounter."""
    people = state.pairs[pair].people
    if not state.is_wanted(pair):
        raise EditRejected(
            EditErrorCode.NOT_WANTED,
            "the encounter was cancelled or has no consent: a guest can join once both participants want it",
        )
    if participant_id in people:
        raise EditRejected(EditErrorCode.ALREADY_THERE, f"participant {participant_id} is in this encounter already")
    if participant_id not in state.participants:
        raise EditRejected(
            EditErrorCode.UNKNOWN_PARTICIPANT, f"the edition has no participant {participant_id}: check the id"
        )
    if not state.takes_part(participant_id):
        raise EditRejected(
            EditErrorCode.CANCELLED, f"participant {participant_id}, or the participant's organisation, has cancelled"
        )
    if len(people) >= MOST_PEOPLE:
        raise EditRejected(
            EditErrorCode.TOO_MANY_GUESTS,
            f"the encounter has {MOST_PEOPLE} people already, the most at a table: take a guest out first",
        )


@_targets.register
def _targets_of_order_encounters(edit: OrderEncounters, state: AgendaState, now: datetime) -> dict[str, Arrangement]:
    later, earlier = pair_of_encounter(state, edit.encounter_id), pair_of_encounter(state, edit.after_id)
    comes_after = {*state.comes_after.get(later, ())} - {earlier}
    if edit.is_ordered:
        _editable(state, edit.encounter_id, now)
        _check_order(state, earlier, later)
        comes_after.add(earlier)
    return {later: arrangement_of(state, later).model_copy(update={"comes_after": tuple(sorted(comes_after))})}


@_targets.register
def _targets_of_undo_edit(edit: UndoEdit, state: AgendaState, now: datetime) -> dict[str, Arrangement]:  # noqa: ARG001 - as above
    if not state.edits:
        raise EditRejected(EditErrorCode.NOTHING_TO_UNDO, "no edit is left to undo")
    last = state.edits[-1]
    before = {pair: _restored(state, pair, old, last.after[pair]) for pair, old in last.before.items()}
    for pair, target in before.items():
        is_over = target.place is not None and not _is_slot_usable(state, target.place, now)
        if timing.is_history(state, pair, now) or (is_over and target.place != state.placements.get(pair)):
            raise EditRejected(
                EditErrorCode.BEGUN,
                f"encounter {state.encounter_id(pair)}, or the slot that it would return to, has begun",
            )
    return {pair: _still_wanted(state, pair, target) for pair, target in before.items()}


def _restored(state: AgendaState, pair: str, before: Arrangement, after: Arrangement) -> Arrangement:
    """Return the arrangement before an edit. After an edit of order or guests alone, the present place is kept.

    The slot of a place may have another number by now.
    """
    if not after.may_be_anywhere(before):
        return before.model_copy(update={"place": state.numbered(before.place)}) if before.place else before
    now = arrangement_of(state, pair)
    if after.people != before.people:
        now = now.model_copy(update={"people": (*now.pair, *before.people[2:])})
    return (
        now if after.comes_after == before.comes_after else now.model_copy(update={"comes_after": before.comes_after})
    )


def _still_wanted(state: AgendaState, pair: str, before: Arrangement) -> Arrangement:
    """Return the arrangement without guests that have cancelled since; without a place if the pair is not wanted."""
    if state.is_wanted(pair, before.pair):
        guests = filter(state.takes_part, before.people[2:])
        return before.model_copy(update={"people": (*before.pair, *guests)})
    return before.model_copy(update={"place": None, "reason": None, "is_locked": False})


def _check_order(state: AgendaState, earlier: str, later: str) -> None:
    """Raise `EditRejected` if no agenda could have this order, or the edition has too many orders."""
    if earlier == later:
        raise EditRejected(EditErrorCode.CONTRADICTION, "an encounter cannot come after itself")
    if later in _all_before(state, earlier):
        raise EditRejected(
            EditErrorCode.CIRCULAR,
            "the encounter has to come before that encounter already, directly or through others",
        )
    others = sum(map(len, state.comes_after.values())) - (earlier in state.comes_after.get(later, ()))
    if others >= MOST_ORDERS:
        raise EditRejected(
            EditErrorCode.TOO_MANY_ORDERS,
            f"the edition has {MOST_ORDERS} orders, the most there may be: take one back first",
        )


def _all_before(state: AgendaState, pair: str) -> set[str]:
    """Return the pairs that come before the pair, directly or through further pairs."""
    found: set[str] = set()
    front = [pair]
    while front:
        new = set(state.comes_after.get(front.pop(), ())) - found
        found |= new
        front += new
    return found


def _editable(state: AgendaState, encounter_id: str, now: datetime) -> str:
    """Return the pair of an encounter. Raises `EditRejected` if the encounter cannot be changed any more."""
    pair = pair_of_encounter(state, encounter_id)
    if timing.is_history(state, pair, now):
        raise EditRejected(
            EditErrorCode.BEGUN,
            f"encounter {encounter_id} has begun, was held or was missed: it cannot be changed any more",
        )
    return pair


def _place(state: AgendaState, pair: str, edit: PlaceEncounter, now: datetime) -> Place:
    assert state.edition is not None  # noqa: S101 - targets_of() has asked
    if edit.slot not in _indexes(state, now):
        raise EditRejected(
            EditErrorCode.NO_SUCH_SLOT,
            f"the edition has no slot {edit.slot}, or the slot has begun (in a live edition, is half over): "
            "choose a later slot",
        )
    slot = state.edition.slots[edit.slot]
    return Place(
        slot=edit.slot,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        zone_id=edit.zone_id,
        table=edit.table or _free_table(state, pair, edit),
    )


def _free_table(state: AgendaState, pair: str, edit: PlaceEncounter) -> str:
    """Return the encounter's present table if it is in the zone and free in the slot, else the first free table.

    A table at which a participant of the encounter already sits counts as free: that meeting has to give way.
    """
    board, slot = state.board, 1 << edit.slot
    taken = dict(board.tables.get(edit.zone_id, {}))
    for person_id in state.pairs[pair].people:
        for assignment in board.assignments_of[person_id].values():
            if assignment.slots & slot and assignment.zone_id == edit.zone_id and assignment.table in taken:
                taken[assignment.table] &= ~slot
    free = [table for table, slots in taken.items() if not slots & slot]
    if not free:
        raise EditRejected(
            EditErrorCode.NO_TABLE,
            f"zone {edit.zone_id} has no free table in slot {edit.slot}: name the table to use as `table`",
        )
    own = state.placements.get(pair)
    is_own_free = own is not None and own.zone_id == edit.zone_id and own.table in free
    return own.table if own is not None and is_own_free else free[0]


def _is_slot_usable(state: AgendaState, place: Place, now: datetime) -> bool:
    """Return whether an edit may use the slot of the place; a place in no slot is left to the rules."""
    index = state.timeline.index_of(place)
    return index is None or index in _indexes(state, now)


def _indexes(state: AgendaState, now: datetime) -> set[int]:
    """Return the numbers of the slots that an edit may use."""
    usable = timing.slots_by_hand(state, now)
    return {index for index in range(usable.bit_length()) if usable >> index & 1}
