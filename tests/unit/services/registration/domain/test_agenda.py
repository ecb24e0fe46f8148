"""The words for the scheduler's rules in answers to an organiser."""

from __future__ import annotations

from services.registration.domain.agenda import WORDS_OF_RULES, describe_breach
from services.scheduler.domain.timetable.rules import RULES
from shared.internal_api.edits import BrokenRule


def test_every_rule_of_the_scheduler_has_words() -> None:
    assert set(WORDS_OF_RULES) == {rule.name for rule in RULES}


def test_a_breach_names_the_rule_the_participants_and_the_encounters() -> None:
    broken = BrokenRule(rule="over_quota", encounter_ids=("enc_1", "enc_2"), participant_ids=("prt_1", "prt_2"))
    assert describe_breach(broken, {"prt_1": "Ana"}).detail == (
        "over_quota: a participant would have more encounters than the edition allows: Ana (prt_1), ? (prt_2); "
        "encounters enc_1, enc_2"
    )
