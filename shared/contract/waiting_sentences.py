"""The sentences about encounters that wait: the reason, and the remedy that the scheduler found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.contract.events import Remedy, RemedyKind, RemedyStep, WaitingReason
from shared.contract.waiting_phrases import WaitingPhrases


@dataclass(frozen=True)
class WaitingWords:
    """The words of a reader: the name of a participant and of a zone, and a time in the edition's zone."""

    person: Callable[[str], str]
    zone: Callable[[str], str]
    time: Callable[[datetime], str]


def sentences_of(
    reason: WaitingReason, remedy: Remedy | None, phrases: WaitingPhrases, words: WaitingWords
) -> tuple[str, ...]:
    """Return the reason of a waiting encounter and its remedy, if the scheduler has found any, as sentences."""
    text = phrases.reasons[reason]
    return (text, _remedy(remedy, phrases, words)) if remedy else (text,)


def _remedy(remedy: Remedy, phrases: WaitingPhrases, words: WaitingWords) -> str:
    steps = [_step(step, phrases, words) for step in remedy.steps]
    if remedy.lost_ids:
        steps.append(phrases.another_waits)
    elif remedy.moved_ids:
        steps.append(phrases.others_move)
    time, as_of = words.time(remedy.place.starts_at), words.time(remedy.as_of)
    return phrases.remedy.format(time=time, steps=phrases.separator.join(steps), as_of=as_of)


def _step(step: RemedyStep, phrases: WaitingPhrases, words: WaitingWords) -> str:
    is_many = step.kind is RemedyKind.TABLE and (step.tables or 1) > 1
    return (phrases.further_tables if is_many else phrases.steps[step.kind]).format(
        person=words.person(step.participant_id) if step.participant_id else "",
        zone=words.zone(step.zone_id) if step.zone_id else "",
        time=words.time(step.time.starts_at) if step.time else "",
        quota=step.quota,
        tables=step.tables,
    )
