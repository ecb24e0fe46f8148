"""Publication: the events that say what differs between an edition's state and what was last published.

An agenda that returns to its last published content produces no event.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import starmap

from services.scheduler.domain import timing
from services.scheduler.domain.changes import Published
from services.scheduler.domain.snapshots import PublishedAgenda, PublishedEncounter
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.relaxation import nearest_relaxation
from shared.contract.events import (
    AgendaChange,
    AgendaChanged,
    AgendaEntry,
    ChangeKind,
    EncounterChanged,
    EncounterState,
    EntryKind,
    Event,
    Party,
    Place,
    Relaxation,
    Session,
    WaitingEncounter,
    WaitingReason,
    content_of,
)
from shared.contract.ids import encounter_id

#: Agendas published in one journal entry: with their encounters about 2 MB, well under the limit of a document.
MAX_AGENDAS = 300
_MAX_ENCOUNTERS = 1000
#: Waiting encounters that an agenda lists.
_MOST_WAITING = 20

#: Reasons to wait that a relaxation or a remedy could end: another slot, quota or table helps no unknown participant.
RELAXABLE = frozenset(WaitingReason) - {WaitingReason.EDITION_UNKNOWN, WaitingReason.PARTICIPANT_UNKNOWN}

#: An encounter id is a hash, and each line of an agenda needs one.
_id_of = lru_cache(maxsize=1 << 17)(encounter_id)


def publish(state: AgendaState, now: datetime) -> tuple[Published | None, list[Event]]:
    """Return the events for changes not published yet, and the change that records them; `None` if there are none.

    At most `MAX_AGENDAS` agendas are published at once, after all encounters, because the lines of an agenda carry
    the revisions of encounters. Of a closed edition only attendance is published.
    """
    if not (state.unpublished_pairs or state.unpublished_participants) or (state.is_closed and not _attended(state)):
        return None, []
    pairs = (_attended(state) if state.is_closed else sorted(state.unpublished_pairs))[:_MAX_ENCOUNTERS]
    encounters = {pair_id: encounter for pair_id in pairs if (encounter := _encounter(state, pair_id)) is not None}
    are_agendas_next = not state.is_closed and len(pairs) == len(state.unpublished_pairs)
    participants = sorted(state.unpublished_participants)[:MAX_AGENDAS] if are_agendas_next else []
    agendas = {
        participant_id: agenda
        for participant_id in participants
        if (agenda := _agenda(state, participant_id, encounters)) is not None
    }
    change = Published(encounters=encounters, agendas=agendas, pairs=tuple(pairs), participants=tuple(participants))
    events: list[Event] = [
        _encounter_event(state, pair_id, encounter, now) for pair_id, encounter in encounters.items()
    ]
    events += [_agenda_event(state, participant_id, agenda, now) for participant_id, agenda in agendas.items()]
    return change, events


def _attended(state: AgendaState) -> list[str]:
    return sorted(pair_id for pair_id in state.unpublished_pairs if pair_id in state.attended)


def _encounter(state: AgendaState, pair_id: str) -> PublishedEncounter | None:
    """Return the encounter to publish, or `None` if its content was published already."""
    published, attended, pair = state.encounters.get(pair_id), state.attended.get(pair_id), state.pairs[pair_id]
    place, reason = _place(state, pair_id), state.waiting.get(pair_id)
    if published is None and place is None and reason is None:
        return None
    present = PublishedEncounter(
        revision=published.revision + 1 if published else 1,
        state=attended.outcome if attended else _state(state, pair_id, has_no_place=place is None),
        place=place,
        reason=reason,
        people=pair.published_people,
        absent_ids=attended.absent_ids if attended else (),
        is_locked=pair_id in state.locked,
        comes_after=state.comes_after.get(pair_id, ()),
    )
    if published is None:
        return present
    if attended is None and published.is_arranged_like(present):
        present = present.model_copy(update={"state": published.state})
    return None if published.reads_like(present, is_attended=attended is not None) else present


def _place(state: AgendaState, pair_id: str) -> Place | None:
    """Return the place of the pair's encounter, or the place that a missed encounter had."""
    attended = state.attended.get(pair_id)
    return attended.place if attended else state.placements.get(pair_id)


def _state(state: AgendaState, pair_id: str, *, has_no_place: bool) -> EncounterState:
    if has_no_place:
        return EncounterState.WAITING if pair_id in state.waiting else EncounterState.CANCELLED
    return EncounterState.MOVED if _has_announced_place(state, pair_id) else EncounterState.SCHEDULED


