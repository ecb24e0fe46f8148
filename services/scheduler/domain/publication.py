"""Tell: from what was last published and what is the case now, the events that say what changed. A->B->A is silent."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import starmap

from services.scheduler.domain.changes import Published
from services.scheduler.domain.snapshots import PublishedAgenda, PublishedEncounter
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.relaxation import nearest_relaxation
from shared.contract.events import (
    AgendaChange,
    AgendaChanged,
    AgendaEntry,
    Cause,
    ChangeKind,
    EncounterChanged,
    EncounterState,
    EntryKind,
    Event,
    Party,
    Place,
    Relaxation,
    Session,
    Status,
    WaitingReason,
    content_of,
)
from shared.contract.ids import encounter_id

#: Agendas told in one journal entry: with their encounters about 2 MB, well under what a document holds.
MAX_AGENDAS = 300
_MOST_ENCOUNTERS = 1000

#: What somebody unknown waits for is not a slot.
_RELAXABLE = frozenset(WaitingReason) - {WaitingReason.EDITION_UNKNOWN, WaitingReason.PARTICIPANT_UNKNOWN}

#: An id is a hash, and each line of an agenda needs one.
_id_of = lru_cache(maxsize=1 << 17)(encounter_id)


def publish(state: AgendaState, now: datetime) -> tuple[Published | None, list[Event]]:
    """What to publish of the changes not told yet, at most `MAX_AGENDAS` of them, and the change that notes it.

    Encounters come first: an agenda's lines carry their revisions. Of a closed edition nothing is told but attendance.
    """
    if not (state.unpublished_pairs or state.unpublished_participants) or (state.is_closed and not _late(state)):
        return None, []
    pairs = (_late(state) if state.is_closed else sorted(state.unpublished_pairs))[:_MOST_ENCOUNTERS]
    encounters = {pair: encounter for pair in pairs if (encounter := _encounter(state, pair)) is not None}
    is_last = not state.is_closed and len(pairs) == len(state.unpublished_pairs)
    participants = sorted(state.unpublished_participants)[:MAX_AGENDAS] if is_last else []
    agendas = {each: agenda for each in participants if (agenda := _agenda(state, each, encounters)) is not None}
    told = Published(encounters=encounters, agendas=agendas, pairs=tuple(pairs), participants=tuple(participants))
    events: list[Event] = [_encounter_event(state, pair, encounter, now) for pair, encounter in encounters.items()]
    events += [_agenda_event(state, participant, agenda, now) for participant, agenda in agendas.items()]
    return told, events


def _late(state: AgendaState) -> list[str]:
    return sorted(pair for pair in state.unpublished_pairs if pair in state.attended)


def _encounter(state: AgendaState, pair_id: str) -> PublishedEncounter | None:
    """The encounter as it is now, if that is not what was told."""
    told, attended, pair = state.encounters.get(pair_id), state.attended.get(pair_id), state.pairs[pair_id]
    place, reason = _place(state, pair_id), state.waiting.get(pair_id)
    if told is None and place is None and reason is None:
        return None
    now = PublishedEncounter(
        revision=told.revision + 1 if told else 1,
        state=attended.outcome if attended else _state(told, place is None, reason is None),
        place=place,
        reason=reason,
        people=pair.published_people,
        absent_ids=attended.absent_ids if attended else (),
        is_locked=pair_id in state.locked,
        comes_after=state.comes_after.get(pair_id, ()),
    )
    if told is not None and attended is None and told.is_arranged_like(now):
        now = now.model_copy(update={"state": told.state})
    return None if told is not None and _reads_the_same(told, now, is_attended=attended is not None) else now


def _reads_the_same(told: PublishedEncounter, now: PublishedEncounter, *, is_attended: bool) -> bool:
    """Whether only the revision differs, and the state by what it says of the way here."""
    update = {"revision": told.revision} if is_attended else {"revision": told.revision, "state": told.state}
    return now.model_copy(update=update) == told


def _place(state: AgendaState, pair_id: str) -> Place | None:
    """Where the encounter is, or was to be before it was missed."""
    attended = state.attended.get(pair_id)
    return attended.place if attended else state.placements.get(pair_id)


def _state(told: PublishedEncounter | None, has_no_place: bool, is_unwanted: bool) -> EncounterState:
    if has_no_place:
        return EncounterState.CANCELLED if is_unwanted else EncounterState.WAITING
    return EncounterState.SCHEDULED if told is None or told.place is None else EncounterState.MOVED


def _agenda(
    state: AgendaState, participant_id: str, revised: Mapping[str, PublishedEncounter]
) -> PublishedAgenda | None:
    """The participant's agenda as it is now, if that is not what was told."""
    told = state.agendas.get(participant_id)
    entries = entries_of(state, participant_id, revised)
    if told is None and not entries:
        return None
    is_first_final = bool(entries) and told is not None and told.provisional and state.announced
    if told is not None and not is_first_final and not any(_differences(told.entries, entries)):
        return None
    return PublishedAgenda(revision=told.revision + 1 if told else 1, provisional=not state.announced, entries=entries)


