"""What an organiser asks of the agenda: edits by hand, and how encounters went. The scheduler decides on both."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.registration.domain.entity import Facts
from services.registration.domain.errors import FieldError, Invalid
from shared.contract.ids import Id
from shared.internal_api.edits import MOST_PEOPLE, BrokenRule, Edit

#: What the rules that an edit may not break are called in words.
_WORDS = {
    "no_consent": "one of the two has not agreed to meet",
    "not_taking_part": "somebody, or the organisation, does not take part",
    "no_such_slot": "the edition has no such slot",
    "not_available": "somebody is not there at that time",
    "in_a_session": "somebody attends a session at that time",
    "over_quota": "somebody would have more encounters than the edition allows",
    "pair_twice": "the same two would have two encounters",
    "person_twice": "somebody would be in two encounters at a time, the other of which is locked or has begun",
    "out_of_order": "it would not come after one that it has to come after, and one of the two is locked or has begun",
    "no_such_table": "the zone has no such table",
    "wrong_zone": "Innova+ is for companies with research groups or technology centres",
    "table_twice": "others sit at the table at that time, whose encounter is locked or has begun",
}


class AttendanceFacts(Facts):
    """What somebody at the venue says of an encounter."""

    outcome: Literal["held", "missed"]
    absent: tuple[Id, ...] = Field(
        default=(),
        max_length=MOST_PEOPLE,
        description="Who did not come: one of the two if it was missed, guests if held.",
    )


class EditFacts(Facts):
    """An edit of the agenda by hand."""

    edit: Edit


class MissingIfMatch(Exception):
    """An edit came without the token of its dry run; the message says what to send."""


class RulesBroken(Invalid):
    """An edit would break rules; its faults say which, and whose."""


def describe_breach(broken: BrokenRule, names: dict[str, str]) -> FieldError:
    """A rule that would be broken, in words and with the names of those concerned."""
    people = ", ".join(f"{names.get(each, '?')} ({each})" for each in broken.participant_ids)
    words = _WORDS.get(broken.rule, broken.rule.replace("_", " "))
    return FieldError("/edit", f"{broken.rule}: {words}: {people}; encounters {', '.join(broken.encounter_ids)}")