def _has_announced_place(state: AgendaState, pair_id: str) -> bool:
    """Return whether the encounter's published place is in an announced agenda of its people."""
    published = state.encounters.get(pair_id)
    if published is None or published.place is None:
        return False
    agendas = (state.agendas.get(person_id) for person_id in published.people or state.pairs[pair_id].matched)
    entry_id = _entry_id(state, pair_id)
    return any(
        line.entry_id == entry_id
        for agenda in agendas
        if agenda is not None and not agenda.provisional
        for line in agenda.entries
    )


def _agenda(
    state: AgendaState, participant_id: str, revised: Mapping[str, PublishedEncounter]
) -> PublishedAgenda | None:
    """Return the agenda to publish, or `None` if its content was published already."""
    published = state.agendas.get(participant_id)
    entries = entries_of(state, participant_id, revised)
    if published is None and not entries:
        return None
    is_first_final = bool(entries) and published is not None and published.provisional and state.announced
    if published is not None and not is_first_final and not any(_differences(published.entries, entries)):
        return None
    revision = published.revision + 1 if published else 1
    return PublishedAgenda(revision=revision, provisional=not state.announced, entries=entries)


def entries_of(
    state: AgendaState, participant_id: str, revised: Mapping[str, PublishedEncounter]
) -> tuple[AgendaEntry, ...]:
    """Return the lines of a participant's agenda in order of time.

    `revised` are the encounters that the same decision publishes, by pair. A published line is kept as the same object
    unless it is stale, so that `_differences` need not compare it.
    """
    participant, edition = state.participants.get(participant_id), state.edition
    if participant is None or edition is None:
        return ()
    published, stale = state.agendas.get(participant_id), state.stale_lines.get(participant_id)
    if stale is None:
        pairs = list(_encounters_of(state, participant_id))
    else:
        pairs = [pair_id for pair_id in stale if _has_encounter(state, participant_id, pair_id)]
    rewritten = {_entry_id(state, pair_id) for pair_id in stale or ()}
    attended = state.sessions_of(participant) if state.takes_part(participant_id) else ()
    sessions = {session.session_id: session for session in attended}
    entries = []
    for entry in published.entries if published else ():
        if entry.kind is EntryKind.ENCOUNTER:
            stays = stale is not None and entry.entry_id not in rewritten
        elif stays := entry.entry_id in sessions and _is_line_of(entry, sessions[entry.entry_id]):
            del sessions[entry.entry_id]
        if stays:
            entries.append(entry)
    for pair_id in pairs:
        revision = (revised.get(pair_id) or state.encounters[pair_id]).revision
        insort(entries, _encounter_line(state, participant_id, pair_id, revision), key=_line_order)
    for session in sessions.values():
        insort(entries, _session_line(session, edition.revision), key=_line_order)
    return tuple(entries)


def _encounters_of(state: AgendaState, participant_id: str) -> Iterable[str]:
    """List the pairs whose encounters are in a participant's agenda: placed, or missed."""
    yield from state.board.assignments_of[participant_id]
    if state.attended:
        own_pairs = state.links.pairs_of[participant_id]
        yield from sorted(pair for pair in own_pairs if pair in state.attended and pair not in state.placements)


def _has_encounter(state: AgendaState, participant_id: str, pair_id: str) -> bool:
    """Return whether `_encounters_of` the participant lists the pair."""
    return participant_id in state.pairs[pair_id].people and (pair_id in state.placements or pair_id in state.attended)


def _line_order(entry: AgendaEntry) -> tuple[datetime, str]:
    return entry.starts_at, entry.entry_id


def _encounter_line(state: AgendaState, participant_id: str, pair_id: str, revision: int) -> AgendaEntry:
    place = _place(state, pair_id)
    assert place is not None  # noqa: S101 - each encounter of an agenda has or had a place
    partner_id, *other_ids = (person_id for person_id in state.pairs[pair_id].people if person_id != participant_id)
    return AgendaEntry(
        kind=EntryKind.ENCOUNTER,
        entry_id=_entry_id(state, pair_id),
        sequence=revision,
        starts_at=place.starts_at,
        ends_at=place.ends_at,
        zone_id=place.zone_id,
        table=place.table,
        with_participant_id=partner_id,
        with_organisation_id=_organisation_id(state, partner_id),
        others=tuple(_party(state, person_id) for person_id in other_ids),
    )


def _session_line(session: Session, revision: int) -> AgendaEntry:
    return AgendaEntry(
        kind=EntryKind.SESSION,
        entry_id=session.session_id,
        sequence=revision,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        zone_id=session.zone_id,
        title=session.title,
    )


