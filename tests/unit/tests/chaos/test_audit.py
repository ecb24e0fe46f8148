"""Promises of the chaos audit accept complete evidence and catch a planted violation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared.contract.events import (
    AgendaChanged,
    EditionChanged,
    EncounterChanged,
    EncounterState,
    MatchRequestChanged,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.contract.ids import encounter_id
from tests.chaos.audit import PROMISES, broken_promises
from tests.chaos.evidence import LetterSeen, RunEvidence, Seen, Unread, must_be_whole
from tests.chaos.history import holds
from tests.support.chaos_evidence import (
    PEOPLE,
    at_the_same_time,
    complete_evidence,
    inputs,
    record,
    with_api,
    with_entry,
    with_history,
    with_newest,
    without,
)


@pytest.fixture
def right(tmp_path: Path) -> RunEvidence:
    return complete_evidence(tmp_path)


def test_complete_evidence_has_no_violations(right: RunEvidence) -> None:
    assert broken_promises(right) == []
    assert any(isinstance(event, EncounterChanged) and event.place for event in right.events)
    assert len(right.mails) == len(PEOPLE)


ENCOUNTER = encounter_id("edn_1", *PEOPLE[:2])
PLANTED_VIOLATIONS: list[tuple[str, str, Callable[[RunEvidence], RunEvidence]]] = [
    (
        "accepted_writes_are_in_the_api_once",
        "participants/prt_1 is not in the API",
        lambda evidence: replace(
            evidence, api={key: thing for key, thing in evidence.api.items() if key[1] != "prt_1"}
        ),
    ),
    (
        "accepted_writes_are_in_the_api_once",
        "participants/prt_9 is in the API, and was acknowledged to nobody",
        lambda evidence: replace(evidence, api={**evidence.api, ("participants", "prt_9"): {"revision": 1}}),
    ),
    (
        "accepted_writes_are_in_the_api_once",
        "participants/prt_1 is at revision 2 in the API, after 1 writes",
        lambda evidence: with_api(evidence, "participants", "prt_1", revision=2),
    ),
    (
        "accepted_writes_are_in_the_api_once",
        "does not say in the API what was last written: name",
        lambda evidence: with_api(evidence, "participants", "prt_1", name="Somebody"),
    ),
    (
        "accepted_writes_are_in_the_api_once",
        "nobody knows why",
        lambda evidence: with_history(evidence, lambda history: history.unexplained.append("nobody knows why")),
    ),
    (
        "accepted_writes_are_on_their_topics",
        "organisations/org_1 was acknowledged, and is not on its topic",
        lambda evidence: without(
            evidence, lambda event: isinstance(event, OrganisationChanged) and event.thing_id == "org_1"
        ),
    ),
    (
        "accepted_writes_are_on_their_topics",
        "organisations/org_1 is on a topic, and was acknowledged to nobody",
        lambda evidence: with_history(evidence, lambda history: history.things.pop(("organisations", "org_1"))),
    ),
    (
        "accepted_writes_are_on_their_topics",
        "does not say in its topic what was last written: email",
        lambda evidence: with_newest(evidence, ParticipantChanged, "prt_2", email="old@x.example"),
    ),
    (
        "accepted_writes_are_on_their_topics",
        "match-requests/req_1 is at revision 1 in its topic, after 2 writes",
        lambda evidence: without(
            evidence,
            lambda event: isinstance(event, MatchRequestChanged) and (event.thing_id, event.revision) == ("req_1", 2),
        ),
    ),
    (
        "streams_have_no_gap",
        "goes from revision 0 to 2",
        lambda evidence: without(evidence, lambda event: isinstance(event, EditionChanged) and event.revision == 1),
    ),
    (
        "streams_have_no_gap",
        "has two different revisions 1",
        lambda evidence: replace(
            evidence, seen=[*evidence.seen, record(99, inputs()[2].model_copy(update={"name": "Other"}))]
        ),
    ),
    (
        "streams_have_no_gap",
        "goes from revision 0 to 2",
        lambda evidence: replace(evidence, seen=[*evidence.seen[1::-1], *evidence.seen[2:]]),
    ),
    (
        "records_are_in_their_editions_partition",
        "is no event, and nobody planted it",
        lambda evidence: replace(evidence, seen=[*evidence.seen, Seen("agenda.v1", 0, 99, None)]),
    ),
    (
        "records_are_in_their_editions_partition",
        "is not in the partition of edn_1",
        lambda evidence: replace(
            evidence, seen=[replace(evidence.seen[0], partition=evidence.seen[0].partition + 1), *evidence.seen[1:]]
        ),
    ),
    (
        "nobody_is_booked_twice",
        "prt_2 is taken by",
        lambda evidence: with_entry(evidence, at_the_same_time(evidence)),
    ),
    (
        "nobody_is_booked_twice",
        "table workspace/W1 is taken by",
        lambda evidence: with_entry(evidence, at_the_same_time(evidence)),
    ),
    (
        "agendas_keep_every_rule",
        "table_twice",
        lambda evidence: with_entry(evidence, at_the_same_time(evidence)),
    ),
    (
        "agendas_keep_every_rule",
        "the agenda of prt_1 on its topic is not the journal's",
        lambda evidence: with_newest(evidence, AgendaChanged, "prt_1", entries=()),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} was agreed, and is cancelled",
        lambda evidence: with_newest(evidence, EncounterChanged, ENCOUNTER, state=EncounterState.CANCELLED),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} was agreed, and is not published",
        lambda evidence: without(
            evidence, lambda event: isinstance(event, EncounterChanged) and event.thing_id == ENCOUNTER
        ),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} waits without a reason",
        lambda evidence: with_newest(evidence, EncounterChanged, ENCOUNTER, state=EncounterState.WAITING),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} is placed, and nobody agreed on it",
        lambda evidence: with_history(
            evidence, lambda history: history.things["match-requests", "req_1"].fields.update(state="withdrawn")
        ),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} is placed, and nobody agreed on it",
        lambda evidence: with_history(
            evidence, lambda history: history.things["participants", "prt_1"].fields.update(status="cancelled")
        ),
    ),
    (
        "last_mails_tell_the_agendas",
        "prt_1 has an agenda and no mail",
        lambda evidence: replace(evidence, mails=[mail for mail in evidence.mails if mail.participant_id != "prt_1"]),
    ),
    (
        "last_mails_tell_the_agendas",
        "2 times",
        lambda evidence: replace(evidence, mails=[*evidence.mails, evidence.mails[0]]),
    ),
    (
        "last_mails_tell_the_agendas",
        "the last mail of prt_3",
        lambda evidence: with_newest(evidence, AgendaChanged, "prt_3", entries=()),
    ),
    (
        "outboxes_are_empty",
        "3 of matching.journal hold unsent messages",
        lambda evidence: replace(evidence, unsent={"matching.journal": 3}),
    ),
    (
        "dead_letters_are_the_poison",
        "l9 was dead-lettered, and nobody planted it",
        lambda evidence: replace(evidence, letters=[*evidence.letters, LetterSeen("l9", None, "tertulia-matching")]),
    ),
    (
        "dead_letters_are_the_poison",
        "poison 0 (bad JSON in affinity.v1) was dead-lettered 0 times by tertulia-notify",
        lambda evidence: replace(evidence, letters=evidence.letters[:1]),
    ),
    (
        "dead_letters_are_the_poison",
        "dead-lettered 2 times by tertulia-scheduler, and is there 1 times",
        lambda evidence: replace(evidence, letters=[*evidence.letters, LetterSeen("l9", 0, "tertulia-scheduler")]),
    ),
]


@pytest.mark.parametrize(("promise", "sentence", "spoil"), PLANTED_VIOLATIONS)
def test_a_planted_violation_is_caught(
    right: RunEvidence, promise: str, sentence: str, spoil: Callable[[RunEvidence], RunEvidence]
) -> None:
    found = broken_promises(spoil(right))
    assert any(violation.startswith(f"{promise}: ") and sentence in violation for violation in found), found


def test_every_promise_has_a_planted_violation() -> None:
    assert {promise for promise, _, _ in PLANTED_VIOLATIONS} == {promise.__name__ for promise in PROMISES}


def test_a_partly_read_topic_is_an_error() -> None:
    seen = [Seen("agenda.v1", 1, offset, None) for offset in range(3)]
    must_be_whole(seen, {("agenda.v1", 1): 3, ("agenda.v1", 2): 0})
    for read, end in ((seen, 4), (seen[1:], 3), ([seen[0], seen[2]], 3)):
        with pytest.raises(Unread, match=rf"agenda\.v1/1 has {end} records, and {len(read)} were read"):
            must_be_whole(read, {("agenda.v1", 1): end})


def test_a_repeat_and_a_copy_of_poison_are_no_violations(right: RunEvidence) -> None:
    late = [record(90, inputs()[0]), record(91, inputs()[1])]
    copy = Seen("affinity.v1", 0, 92, None, mark=0)
    letters = [*right.letters, *(replace(letter, letter_id=f"{letter.letter_id}b") for letter in right.letters)]
    assert broken_promises(replace(right, seen=[*right.seen, *late, copy], letters=letters)) == []


@pytest.mark.parametrize(
    ("expected", "actual", "is_held"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2, "d": 3}]}}, True),
        ({"at": "2026-11-26T10:00:00+01:00"}, {"at": "2026-11-26T09:00:00Z"}, True),
        ({"at": "2026-11-26T10:00:00+01:00"}, {"at": "2026-11-26T10:00:00Z"}, False),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {}, False),
        ([1], [1, 2], False),
        ("09:00", "09:00:00", True),
        ("09:00", "09:01:00", False),
        ("2026-01-01", "2027-01-01", False),
        ("one", "another", False),
        ({"a": 1}, None, False),
    ],
)
def test_expected_fields_are_compared_by_value(expected: object, actual: object, *, is_held: bool) -> None:
    assert holds(expected, actual) is is_held
