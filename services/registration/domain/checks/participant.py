"""Rules for the facts of a participant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from services.registration.domain.checks.codes import doubtful_codes
from services.registration.domain.checks.days import EditionDays
from services.registration.domain.checks.doubtful_fact import DoubtfulFact
from services.registration.domain.edition import EditionFacts
from services.registration.domain.participant import ParticipantFacts, Stay
from shared.contract.events.registration import Slot

_SESSIONS = ("session_ids", "waiting_session_ids")


def doubtful_facts_of_participant(participant: ParticipantFacts, edition: EditionFacts) -> Iterator[DoubtfulFact]:
    """Yield the doubtful and the impossible facts of a participant. `available` is in UTC."""
    yield from doubts_of_availability(participant.available, edition)
    yield from _hours_in_sessions(participant, edition)
    yield from _overlaps(participant, edition)
    yield from doubtful_codes("/profile/codes", participant.profile.codes)


def doubts_of_availability(available: Sequence[Stay], edition: EditionFacts) -> Iterator[DoubtfulFact]:
    """Yield the faults of an availability that leaves a participant no slot, or less than it says.

    An availability that is all on far dates is refused: the participant would never meet anybody.
    """
    if not available:
        return
    days = EditionDays.of(edition)
    far = [index for index, stay in enumerate(available) if days.are_far_from(stay.starts_at, stay.ends_at)]
    if len(far) == len(available):
        first = available[0]
        yield DoubtfulFact(
            "/available",
            f"available on {days.written(first.starts_at)}, but the edition is held on {days.text}: correct the date, "
            "or leave `available` out for the whole edition",
            "availability-outside-days",
            _value(available),
            is_refused=True,
        )
        return
    for index in far:
        stay = available[index]
        yield DoubtfulFact(
            f"/available/{index}",
            f"available on {days.written(stay.starts_at)}, but the edition is held on {days.text}: correct the date",
            "stay-outside-days",
            _value([stay]),
        )
    slots = edition.slots()
    if slots and not any(_is_within(slot, available) for slot in slots):
        yield DoubtfulFact(
            "/available",
            f"no slot of the edition, held on {days.text}, lies within the availability {_value(available[:5])}: the "
            "participant gets no encounter. Correct the hours",
            "availability-without-slot",
            _value(available),
        )


def _hours_in_sessions(participant: ParticipantFacts, edition: EditionFacts) -> Iterator[DoubtfulFact]:
    """Yield an availability that the participant's own sessions fill."""
    attended = [
        session.in_zone(edition.timezone)
        for session in edition.sessions
        if session.session_id in participant.session_ids
    ]
    if not participant.available or not attended:
        return
    slots = [slot for slot in edition.slots() if _is_within(slot, participant.available)]
    if slots and not any(
        all(session.ends_at <= slot.starts_at or slot.ends_at <= session.starts_at for session in attended)
        for slot in slots
    ):
        names = " ".join(session.session_id for session in attended)
        yield DoubtfulFact(
            "/available",
            f"the participant attends {names} in all slots of the availability, and gets no encounter: add hours, or "
            "leave a session out",
            "availability-in-sessions",
            names,
        )


def _is_within(slot: Slot, available: Sequence[Stay]) -> bool:
    return any(stay.starts_at <= slot.starts_at and slot.ends_at <= stay.ends_at for stay in available)


def _overlaps(participant: ParticipantFacts, edition: EditionFacts) -> Iterator[DoubtfulFact]:
    """Yield the pairs of sessions, attended or waited for, that a participant cannot both attend in full."""
    places = {
        name: f"/{field}/{index}" for field in _SESSIONS for index, name in enumerate(getattr(participant, field))
    }
    wanted = [session for session in edition.sessions if session.session_id in places]
    times = {session.session_id: session.in_zone(edition.timezone) for session in wanted}
    listed = [(place, times[name]) for name, place in places.items() if name in times]
    for (_, first), (where, second) in combinations(listed, 2):
        if first.starts_at < second.ends_at and second.starts_at < first.ends_at:
            yield DoubtfulFact(
                where,
                f"the sessions {first.session_id} and {second.session_id} overlap at "
                f"{max(first.starts_at, second.starts_at):%Y-%m-%d %H:%M} UTC: leave one of the two out",
                "sessions-overlap",
                f"{first.session_id} {second.session_id}",
                is_refused=True,
            )


def _value(stays: Sequence[Stay]) -> str:
    return ", ".join(f"{stay.starts_at:%Y-%m-%dT%H:%MZ}/{stay.ends_at:%Y-%m-%dT%H:%MZ}" for stay in stays)
