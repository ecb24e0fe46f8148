"""The sessions of an edition, as a participant chooses them: seats, lines, and the own place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from services.portal.domain.picture import EditionPicture
from shared.contract.events import ParticipantChanged, Session, Status


@dataclass(frozen=True)
class ShownSession:
    """A session. `seats_left` is None without a limit; `place` is the own place in its line, from 1, or 0."""

    session: Session
    zone: str
    seats_left: int | None
    waiting: int
    is_mine: bool
    place: int


def shown_sessions(picture: EditionPicture, me: ParticipantChanged) -> tuple[ShownSession, ...]:
    """Return the sessions by time."""
    active = [person for person in picture.participants.values() if person.status is Status.ACTIVE]
    taken = Counter(session_id for person in active for session_id in person.session_ids)
    sessions = picture.edition.sessions if picture.edition else ()
    return tuple(
        _shown(picture, session, me, taken[session.session_id], active)
        for session in sorted(sessions, key=lambda session: session.starts_at)
    )


def _shown(
    picture: EditionPicture, session: Session, me: ParticipantChanged, taken: int, active: list[ParticipantChanged]
) -> ShownSession:
    line = [person.waiting_since[session.session_id] for person in active if session.session_id in person.waiting_since]
    since = me.waiting_since.get(session.session_id)
    return ShownSession(
        session=session,
        zone=picture.zone_name(session.zone_id),
        seats_left=None if session.capacity is None else max(0, session.capacity - taken),
        waiting=len(line),
        is_mine=session.session_id in me.session_ids,
        place=sum(moment < since for moment in line) + 1 if since else 0,
    )
