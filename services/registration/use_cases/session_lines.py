"""Seats of sessions, and their lines of waiting participants."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from services.registration.domain.checks.doubtful_fact import DoubtfulFact
from services.registration.domain.checks.edition import clashing_attendance, overlapping_sessions
from services.registration.domain.edition import Edition, SessionFacts
from services.registration.domain.participant import Participant
from services.registration.domain.seats import Attendance, newly_wanted, seated
from services.registration.unit_of_work import UnitOfWork
from shared.contract.events import Phase, Status


class SessionLines:
    """Gives seats, and hands freed seats down the lines. Both are safe to repeat and to run concurrently."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit = unit_of_work
        #: A seat that goes down the line follows from another change, and needs no confirmation.
        self._ungated = UnitOfWork(unit_of_work.repository, unit_of_work.clock, principal=unit_of_work.principal)

    async def attendance(self, edition_id: str, sessions: Sequence[SessionFacts]) -> list[Attendance]:
        """Return these sessions with the seats that are held, and with their lines."""
        ids = [session.session_id for session in sessions]
        if not ids:
            return []
        held = await self._unit.repository.seats_taken(edition_id, ids)
        lines = await self._unit.repository.lines(edition_id, ids)
        return [
            Attendance(session, held.get(session.session_id, ()), lines.get(session.session_id, ()))
            for session in sessions
        ]

    async def give_seats(
        self, participant: Participant, edition: Edition, before: Participant | None = None
    ) -> Participant:
        """Return the participant with seats in the newly wanted sessions; in the lines of full sessions.

        Seats in sessions attended before are kept, even if the capacity has been lowered since.
        """
        sessions = newly_wanted(participant, edition, before)
        wanted = await self.attendance(edition.edition_id, sessions)
        return seated(participant, wanted, before, self._unit.clock())

    async def serve(self, edition: Edition, session_ids: Collection[str]) -> None:
        """Hand the open seats of these sessions down their lines. A session that has begun gives no seats.

        If a process dies meanwhile, the background work goes on (`service.serve_lines`).
        """
        if edition.phase is Phase.CLOSED or self._unit.gate.dry_run:
            return
        now, lines = self._unit.clock(), await self._unit.repository.lines(edition.edition_id, list(session_ids))
        sessions = [
            session
            for session in edition.sessions
            if session.session_id in lines and session.in_zone(edition.timezone).starts_at > now
        ]
        next_ids: list[str] = []
        while True:
            before = next_ids
            attendance = await self.attendance(edition.edition_id, sessions)
            next_ids = list(dict.fromkeys(name for session in attendance for name in session.next_in_line()))
            if not next_ids or next_ids == before:
                return
            for participant_id in next_ids:
                await self._seat(edition, participant_id)

    async def _seat(self, edition: Edition, participant_id: str) -> None:
        """Give a participant the open seats of sessions that the participant waits for."""

        async def change(participant: Participant) -> Participant:
            if participant.status is not Status.ACTIVE:
                return participant
            given = await self.give_seats(participant, edition, participant)
            fields = ("session_ids", "waiting_session_ids", "waiting_since", "seats")
            return participant.changed(self._unit.clock(), **{name: getattr(given, name) for name in fields})

        await self._ungated.amend(Participant, edition.edition_id, participant_id, change)

    async def clashes(self, edition: Edition) -> list[DoubtfulFact]:
        """Return a warning that names the participants who attend two sessions at a time."""
        if edition.phase is Phase.CLOSED or not overlapping_sessions(edition):
            return []
        return list(clashing_attendance(edition, await self._unit.repository.attended(edition.edition_id)))

    async def waits(self, participant: Participant, edition: Edition) -> list[DoubtfulFact]:
        """List the sessions for whose seats a participant waits, with the place in line."""
        waiting = participant.waiting_session_ids if participant.status is Status.ACTIVE else ()
        sessions = [session for session in edition.sessions if session.session_id in waiting]
        return [
            DoubtfulFact(
                f"/session_ids/{index}",
                f"the session is full ({len(attendance.held)} of {attendance.session.capacity}): the participant waits "
                f"for a seat in {attendance.session.session_id}, at place {attendance.place(participant.id)} of the "
                "line. Nothing more is to be done",
                "waits-for-seat",
                attendance.session.session_id,
            )
            for index, attendance in enumerate(await self.attendance(edition.edition_id, sessions))
        ]
