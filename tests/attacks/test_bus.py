"""Forged records on the bus: a service refuses a record of another operator, and a record at odds with its topic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.matching.aggregate import MatchingAggregate
from services.matching.domain.changes import PairScored, RulesRecorded
from services.matching.domain.decide import Matchmaker
from services.matching.domain.evolve import evolve as evolve_matching
from services.matching.domain.snapshots import EditionRules
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from services.notify.aggregate import AudienceAggregate
from services.scheduler.aggregate import AgendaAggregate
from shared.contract.cloudevents import Record, encode
from shared.contract.events import (
    AgendaChanged,
    CauseCode,
    EncounterChanged,
    EncounterState,
    Event,
    Interval,
    Slot,
    Zone,
    ZoneKind,
)
from shared.contract.ids import encounter_id
from shared.contract.topics import topic_of, topics_of
from shared.messaging.inputs import ForeignOperator
from shared.messaging.topic_log import EditionEvents
from shared.runtime.metrics import REFUSED
from tests.simulation.world import START
from tests.support.events import EventBuilder
from tests.support.metrics import MetricDelta
from tests.support.notify_stage import encounter
from tests.support.one_service import Outcome, consumed_by

CONSUMERS = ("matching", "scheduler", "notify")
STRANGER = "stranger@elsewhere.example"
ours = EventBuilder("op_1", "edn_1", START)
theirs = EventBuilder("op_2", "edn_1", START)
OPENING = START + timedelta(days=1)
SLOTS = tuple(
    Slot(index=n, starts_at=OPENING + n * timedelta(minutes=15), ends_at=OPENING + (n + 1) * timedelta(minutes=15))
    for n in range(4)
)
ZONES = (Zone(zone_id="zn_work", kind=ZoneKind.WORKSPACE, name="Workspace", tables=("1", "2")),)


def things(build: EventBuilder, revision: int = 1, **participant: Any) -> list[Event]:
    """Return an event of every kind that a service consumes, the edition first."""
    common = build.common(revision=revision)
    return [
        build.edition(revision=revision, phase="published", slots=SLOTS, zones=ZONES),
        *(build.organisation(f"org_p{number}", revision=revision) for number in range(2)),
        *(build.participant(f"p{number}", revision=revision, **participant) for number in range(2)),
        build.request("req_1", "p0", "p1", revision=revision, state="accepted"),
        build.affinity("p0", "p1", revision=revision),
        AgendaChanged(**common, participant_id="p0", provisional=False, entries=(encounter(0, 1),)),
        EncounterChanged(
            **common,
            encounter_id=encounter_id("edn_1", "p0", "p1"),
            state=EncounterState.WAITING,
            participant_ids=("p0", "p1"),
            organisation_ids=("org_p0", "org_p1"),
            affinity=0.5,
            cause={"code": CauseCode.PAIR_GRANTED, "subject_id": "p0"},
        ),
    ]


def consumed(service: str, events: list[Event]) -> list[Event]:
    """Return the events that a service consumes."""
    return [event for event in events if topic_of(event) in topics_of(service)]


def newer(events: list[Event]) -> list[Event]:
    """Return revision 2 of events, with other names."""
    later = [event.model_copy(update={"revision": 2}) for event in events]
    return [event.model_copy(update={"name": "Renamed"}) if hasattr(event, "name") else event for event in later]


def is_same(outcome: Outcome, expected: Outcome) -> bool:
    """Compare states, mails, and the keys of published events.

    Revisions of what a service publishes do not count: a refused record ends a batch, so that the state after it is
    published as well.
    """
    sent = [{record.key for record in run.published} for run in (outcome, expected)]
    states = [{part: _without_revisions(run.state[part]) for part in run.state} for run in (outcome, expected)]
    return (states[0], outcome.addresses, sent[0]) == (states[1], expected.addresses, sent[1])


def _without_revisions(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_revisions(item) for name, item in value.items() if name not in {"revision", "sequence"}}
    return [_without_revisions(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("service", CONSUMERS)
def test_a_record_of_another_operator_is_dead_lettered_and_changes_nothing(service: str) -> None:
    true, forged = consumed(service, things(ours)), consumed(service, things(theirs, 999, email=STRANGER))
    refused = MetricDelta(REFUSED, topic="registration.v1", reason="operator")
    outcome = consumed_by(service, true, forged, newer(true))
    assert STRANGER not in outcome.addresses
    assert is_same(outcome, consumed_by(service, true, [], newer(true)))
    assert sorted(outcome.lettered_keys) == sorted(event.key for event in forged)
    assert {letter.reason for letter in outcome.letters} == {"the operator op_2 is not op_1, the operator of edn_1"}
    assert refused.value == 5


@pytest.mark.parametrize("service", CONSUMERS)
def test_records_of_another_operator_between_true_ones_cost_no_true_one(service: str) -> None:
    true, forged = consumed(service, things(ours)), consumed(service, things(theirs, 999, email=STRANGER))
    mixed = [true[0], *(event for pair in zip(forged, true[1:], strict=False) for event in pair), *newer(true)]
    outcome = consumed_by(service, mixed)
    assert is_same(outcome, consumed_by(service, [*true, *newer(true)]))
    assert set(outcome.lettered_keys) <= {event.key for event in forged}


@pytest.mark.parametrize("service", CONSUMERS)
def test_the_edition_decides_whose_the_records_before_it_were(service: str) -> None:
    """Compaction moves the newest snapshot of an edition behind older records, so an edition may come last."""
    true, forged = consumed(service, things(ours)), consumed(service, things(theirs, 999, email=STRANGER))[1:]
    before = consumed_by(service, forged, true[1:])
    assert sorted(before.lettered_keys) == sorted(event.key for event in true[1:])
    outcome = consumed_by(service, forged, true[1:], true[:1], true[1:])  # the dead letters are replayed
    assert STRANGER not in outcome.addresses
    expected = consumed_by(service, true).state
    # The scheduler had published that a forged pair waits: revisions of published things never begin again.
    assert {part for part in expected if outcome.state[part] != expected[part]} <= {"encounters", "agendas"}


@pytest.mark.parametrize("service", CONSUMERS)
def test_a_second_edition_snapshot_cannot_take_an_edition_over(service: str) -> None:
    true, forged = consumed(service, things(ours)), things(theirs, 999)[:1]
    outcome = consumed_by(service, true, forged, consumed(service, things(theirs, 1000)), newer(true))
    assert is_same(outcome, consumed_by(service, true, [], [], newer(true)))


@pytest.mark.parametrize("service", CONSUMERS)
def test_gaps_in_revisions_are_normal_and_never_refused(service: str) -> None:
    """Compaction removes the revisions between."""
    true = consumed(service, things(ours))
    gaps = [[event.model_copy(update={"revision": revision}) for event in true] for revision in (7, 500)]
    assert consumed_by(service, *gaps).letters == []


def with_header(name: str, value: bytes) -> Callable[[Record], Record]:
    """Return a function that replaces a header."""

    def forge(record: Record) -> Record:
        return replace(record, headers=[(key, value if key == name else kept) for key, kept in record.headers])

    return forge


def with_more(name: str, value: bytes) -> Callable[[Record], Record]:
    """Return a function that appends a header."""
    return lambda record: replace(record, headers=[*record.headers, (name, value)])


def without(name: str) -> Callable[[Record], Record]:
    """Return a function that removes a header."""
    return lambda record: replace(record, headers=[header for header in record.headers if header[0] != name])


FORGERIES: dict[str, Callable[[Record], Record]] = {
    "key of another edition": lambda record: replace(record, key=record.key.replace(b"edn_1", b"edn_2")),
    "key of another kind": lambda record: replace(record, key=record.key.replace(b"/participant/", b"/organisation/")),
    "body of another edition": lambda record: replace(record, value=record.value.replace(b'"edn_1"', b'"edn_2"')),
    "partition key of another edition": with_header("ce_partitionkey", b"edn_2"),
    "subject of another thing": with_header("ce_subject", b"edn_1/participant/p9"),
    "source of another service": with_header("ce_source", b"/tertulia/notify"),
    "no source": without("ce_source"),
    "a second source": with_more("ce_source", b"/tertulia/notify"),
    "id of another revision": with_header("ce_id", encode(ours.participant("p0", revision=3)).headers[1][1]),
    "topic of another writer": lambda record: replace(record, topic="agenda.v1"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_record_that_contradicts_itself_is_dead_lettered(forgery: str) -> None:
    true = consumed("notify", things(ours))
    record = FORGERIES[forgery](encode(ours.participant("p0", revision=999, email=STRANGER)))
    refused = MetricDelta(REFUSED, topic=record.topic, reason="contradiction")
    outcome = consumed_by("notify", true, [record], newer(true))
    assert is_same(outcome, consumed_by("notify", true, [], newer(true)))
    assert [letter.cause for letter in outcome.letters] == ["undecodable"]
    assert refused.value == 1


def test_a_rebuild_leaves_out_the_events_of_another_operator() -> None:
    true, forged = things(ours), things(theirs, 999)
    events = EditionEvents([*forged[1:3], *true, *forged])
    assert (events.operator_id, events.refused) == ("op_1", len(forged) + 2)
    for event in true:
        assert event in events.newest(type(event))


def test_available_hours_of_a_forged_participant_do_not_empty_an_agenda() -> None:
    """The scheduler drops encounters outside of a participant's hours: a forged record could cancel a whole agenda."""
    true = consumed("scheduler", things(ours))
    gone = Interval(starts_at=OPENING - timedelta(hours=2), ends_at=OPENING - timedelta(hours=1))
    outcome = consumed_by("scheduler", true, [theirs.participant("p0", revision=999, available=(gone,))])
    assert outcome.state["placements"]


OLDER_STATES: list[tuple[Any, Event]] = [
    (AudienceAggregate(), ours.edition()),
    (MatchingAggregate(Matchmaker([NgramScorer()])), ours.affinity("p0", "p1")),
    (AgendaAggregate(), ours.edition()),
]


@pytest.mark.parametrize(("aggregate", "event"), OLDER_STATES, ids=lambda part: type(part).__name__)
def test_a_state_of_an_older_version_knows_its_operator(aggregate: Any, event: Event) -> None:
    """Journals of older versions have no entry for the operator."""
    state = aggregate.empty("edn_1")
    if isinstance(state, MatchingState):
        evolve_matching(state, RulesRecorded(rules=EditionRules.of(ours.edition())))
        evolve_matching(state, PairScored(affinity=event))
    else:
        recorded = aggregate.decide(state, [event], START).changes
        state = aggregate.empty("edn_1")
        for change in recorded:
            if "operator" not in change.type:
                aggregate.evolve(state, change)
    with pytest.raises(ForeignOperator):
        aggregate.decide(state, [theirs.organisation("org_p0")], START)
    assert aggregate.decide(state, [ours.organisation("org_p0")], START).changes