def entries_of(
    state: AgendaState, participant_id: str, revised: Mapping[str, PublishedEncounter]
) -> tuple[AgendaEntry, ...]:
    """The lines of an agenda in order: those told before, but for what may read differently by now."""
    participant, edition = state.participants.get(participant_id), state.edition
    if participant is None or edition is None:
        return ()
    told, stale = state.agendas.get(participant_id), state.stale_lines.get(participant_id)
    if stale is None:
        pairs = list(state.encounters_of(participant_id))
    else:
        pairs = [pair for pair in stale if state.has_encounter(participant_id, pair)]
    rewritten = {_entry_id(state, pair) for pair in stale or ()}
    is_active = participant.status is Status.ACTIVE
    sessions = {each.session_id: each for each in state.sessions_of(participant)} if is_active else {}
    entries = []
    for entry in told.entries if told else ():
        if entry.kind is EntryKind.ENCOUNTER:
            stays = stale is not None and entry.entry_id not in rewritten
        elif stays := entry.entry_id in sessions and _is_of(entry, sessions[entry.entry_id]):
            del sessions[entry.entry_id]
        if stays:
            entries.append(entry)
    for pair in pairs:
        revision = (revised.get(pair) or state.encounters[pair]).revision
        insort(entries, _line(state, participant_id, pair, revision), key=_order)
    for session in sessions.values():
        insort(entries, _session_line(session, edition.revision), key=_order)
    return tuple(entries)


def _order(entry: AgendaEntry) -> tuple[datetime, str]:
    return entry.starts_at, entry.entry_id


def _line(state: AgendaState, participant_id: str, pair_id: str, revision: int) -> AgendaEntry:
    place = _place(state, pair_id)
    assert place is not None  # noqa: S101 - it is one of the encounters that have or had one
    partner, *others = (each for each in state.pairs[pair_id].people if each != participant_id)
    return AgendaEntry(
        kind=EntryKind.ENCOUNTER,
        entry_id=_entry_id(state, pair_id),
        sequence=revision,
        starts_at=place.starts_at,
        ends_at=place.ends_at,
        zone_id=place.zone_id,
        table=place.table,
        with_participant_id=partner,
        with_organisation_id=_organisation(state, partner),
        others=tuple(_party(state, each) for each in others),
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


def _is_of(line: AgendaEntry, session: Session) -> bool:
    """Whether the line says of the session what there is to say."""
    same = line.starts_at == session.starts_at and line.ends_at == session.ends_at
    return same and line.zone_id == session.zone_id and line.title == session.title


def _entry_id(state: AgendaState, pair_id: str) -> str:
    return _id_of(state.edition_id, *state.pairs[pair_id].matched)


def _party(state: AgendaState, participant_id: str) -> Party:
    return Party(participant_id=participant_id, organisation_id=_organisation(state, participant_id))


def _organisation(state: AgendaState, participant_id: str) -> str | None:
    participant = state.participants.get(participant_id)
    return participant.organisation_id if participant else None


def _differences(
    told: Sequence[AgendaEntry], entries: Sequence[AgendaEntry]
) -> Iterator[tuple[str, AgendaEntry | None, AgendaEntry | None]]:
    """The lines that read differently: their id, as told, as now. Of those not written anew no word is compared."""
    same = {*map(id, told)} & {*map(id, entries)}
    before, after = ({each.entry_id: each for each in lines if id(each) not in same} for lines in (told, entries))
    for entry_id in dict.fromkeys((*before, *after)):
        was, is_now = before.get(entry_id), after.get(entry_id)
        if was is None or is_now is None or content_of(was) != content_of(is_now):
            yield entry_id, was, is_now


def _change(entry_id: str, was: AgendaEntry | None, is_now: AgendaEntry | None) -> AgendaChange:
    kind = (ChangeKind.MOVED if is_now else ChangeKind.REMOVED) if was else ChangeKind.ADDED
    return AgendaChange(kind=kind, entry_id=entry_id, before=was, after=is_now)


def _encounter_event(
    state: AgendaState, pair_id: str, encounter: PublishedEncounter, now: datetime
) -> EncounterChanged:
    pair = state.pairs[pair_id]
    one, other = pair.participant_ids
    return EncounterChanged(
        operator_id=_operator(state),
        edition_id=state.edition_id,
        revision=encounter.revision,
        occurred_at=now,
        encounter_id=_entry_id(state, pair_id),
        state=encounter.state,
        participant_ids=pair.participant_ids,
        organisation_ids=(_organisation(state, one), _organisation(state, other)),
        guests=tuple(_party(state, each) for each in pair.guest_ids),
        request_ids=pair.request_ids,
        affinity=pair.score,
        place=encounter.place,
        waiting_reason=encounter.reason,
        relaxation=_relaxation(state, pair_id, now) if encounter.reason in _RELAXABLE else None,
        absent_ids=encounter.absent_ids,
        is_locked=encounter.is_locked,
        comes_after=tuple(sorted(_entry_id(state, each) for each in encounter.comes_after)),
        cause=state.unpublished_pairs[pair_id],
    )


def _relaxation(state: AgendaState, pair_id: str, now: datetime) -> Relaxation | None:
    return nearest_relaxation(state.board, state.meeting(pair_id), state.open_slots(now))


def _agenda_event(state: AgendaState, participant_id: str, agenda: PublishedAgenda, now: datetime) -> AgendaChanged:
    told = state.agendas.get(participant_id)
    causes: tuple[Cause, ...] = state.unpublished_participants[participant_id]
    return AgendaChanged(
        operator_id=_operator(state),
        edition_id=state.edition_id,
        revision=agenda.revision,
        occurred_at=now,
        participant_id=participant_id,
        provisional=agenda.provisional,
        entries=agenda.entries,
        changes=tuple(starmap(_change, _differences(told.entries if told else (), agenda.entries))),
        causes=causes,
        certificate=state.certificate,
    )


def _operator(state: AgendaState) -> str:
    assert state.operator_id is not None  # noqa: S101 - the edition or the pair that is told of said it
    return state.operator_id
