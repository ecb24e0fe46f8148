"""Requests of an organiser that the scheduler decides: edits of the agenda by hand, and reports of attendance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.registration.domain.entity import Facts
from services.registration.domain.errors import FieldError, Invalid
from shared.contract.ids import Id
from shared.internal_api.edits import MOST_PEOPLE, BrokenRule, Edit

#: Words for the rules that an edit may not break, by the names of the scheduler.
WORDS_OF_RULES = {
    "no_consent": "one of the two has not agreed to meet",
    "not_taking_part": "a participant or an organisation does not take part",
    "no_such_slot": "the edition has no such slot",
    "not_available": "a participant is not there at that time",
    "in_a_session": "a participant attends a session at that time",
    "over_quota": "a participant would have more encounters than the edition allows",
    "pair_twice": "the same two participants would have two encounters",
    "person_twice": "a participant would be in two encounters at a time, and the second is locked or has begun",
    "out_of_order": "an encounter would come before its predecessor, and one of the two is locked or has begun",
    "no_such_table": "the zone has no such table",
    "wrong_zone": "Innova+ is for companies with research groups or technology centres",
    "table_twice": "the table is taken at that time by an encounter that is locked or has begun",
}


class AttendanceFacts(Facts):
    """Report of an encounter from the venue: held or missed, and the absent participants."""

    outcome: Literal["held", "missed"]
    absent: tuple[Id, ...] = Field(
        default=(),
        max_length=MOST_PEOPLE,
        description="Absent participants: one of the two if the encounter was missed, guests if it was held.",
    )


class EditFacts(Facts):
    """An edit of the agenda by hand."""

    edit: Edit


class MissingIfMatch(Exception):
    """An edit came without the token of its dry run; the message says what to send."""


class EditBreaksRules(Invalid):
    """An edit would break rules; a fault names a rule, the participants and the encounters."""


def describe_breach(broken: BrokenRule, names: dict[str, str]) -> FieldError:
    """Return a broken rule in words, with the names of the participants concerned."""
    people = ", ".join(
        f"{names.get(participant_id, '?')} ({participant_id})" for participant_id in broken.participant_ids
    )
    words = WORDS_OF_RULES.get(broken.rule, broken.rule.replace("_", " "))
    return FieldError("/edit", f"{broken.rule}: {words}: {people}; encounters {', '.join(broken.encounter_ids)}")
