"""Sessions that fill up: which seats may still be given.

A seat is a number that one participant holds, beside the e-mail address, as what nobody else may have
(`Participant.claims`). So of two who are given the same seat at once the second is refused by the database, and is
given another, or told that the session is full.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from itertools import count, islice

from services.registration.domain.edition import Edition, SessionFacts
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.participant import Participant

#: The seats of those who attend a session; `None` for who came before it had a capacity.
Seats = Sequence[int | None]


def open_seats(capacity: int, held: Seats) -> list[int]:
    """The seats that may be given: the first free numbers, as many as there is room for.

    Any of them may be given to whoever asks, however many ask at once: no more attend than may.
    For let `n` be the last of them: `n`, and those who attend without a number or with one beyond `n`, come to the
    capacity at most. That stays so, since whoever gets a number beyond `n` meanwhile gets it by the same rule; and of
    those up to `n` there are never more than `n`, since a number is held once.
    """
    taken = set(held)
    return list(islice((number for number in count(1) if number not in taken), max(0, capacity - len(held))))


def newly_joined(participant: Participant, edition: Edition, before: Participant | None) -> list[SessionFacts]:
    """The sessions that can fill up which the participant did not attend before."""
    attended = before.session_ids if before else ()
    asked = set(participant.session_ids).difference(attended)
    return [each for each in edition.sessions if each.capacity is not None and each.session_id in asked]


def with_seats(
    participant: Participant, sessions: Sequence[SessionFacts], attending: Mapping[str, Seats]
) -> Participant:
    """The participant with a seat in each of these sessions besides, and none in those not attended any more.

    Raises:
        Invalid: a session is full.
    """
    seats = {session: seat for session, seat in participant.seats.items() if session in participant.session_ids}
    faults = []
    for session in sessions:
        assert session.capacity is not None  # noqa: S101 - only such sessions fill up
        held = attending.get(session.session_id, ())
        if left := open_seats(session.capacity, held):
            # Not the first: those who come at once would all be given that one.
            seats[session.session_id] = left[zlib.crc32(participant.id.encode()) % len(left)]
        else:
            faults.append(_full(participant, session, len(held)))
    if faults:
        raise Invalid(*faults)
    return participant.model_copy(update={"seats": seats})


def _full(participant: Participant, session: SessionFacts, attend: int) -> FieldError:
    where = f"/session_ids/{participant.session_ids.index(session.session_id)}"
    return FieldError(where, f"the session is full ({attend} of {session.capacity}): leave it out, or ask again later")
