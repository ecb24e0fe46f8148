"""Seats of sessions with a capacity.

A seat is a number. The e-mail address and the seats of a participant are its claims, which no second participant may
have (`Participant.claims`). If two concurrent requests choose the same seat, the database refuses the second; that
request chooses another seat, or is told that the session is full.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from itertools import count, islice

from services.registration.domain.edition import Edition, SessionFacts
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.participant import Participant

#: The seats of the participants of a session; None for a participant who joined before it had a capacity.
Seats = Sequence[int | None]


def open_seats(capacity: int, held: Seats) -> list[int]:
    """Return the seats that may be given: the lowest free numbers, as many as there are places left.

    Concurrent requests may each choose any of these seats, and the attendance still stays within the capacity. Proof:
    let `n` be the highest number returned. `n` plus the participants without a number, or with a number above `n`, is
    at most the capacity. A concurrent request that gets a number above `n` follows the same rule, so this stays true.
    At most `n` participants have numbers up to `n`, because a number is held once.
    """
    taken = set(held)
    return list(islice((number for number in count(1) if number not in taken), max(0, capacity - len(held))))


def newly_joined(participant: Participant, edition: Edition, before: Participant | None) -> list[SessionFacts]:
    """List the sessions with a capacity that the participant did not attend before."""
    attended = before.session_ids if before else ()
    asked = set(participant.session_ids).difference(attended)
    return [session for session in edition.sessions if session.capacity is not None and session.session_id in asked]


def with_seats(
    participant: Participant, sessions: Sequence[SessionFacts], attending: Mapping[str, Seats]
) -> Participant:
    """Return the participant with a seat in each of these sessions, and without the seats of sessions left.

    Raises:
        Invalid: a session is full.
    """
    seated, faults = _seated(participant, sessions, attending)
    if faults:
        raise Invalid(*(_full(participant, session, held) for session, held in faults))
    return seated


def with_open_seats(
    participant: Participant, sessions: Sequence[SessionFacts], attending: Mapping[str, Seats]
) -> tuple[Participant, tuple[FieldError, ...]]:
    """Return the participant with a seat in each of these sessions that is not full, and a warning for each full one.

    The participant leaves the full sessions.
    """
    seated, full = _seated(participant, sessions, attending)
    lost = {session.session_id for session, _ in full}
    left = tuple(session_id for session_id in participant.session_ids if session_id not in lost)
    warnings = tuple(_full(participant, session, held) for session, held in full)
    return seated.model_copy(update={"session_ids": left}), warnings


def _seated(
    participant: Participant, sessions: Sequence[SessionFacts], attending: Mapping[str, Seats]
) -> tuple[Participant, list[tuple[SessionFacts, int]]]:
    """Return the participant with the seats there are, and the full sessions with their number of participants."""
    seats = {session: seat for session, seat in participant.seats.items() if session in participant.session_ids}
    full = []
    for session in sessions:
        assert session.capacity is not None  # noqa: S101 - only such sessions fill up
        held = attending.get(session.session_id, ())
        if left := open_seats(session.capacity, held):
            # Spread by id: concurrent requests would all choose the first seat.
            seats[session.session_id] = left[zlib.crc32(participant.id.encode()) % len(left)]
        else:
            full.append((session, len(held)))
    return participant.model_copy(update={"seats": seats}), full


def _full(participant: Participant, session: SessionFacts, attend: int) -> FieldError:
    where = f"/session_ids/{participant.session_ids.index(session.session_id)}"
    return FieldError(where, f"the session is full ({attend} of {session.capacity}): leave it out, or ask again later")