def _is_line_of(line: AgendaEntry, session: Session) -> bool:
    """Return whether a line has the present content of a session."""
    is_same_time = line.starts_at == session.starts_at and line.ends_at == session.ends_at
    return is_same_time and line.zone_id == session.zone_id and line.title == session.title


def _entry_id(state: AgendaState, pair_id: str) -> str:
    return _id_of(state.edition_id, *state.pairs[pair_id].matched)


def _party(state: AgendaState, participant_id: str) -> Party:
    return Party(participant_id=participant_id, organisation_id=_organisation_id(state, participant_id))


def _organisation_id(state: AgendaState, participant_id: str) -> str | None:
    participant = state.participants.get(participant_id)
    return participant.organisation_id if participant else None


def _differences(
    published: Sequence[AgendaEntry], entries: Sequence[AgendaEntry]
) -> Iterator[tuple[str, AgendaEntry | None, AgendaEntry | None]]:
    """List the lines whose content differs: id, published line, present line. Identical objects are not compared."""
    same = {*map(id, published)} & {*map(id, entries)}
    before = {line.entry_id: line for line in published if id(line) not in same}
    after = {line.entry_id: line for line in entries if id(line) not in same}
    for entry_id in dict.fromkeys((*before, *after)):
        old, new = before.get(entry_id), after.get(entry_id)
        if old is None or new is None or content_of(old) != content_of(new):
            yield entry_id, old, new


def _change(entry_id: str, before: AgendaEntry | None, after: AgendaEntry | None) -> AgendaChange:
    kind = (ChangeKind.MOVED if after else ChangeKind.REMOVED) if before else ChangeKind.ADDED
    return AgendaChange(kind=kind, entry_id=entry_id, before=before, after=after)


def _encounter_event(
    state: AgendaState, pair_id: str, encounter: PublishedEncounter, now: datetime
) -> EncounterChanged:
    pair = state.pairs[pair_id]
    first_id, second_id = pair.participant_ids
    return EncounterChanged(
        operator_id=_operator_id(state),
        edition_id=state.edition_id,
        revision=encounter.revision,
        occurred_at=now,
        encounter_id=_entry_id(state, pair_id),
        state=encounter.state,
        participant_ids=pair.participant_ids,
        organisation_ids=(_organisation_id(state, first_id), _organisation_id(state, second_id)),
        guests=tuple(_party(state, guest_id) for guest_id in pair.guest_ids),
        request_ids=pair.request_ids,
        affinity=pair.score,
        place=encounter.place,
        waiting_reason=encounter.reason,
        relaxation=_relaxation(state, pair_id, now) if encounter.reason in RELAXABLE else None,
        absent_ids=encounter.absent_ids,
        is_locked=encounter.is_locked,
        comes_after=tuple(sorted(_entry_id(state, earlier) for earlier in encounter.comes_after)),
        cause=state.unpublished_pairs[pair_id],
    )


def _relaxation(state: AgendaState, pair_id: str, now: datetime) -> Relaxation | None:
    return nearest_relaxation(state.board, state.meeting(pair_id), timing.open_slots(state, now))


def _agenda_event(state: AgendaState, participant_id: str, agenda: PublishedAgenda, now: datetime) -> AgendaChanged:
    published = state.agendas.get(participant_id)
    return AgendaChanged(
        operator_id=_operator_id(state),
        edition_id=state.edition_id,
        revision=agenda.revision,
        occurred_at=now,
        participant_id=participant_id,
        provisional=agenda.provisional,
        entries=agenda.entries,
        changes=tuple(starmap(_change, _differences(published.entries if published else (), agenda.entries))),
        causes=state.unpublished_participants[participant_id],
        certificate=state.certificate,
        waiting=() if agenda.provisional else tuple(_waiting(state, participant_id)),
    )


def _waiting(state: AgendaState, participant_id: str) -> Iterator[WaitingEncounter]:
    """List the participant's encounters that wait, with remedies found lately for the same reason."""
    pairs = sorted(state.links.pairs_of[participant_id] & state.waiting.keys(), key=lambda pair: _entry_id(state, pair))
    for pair_id in pairs[:_MOST_WAITING]:
        reason, (known, remedy) = state.waiting[pair_id], state.links.remedies.get(pair_id, (None, None))
        yield WaitingEncounter(
            encounter_id=_entry_id(state, pair_id),
            parties=tuple(_party(state, person) for person in state.pairs[pair_id].people if person != participant_id),
            reason=reason,
            remedy=remedy if known is reason else None,
        )


def _operator_id(state: AgendaState) -> str:
    assert state.operator_id is not None  # noqa: S101 - each edition and each pair names its operator
    return state.operator_id
