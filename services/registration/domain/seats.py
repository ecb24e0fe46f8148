"""Seats of sessions with a capacity, and the lines of waiting participants.

A seat is a number. The e-mail address and the seats of a participant are its claims, which no second participant may
have (`Participant.claims`). If two concurrent requests choose the same seat, the database refuses the second; that
request chooses another seat, or the participant waits in line.

The line of a session is ordered by the time at which its participants joined it, ties by id. A participant gets a seat
if more seats are open than participants wait further ahead.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count, islice

from services.registration.domain.edition import Edition, SessionFacts
from services.registration.domain.participant import Participant

#: The seats of the participants of a session; None for a participant who joined before it had a capacity.
Seats = Sequence[int | None]
#: Waiting participants in order: the time at which each joined the line, and the id.
Line = Sequence[tuple[datetime, str]]


@dataclass(frozen=True)
class Attendance:
    """A session with the seats that are held, and with its line."""

    session: SessionFacts
    held: Seats = ()
    line: Line = ()

    def open_seats(self) -> int | None:
        """Return the number of seats that may be given; None: any number."""
        return None if self.session.capacity is None else max(0, self.session.capacity - len(self.held))

    def next_in_line(self) -> list[str]:
        """List the next participants for the open seats, in order."""
        return [participant_id for _, participant_id in self.line[: self.open_seats()]]

    def place(self, participant_id: str) -> int:
        """Return a participant's place in the line, from 1; the place at its end for a participant outside the line."""
        ids = [waiting_id for _, waiting_id in self.line]
        return ids.index(participant_id) + 1 if participant_id in ids else len(ids) + 1

    def seat_for(self, participant_id: str, since: datetime) -> int | None:
        """Return a seat for a participant in line since that time; None if the participant has to wait on."""
        assert self.session.capacity is not None  # noqa: S101 - only such sessions fill up
        ahead = sum(1 for place in self.line if place < (since, participant_id) and place[1] != participant_id)
        left = open_seats(self.session.capacity, self.held)
        # Spread by id: concurrent requests would all choose the first seat.
        return left[zlib.crc32(participant_id.encode()) % len(left)] if len(left) > ahead else None


def open_seats(capacity: int, held: Seats) -> list[int]:
    """Return the seats that may be given: the lowest free numbers, as many as there are places left.

    Concurrent requests may each choose any of these seats, and the attendance still stays within the capacity. Proof:
    let `n` be the highest number returned. `n` plus the participants without a number, or with a number above `n`, is
    at most the capacity. A concurrent request that gets a number above `n` follows the same rule, so this stays true.
    At most `n` participants have numbers up to `n`, because a number is held once.
    """
    taken = set(held)
    return list(islice((number for number in count(1) if number not in taken), max(0, capacity - len(held))))


def newly_wanted(participant: Participant, edition: Edition, before: Participant | None) -> list[SessionFacts]:
    """List the sessions that a participant wants, and did not attend before: with a capacity, or waited for."""
    attended = before.session_ids if before else ()
    wanted = {*participant.session_ids, *participant.waiting_session_ids}.difference(attended)
    waited = participant.waiting_session_ids
    return [
        session
        for session in edition.sessions
        if session.session_id in wanted and (session.capacity is not None or session.session_id in waited)
    ]


def seated(
    participant: Participant, wanted: Sequence[Attendance], before: Participant | None, now: datetime
) -> Participant:
    """Return the participant with seats in the wanted sessions, and in the lines of full sessions.

    The seats of sessions that were left are given up. A participant who waited before keeps the place in line.
    """
    attended = list(participant.session_ids)
    waiting = {name: None for name in participant.waiting_session_ids if name not in attended}
    seats = {name: seat for name, seat in participant.seats.items() if name in attended}
    since = before.waiting_since if before else {}
    for attendance in wanted:
        session_id = attendance.session.session_id
        seat = None
        if attendance.session.capacity is not None:
            seat = attendance.seat_for(participant.id, since.get(session_id, now))
            if seat is None:
                waiting[session_id] = None
                continue
            seats[session_id] = seat
        waiting.pop(session_id, None)
        if session_id not in attended:
            attended.append(session_id)
    return participant.model_copy(
        update={
            "session_ids": tuple(name for name in attended if name not in waiting),
            "waiting_session_ids": tuple(waiting),
            "waiting_since": {name: since.get(name, now) for name in waiting},
            "seats": {name: seat for name, seat in seats.items() if name not in waiting},
        }
    )


class PlannedSeats:
    """The seats of full and filling sessions, given to the participants of a list in its order. Nothing is written."""

    def __init__(self, edition: Edition, attendance: Sequence[Attendance]) -> None:
        self._edition = edition
        self._attendance = {session.session.session_id: session for session in attendance}

    def give(self, participant: Participant, before: Participant | None, now: datetime) -> Participant:
        """Return the participant with seats in the newly wanted sessions, and in the lines of full sessions."""
        sessions = newly_wanted(participant, self._edition, before)
        wanted = [self._attendance.get(session.session_id, Attendance(session)) for session in sessions]
        given = seated(participant, wanted, before, now)
        for attendance in wanted:
            name = attendance.session.session_id
            if name in given.session_ids:
                self._attendance[name] = replace(attendance, held=(*attendance.held, given.seats.get(name)))
            elif name in given.waiting_session_ids:
                line = sorted((*attendance.line, (given.waiting_since[name], given.id)))
                self._attendance[name] = replace(attendance, line=line)
        return given
