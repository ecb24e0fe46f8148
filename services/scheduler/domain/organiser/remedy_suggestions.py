"""Suggestions for a waiting encounter: changes that may open a slot, read off the obstacles of the slot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from services.scheduler.domain import timing
from services.scheduler.domain.organiser.remedy_trial import edition_after
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.rules import no_table_twice, within_quota
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from shared.contract.events import Interval, RemedyKind, RemedyStep

#: Tables of a slot at which another encounter is asked to give way.
_TABLES_A_SLOT = 2
#: Places tried at which other encounters would have to give way.
_MOST_CONTESTED = 5

Steps = tuple[RemedyStep, ...]


class Suggestions:
    """Changes that may place a waiting pair, in slots that an absence, a session, a quota or a clash closes to it."""

    def __init__(self, state: AgendaState, pair_id: str, now: datetime) -> None:
        self._state, self._pair_id, self._now = state, pair_id, now
        self._meeting = state.meeting(pair_id)

    def all(self) -> Iterator[tuple[Steps, SlotSet]]:
        """Yield changes that may help, with the slot that they would open."""
        state = self._state
        given = timing.slots_for(state, self._pair_id, self._now)
        contested: list[tuple[Steps, SlotSet]] = []
        for slot in bits(given | timing.slots_by_hand(state, self._now)):
            if (changes := self._changes(slot)) is None:
                continue
            is_clear = not self._in_the_way(state, slot)
            has_table = bool(no_table_twice(state.board, self._meeting) & slot)
            if is_clear and has_table and changes and slot & given:
                yield changes, slot
            elif is_clear and has_table:
                yield from (((*changes, place), slot) for place in self.places(state, slot))
            else:
                contested += (((*changes, place), slot) for place in self.places(state, slot))
                if is_clear and slot & given:
                    yield from (((*changes, table), slot) for table in self._tables())
        contested.sort(key=lambda suggestion: (len(suggestion[0]), self._demand_in(suggestion[1])))
        yield from contested[:_MOST_CONTESTED]
        for guest_id in state.pairs[self._pair_id].guest_ids:
            yield (RemedyStep(kind=RemedyKind.GUEST, participant_id=guest_id),), 0
        yield self._longer_day()

    def _demand_in(self, slot: SlotSet) -> tuple[float, ...]:
        """Return a sort key of slots: few encounters in the way come first, then encounters of low demand."""
        demands = [self._state.demand(pair) for pair in self._in_the_way(self._state, slot)]
        return (len(demands), *(number for demand in demands for number in (-demand.rank[0], demand.score)))

    def _changes(self, slot: SlotSet) -> Steps | None:
        """Return the changes of facts, orders and locks without which the slot is closed; `None` if it stays closed."""
        state, steps = self._state, list[RemedyStep]()
        for participant_id in self._meeting.participant_ids:
            hours = state.board.hours[participant_id]
            if not hours.available & slot:
                steps.append(_at_slot(state, RemedyKind.HOURS, slot, participant_id=participant_id))
            if not hours.outside_sessions & slot:
                steps += self._sessions(participant_id, slot)
        steps += self._quota()
        steps += (self._order(other_id) for other_id in state.board.pairs_out_of_order(self._pair_id, slot))
        for other_id in self._in_the_way(state, slot):
            if timing.is_history(state, other_id, self._now):
                return None
            if other_id in state.locked:
                steps.append(self._unlocked(other_id))
        return tuple(steps)

    def _sessions(self, participant_id: str, slot: SlotSet) -> Iterator[RemedyStep]:
        """Yield the sessions that the participant would have to leave."""
        for session in self._state.sessions_of(self._state.participants[participant_id]):
            if self._state.timeline.overlapping([session]) & slot:
                session_id = session.session_id
                yield RemedyStep(kind=RemedyKind.SESSION, participant_id=participant_id, session_id=session_id)

    def _quota(self) -> Iterator[RemedyStep]:
        board = self._state.board
        if not within_quota(board, self._meeting):
            most = max(len(board.assignments_of[participant_id]) for participant_id in self._meeting.participant_ids)
            yield RemedyStep(kind=RemedyKind.QUOTA, quota=most + 1)

    def _order(self, other_id: str) -> RemedyStep:
        """Return the end of the order between the waiting encounter and a second encounter."""
        is_before = other_id in self._state.comes_after.get(self._pair_id, ())
        later, earlier = (self._pair_id, other_id) if is_before else (other_id, self._pair_id)
        return RemedyStep(
            kind=RemedyKind.ORDER,
            encounter_id=self._state.encounter_id(later),
            after_id=self._state.encounter_id(earlier),
        )

    def _unlocked(self, other_id: str) -> RemedyStep:
        return RemedyStep(kind=RemedyKind.UNLOCK, encounter_id=self._state.encounter_id(other_id))

    def _in_the_way(self, state: AgendaState, slot: SlotSet) -> list[str]:
        """List the pairs whose encounters in the slot share a participant with the waiting pair."""
        assignments_of, people = state.board.assignments_of, state.pairs[self._pair_id].people
        return sorted({pair for person in people for pair, own in assignments_of[person].items() if own.slots & slot})

    def places(self, state: AgendaState, slot: SlotSet) -> Iterator[RemedyStep]:
        """Yield places in a slot: at a free table, at the table of a clashing encounter, or at further tables."""
        if not slot & timing.slots_by_hand(state, self._now):
            return
        board, in_the_way = state.board, self._in_the_way(state, slot)
        for zone_id in state.meeting(self._pair_id).zone_ids:
            if board.slots_with_free_table(zone_id) & slot:
                # Unless a table is named, an edit takes the first free one. A further table has no name yet.
                yield _at_slot(state, RemedyKind.PLACE, slot, zone_id=zone_id)
                return
        at_tables = [pair for pair in in_the_way if self._may_leave(state, pair)]
        if not at_tables:
            at_tables = [pair for pair in board.pairs_in_slot(slot) if self._may_leave(state, pair)]
            at_tables.sort(key=lambda pair: (*state.demand(pair).rank, -state.demand(pair).score), reverse=True)
        for pair in at_tables[:_TABLES_A_SLOT]:
            _, zone_id, table = board.placed[pair][1]
            yield _at_slot(state, RemedyKind.PLACE, slot, zone_id=zone_id, table=table)

    def _may_leave(self, state: AgendaState, pair_id: str) -> bool:
        """Return whether an encounter may give its table to the waiting encounter."""
        _, zone_id, table = state.board.placed[pair_id][1]
        is_movable = pair_id not in state.locked and not timing.is_history(state, pair_id, self._now)
        # A further table has no name yet, so that an edit cannot name it.
        is_named = table in self._state.board.tables.get(zone_id, {})
        return is_movable and is_named and zone_id in state.meeting(self._pair_id).zone_ids

    def _tables(self) -> Iterator[RemedyStep]:
        """Yield a further table in zones with tables that are open to the pair, or else in zones without tables."""
        for zone_id in self._meeting.zone_ids or self._zones_with_more_tables():
            yield RemedyStep(kind=RemedyKind.TABLE, zone_id=zone_id, tables=1)

    def _zones_with_more_tables(self) -> tuple[str, ...]:
        edition = self._state.edition
        assert edition is not None  # noqa: S101 - no remedy is sought in an unknown edition
        zones = tuple(zone.model_copy(update={"tables": zone.tables or ("+1",)}) for zone in edition.zones)
        enlarged = self._state.model_copy(update={"edition": edition.model_copy(update={"zones": zones})})
        enlarged.forget_indexes("zones_by_kinds")
        return enlarged.meeting(self._pair_id).zone_ids

    def _longer_day(self) -> tuple[Steps, SlotSet]:
        """Return a slot more at the end of the last day, with the presence of participants that have stated theirs."""
        state, step = self._state, RemedyStep(kind=RemedyKind.SLOT)
        assert state.edition is not None  # noqa: S101 - as above
        if not state.edition.slots:
            return (), 0
        slots = edition_after(state.edition, step).slots
        time = Interval(starts_at=slots[-1].starts_at, ends_at=slots[-1].ends_at)
        steps = [step.model_copy(update={"time": time}), *self._quota()]
        steps += (
            RemedyStep(kind=RemedyKind.HOURS, slot=len(slots) - 1, time=time, participant_id=participant_id)
            for participant_id in self._meeting.participant_ids
            if state.participants[participant_id].available
        )
        return tuple(steps), 1 << len(slots) - 1


def _at_slot(state: AgendaState, kind: RemedyKind, slot: SlotSet, **fields: str) -> RemedyStep:
    """Return a step with the number and the time of its slot."""
    assert state.edition is not None  # noqa: S101 - no remedy is sought in an unknown edition
    index = slot.bit_length() - 1
    starts_at, ends_at = state.edition.slots[index].starts_at, state.edition.slots[index].ends_at
    time = Interval(starts_at=starts_at, ends_at=ends_at)
    return RemedyStep.model_validate({"kind": kind, "slot": index, "time": time, **fields})
