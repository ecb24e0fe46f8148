"""What an edit asks for in itself: how its encounters are to be arranged, before anybody else is looked at."""

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

#: Encounters that have to come after others, counted once for each, in an edition. Each is looked at whenever one of
#: the two is seated: an organiser's hand sets some dozens.
MOST_ORDERS = 500


def edit_targets(state: AgendaState, edit: Edit, now: datetime) -> dict[str, Arrangement]:
    """The arrangements asked for, by pair.

    Raises:
        NotPossible: there is no such thing, or it is too late.
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
    return {pair: state.arrangement(pair).model_copy(update={"place": place, "reason": None, "is_locked": True})}


@_targets.register
def _targets_of_lock_encounter(edit: LockEncounter, state: AgendaState, now: datetime) -> dict[str, Arrangement]:
    pair = _editable(state, edit.encounter_id, now)
    if pair not in state.placements:
        raise EditRejected(EditErrorCode.NO_PLACE, "the encounter has no place to be locked at")
    return {pair: state.arrangement(pair).model_copy(update={"is_locked": edit.is_locked})}


@_targets.register
def _targets_of_swap_representative(
    edit: SwapRepresentative, state: AgendaState, now: datetime
) -> dict[str, Arrangement]:
    pair = _editable(state, edit.encounter_id, now)
    people, known = state.pairs[pair].people, state.participants
    if pair not in state.placements:
        raise EditRejected(EditErrorCode.NO_PLACE, "the encounter has no place yet: there is nothing to take over")
    if edit.participant_id not in people:
        raise EditRejected(EditErrorCode.NOT_THEIRS, f"participant {edit.participant_id} is not in this encounter")
    if edit.by not in known or edit.participant_id not in known:
        raise EditRejected(EditErrorCode.UNKNOWN_PARTICIPANT, f"there is no participant {edit.by}")
    if edit.by in people or known[edit.by].organisation_id != known[edit.participant_id].organisation_id:
        raise EditRejected(
            EditErrorCode.NOT_A_REPRESENTATIVE, f"participant {edit.by} does not represent the same organisation"
        )
    return {pair: _between(state, pair, tuple(edit.by if each == edit.participant_id else each for each in people))}


@_targets.register
def _targets_of_invite_guest(edit: InviteGuest, state: AgendaState, now: datetime) -> dict[str, Arrangement]:
    pair = _editable(state, edit.encounter_id, now)
    people = state.pairs[pair].people
    if edit.is_invited:
        _check_guest(state, pair, edit.participant_id)
        return {pair: _between(state, pair, (*people, edit.participant_id))}
    if edit.participant_id in state.pairs[pair].participant_ids:
        raise EditRejected(
            EditErrorCode.NOT_A_GUEST, f"it is the encounter of participant {edit.participant_id}, who is no guest"
        )
    return {pair: _between(state, pair, tuple(each for each in people if each != edit.participant_id))}


def _between(state: AgendaState, pair: str, people: tuple[str, ...]) -> Arrangement:
    """The encounter between these, the two first, then their guests, each in the order of their ids."""
    sorted_people = (*pair_of(*people[:2]), *sorted(people[2:]))
    return state.arrangement(pair).model_copy(update={"people": sorted_people})


def _check_guest(state: AgendaState, pair: str, participant_id: str) -> None:
    """Raise `EditRejected` if the participant cannot be a guest, wherever the encounter is."""
    people = state.pairs[pair].people
    if not state.is_wanted(pair):
        raise EditRejected(
            EditErrorCode.NOT_WANTED, "the encounter was cancelled, or is not agreed: there is nothing to join"
        )
    if participant_id in people:
        raise EditRejected(EditErrorCode.ALREADY_THERE, f"participant {participant_id} is in this encounter already")
    if participant_id not in state.participants:
        raise EditRejected(EditErrorCode.UNKNOWN_PARTICIPANT, f"there is no participant {participant_id}")
    if not state.takes_part(participant_id):
        raise EditRejected(EditErrorCode.CANCELLED, f"participant {participant_id}, or the organisation, has cancelled")
    if len(people) >= MOST_PEOPLE:
        raise EditRejected(EditErrorCode.TOO_MANY_GUESTS, f"{MOST_PEOPLE} people meet in an encounter at most")


@_targets.register
def _targets_of_order_encounters(edit: OrderEncounters, state: AgendaState, now: datetime) -> dict[str, Arrangement]:
    later, earlier = pair_of_encounter(state, edit.encounter_id), pair_of_encounter(state, edit.after_id)
    comes_after = {*state.comes_after.get(later, ())} - {earlier}
    if edit.is_ordered:
        _editable(state, edit.encounter_id, now)
        _check_order(state, earlier, later)
        comes_after.add(earlier)
    return {later: state.arrangement(later).model_copy(update={"comes_after": tuple(sorted(comes_after))})}


@_targets.register
def _targets_of_undo_edit(edit: UndoEdit, state: AgendaState, now: datetime) -> dict[str, Arrangement]:  # noqa: ARG001 - as above
    if not state.edits:
        raise EditRejected(EditErrorCode.NOTHING_TO_UNDO, "no edit is left to be taken back")
    last = state.edits[-1]
    before = {pair: _restored(state, pair, was, last.after[pair]) for pair, was in last.before.items()}
    for pair, each in before.items():
        is_over = each.place is not None and each.place.slot not in _indexes(state, now)
        if timing.is_history(state, pair, now) or (is_over and each.place != state.placements.get(pair)):
            raise EditRejected(
                EditErrorCode.BEGUN, f"encounter {state.encounter_id(pair)} or the slot it would return to has begun"
            )
    return {pair: _still_wanted(state, pair, each) for pair, each in before.items()}


def _restored(state: AgendaState, pair: str, was: Arrangement, became: Arrangement) -> Arrangement:
    """As it was before an edit; or where it is now, if all that was asked was its order or its guests."""
    if not became.may_be_anywhere(was):
        return was
    now = state.arrangement(pair)
    if became.people != was.people:
        now = now.model_copy(update={"people": (*now.pair, *was.people[2:])})
    return now if became.comes_after == was.comes_after else now.model_copy(update={"comes_after": was.comes_after})


def _still_wanted(state: AgendaState, pair: str, before: Arrangement) -> Arrangement:
    """As it was; but who has cancelled since gets nothing back, and does not come as a guest."""
    if state.is_wanted(pair, before.pair):
        guests = filter(state.takes_part, before.people[2:])
        return before.model_copy(update={"people": (*before.pair, *guests)})
    return before.model_copy(update={"place": None, "reason": None, "is_locked": False})


def _check_order(state: AgendaState, earlier: str, later: str) -> None:
    """Raise `EditRejected` if no agenda could have the two in this order, or there are too many orders."""
    if earlier == later:
        raise EditRejected(EditErrorCode.CONTRADICTION, "an encounter cannot come after itself")
    if later in _all_before(state, earlier):
        raise EditRejected(
            EditErrorCode.CIRCULAR, "it already has to come before that one, directly or by way of others"
        )
    others = sum(map(len, state.comes_after.values())) - (earlier in state.comes_after.get(later, ()))
    if others >= MOST_ORDERS:
        raise EditRejected(EditErrorCode.TOO_MANY_ORDERS, f"an edition has {MOST_ORDERS} orders of encounters at most")


def _all_before(state: AgendaState, pair: str) -> set[str]:
    """The pairs that the pair comes after, and those that they do, and so on."""
    found: set[str] = set()
    front = [pair]
    while front:
        new = set(state.comes_after.get(front.pop(), ())) - found
        found |= new
        front += new
    return found


def _editable(state: AgendaState, encounter_id: str, now: datetime) -> str:
    """The pair of an encounter that can still be changed."""
    pair = pair_of_encounter(state, encounter_id)
    if timing.is_history(state, pair, now):
        raise EditRejected(EditErrorCode.BEGUN, "the encounter has begun, was held or was missed")
    return pair


def _place(state: AgendaState, pair: str, edit: PlaceEncounter, now: datetime) -> Place:
    assert state.edition is not None  # noqa: S101 - targets_of() has asked
    if edit.slot not in _indexes(state, now):
        raise EditRejected(EditErrorCode.NO_SUCH_SLOT, f"the edition has no slot {edit.slot} that can still be used")
    slot = state.edition.slots[edit.slot]
    return Place(
        slot=edit.slot,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        zone_id=edit.zone_id,
        table=edit.table or _free_table(state, pair, edit),
    )


def _free_table(state: AgendaState, pair: str, edit: PlaceEncounter) -> str:
    """The table the encounter has, if that is in the zone and free then; else the first that is.

    A table at which somebody of them sits then is as good as free: they cannot be in two encounters.
    """
    board, slot = state.board, 1 << edit.slot
    taken = dict(board.tables.get(edit.zone_id, {}))
    for person in state.pairs[pair].people:
        for seat in board.assignments_of[person].values():
            if seat.slots & slot and seat.zone_id == edit.zone_id and seat.table in taken:
                taken[seat.table] &= ~slot
    free = [table for table, slots in taken.items() if not slots & slot]
    if not free:
        raise EditRejected(EditErrorCode.NO_TABLE, "the zone has no free table then: name the one to be used")
    own = state.placements.get(pair)
    is_own_free = own is not None and own.zone_id == edit.zone_id and own.table in free
    return own.table if own is not None and is_own_free else free[0]


def _indexes(state: AgendaState, now: datetime) -> set[int]:
    """The slots that can still be used: once live, those of which half at least is to come."""
    usable = state.timeline.not_half_over(now) if state.is_live else state.timeline.all_slots
    return {index for index in range(usable.bit_length()) if usable >> index & 1}
