"""The past of an encounter, from the scheduler's journal: its places, its reasons to wait, and their causes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from services.scheduler.domain.changes import (
    AttendanceRecorded,
    Change,
    Edited,
    Locked,
    Ordered,
    PairRecorded,
    Placed,
    Removed,
    TakenOver,
    Undone,
    Waits,
)
from shared.contract.events import Cause, CauseCode, Place
from shared.contract.ids import encounter_id as id_of_encounter
from shared.contract.ids import pair_id
from shared.storage.history import PastEntry, Step, step_in

_SERVICE = "scheduler"
_Past = Sequence[PastEntry[Change]]
#: The changes of one pair's encounter.
_OfPair = (PairRecorded, Placed, Removed, Waits, Locked, Ordered, TakenOver, AttendanceRecorded)


def pair_behind(encounter_id: str, edition_id: str, entries: _Past) -> tuple[str, str] | None:
    """Return the two participants whose encounter has this id, as matching named them; `None` if there are none."""
    for entry in entries:
        for change in entry.changes:
            if isinstance(change, PairRecorded):
                first_id, second_id = change.pair.participant_ids
                if id_of_encounter(edition_id, first_id, second_id) == encounter_id:
                    return first_id, second_id
    return None


def steps_of(edition_id: str, pair: tuple[str, str], entries: _Past) -> Iterator[Step]:
    """List the steps of a pair's encounter: its places, its reasons to wait, its edits, oldest first."""
    identity = pair_id(edition_id, *pair)
    names = _PairNames(edition_id)
    place: Place | None = None
    for entry in entries:
        before = place
        for change in entry.changes:
            if isinstance(change, PairRecorded):
                names.add(change)
            if not isinstance(change, _OfPair) or change.pair_id != identity:
                continue
            if isinstance(change, Placed):
                place = change.place
            elif isinstance(change, Removed):
                place = None
                if _is_placed_after(change, entry):
                    continue
            what = names.order(change.comes_after) if isinstance(change, Ordered) else _what(change, before)
            yield step_in(entry, _SERVICE, what, names.cause(getattr(change, "cause", None), entry))


def _what(change: Change, before: Place | None) -> str:  # noqa: PLR0911 - a case for each type of change
    match change:
        case Placed(place=place):
            return f"moved {_place(before)} -> {_place(place)}" if before else f"placed {_place(place)}"
        case Removed():
            return f"lost {_place(before)}"
        case PairRecorded(pair=pair):
            return f"consent {pair.consent}, score {pair.score:.4f}, priority {pair.priority}"
        case Waits(reason=reason):
            return f"waits: {reason}" if reason else "is not wanted any more"
        case Locked(is_locked=is_locked):
            return "locked by hand" if is_locked else "not locked any more"
        case TakenOver(people=(first, second, *guests)):
            joined = f", joined by {', '.join(guests)}" if guests else ""
            return f"{first} and {second} meet{joined}"
        case AttendanceRecorded(attended=attended):
            absent_ids = attended.absent_ids
            return f"{attended.outcome}{', absent ' if absent_ids else ''}{', '.join(absent_ids)}"
        case _:
            return change.type


class _PairNames:
    """Names of pairs for causes and orders: the two participants in place of a pair id."""

    def __init__(self, edition_id: str) -> None:
        self._edition_id = edition_id
        self._names: dict[str, str] = {}

    def add(self, change: PairRecorded) -> None:
        self._names[change.pair_id] = " and ".join(change.pair.participant_ids)

    def order(self, comes_after: Sequence[str]) -> str:
        """Describe the order of an encounter by the participants of the encounters before it."""
        names = "; ".join(self._names.get(pair, pair) for pair in comes_after)
        return f"comes after: {names}" if names else "comes after no other any more"

    def cause(self, cause: Cause | None, entry: PastEntry[Change]) -> str:
        """Describe a cause: its code, its subject, and the edits of the entry if the organiser is the cause."""
        if cause is None:
            return _author(entry)
        subject = (
            "" if cause.subject_id == self._edition_id else f" {self._names.get(cause.subject_id, cause.subject_id)}"
        )
        edits = list(_edits(entry.changes)) if cause.code is CauseCode.ORGANISER_EDITED else []
        author = f" by {cause.actor}" if cause.actor else ""
        return f"{cause.code}{subject}" + (f" ({', '.join(edits)})" if edits else "") + author


def _author(entry: PastEntry[Change]) -> str:
    """Return the author of the edit by hand that an entry is; empty if it is none, or its author is not recorded."""
    authors = {change.actor for change in entry.changes if isinstance(change, Edited | Undone)}
    return next((f"by {actor}" for actor in authors if actor), "")


def _edits(changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        if isinstance(change, Edited):
            yield change.made.edit.type
        elif isinstance(change, Undone):
            yield "undo"


def _is_placed_after(removed: Removed, entry: PastEntry[Change]) -> bool:
    """Return whether a later change of the same entry gives the encounter another place."""
    later = entry.changes[entry.changes.index(removed) + 1 :]
    return any(isinstance(change, Placed) and change.pair_id == removed.pair_id for change in later)


def _place(place: Place | None) -> str:
    if place is None:
        return "-"
    return f"{place.starts_at:%m-%d %H:%M} slot {place.slot} {place.zone_id}/{place.table}"
