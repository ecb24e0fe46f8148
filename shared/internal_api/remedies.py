"""The answer of the scheduler to the question why an encounter waits, and its words in English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from pydantic import Field

from shared.contract.events.agenda import WaitingReason
from shared.contract.events.core import Instant, Interval, Value
from shared.contract.events.remedies import Remedy, RemedyKind, RemedyStep
from shared.internal_api.edits import EncounterNow

#: The words of the reasons. A reason blames the rule that took the last slot; the remedy names a change that helps.
WORDS_OF_REASONS = {
    WaitingReason.NO_COMMON_SLOT: "the participants are never present and outside sessions at the same time",
    WaitingReason.QUOTA_REACHED: "a participant has as many encounters as the edition allows",
    WaitingReason.NO_SLOT_IN_ORDER: "no slot is left in the order of encounters that the organiser set",
    WaitingReason.NO_TABLE: "no table is free when the participants are",
    WaitingReason.AGENDAS_FULL: "the participants have no free slot in common",
    WaitingReason.EDITION_UNKNOWN: "the edition has not reached the scheduler yet",
    WaitingReason.PARTICIPANT_UNKNOWN: "a participant has not reached the scheduler yet",
}


class EncounterRemedy(Value):
    """An encounter now. If it waits, `remedy` is the smallest change found that would place it."""

    encounter: EncounterNow
    remedy: Remedy | None = Field(description="Null if the encounter does not wait, or if no remedy was found.")
    as_of: Instant = Field(description="The time of the answer. A later answer may name another remedy.")


def describe(reason: WaitingReason | None, remedy: Remedy | None, names: Mapping[str, str], timezone: tzinfo) -> str:
    """Return the reason to wait and the remedy as English sentences, with names by participant id.

    The text is empty without a reason: the encounter does not wait.
    """
    if reason is None:
        return ""
    waits = f"The encounter waits: {WORDS_OF_REASONS[reason]}."
    if remedy is None:
        return f"{waits} No change was found that would place it."
    return f"{waits} {describe_remedy(remedy, names, timezone)}"


def describe_remedy(remedy: Remedy, names: Mapping[str, str], timezone: tzinfo) -> str:
    """Return a remedy as English sentences."""
    steps = _listed([_words(step, names, timezone) for step in remedy.steps])
    sentences = [f"It would be held on {_time(remedy.place, timezone)} if {steps}."]
    sentences += _consequences(remedy)
    return " ".join(sentences)


def _consequences(remedy: Remedy) -> Iterator[str]:
    if remedy.moved_ids:
        yield f"Encounters that would move: {', '.join(remedy.moved_ids)}."
    if remedy.lost_ids:
        yield f"Encounters that would wait in its stead: {', '.join(remedy.lost_ids)}."


def _words(step: RemedyStep, names: Mapping[str, str], timezone: tzinfo) -> str:  # noqa: PLR0911 - a case for each kind
    name = names.get(step.participant_id or "", step.participant_id or "")
    match step.kind:
        case RemedyKind.HOURS:
            return f"{name} were present on {_time(step.time, timezone)}"
        case RemedyKind.SESSION:
            return f"{name} did not attend session {step.session_id}"
        case RemedyKind.QUOTA:
            return f"the edition allowed {step.quota} encounters for each participant"
        case RemedyKind.TABLE:
            return f"zone {step.zone_id} had {step.tables} more table{'s' if step.tables != 1 else ''}"
        case RemedyKind.SLOT:
            return f"the last day had one more slot, on {_time(step.time, timezone)}"
        case RemedyKind.GUEST:
            return f"the guest {name} did not join"
        case RemedyKind.ORDER:
            return f"encounter {step.encounter_id} need not come after encounter {step.after_id}"
        case RemedyKind.UNLOCK:
            return f"encounter {step.encounter_id} were not locked"
        case RemedyKind.PLACE:
            table = f"table {step.table}" if step.table else "a free table"
            return f"the organiser placed it by hand at {table} of zone {step.zone_id}"


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _time(time: Interval | None, timezone: tzinfo) -> str:
    return f"{time.starts_at.astimezone(timezone):%Y-%m-%d %H:%M}" if time else "?"
