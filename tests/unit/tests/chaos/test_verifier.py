"""Each rule of the verifier, on a small world in which all is right, and then with one thing wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from icalendar import Event as CalendarEvent

from demo.mails import read_mails
from services.scheduler.aggregate import AgendaAggregate, announcing
from services.scheduler.domain.changes import CHANGE, Change
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    Consent,
    EditionChanged,
    EncounterChanged,
    EncounterState,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    Origin,
    ParticipantChanged,
    Phase,
)
from shared.contract.ids import encounter_id, pair_id
from shared.contract.topics import topic_of
from shared.messaging.broker import partition_of
from shared.storage.journal import Decision, Entry
from tests.chaos.evidence import Evidence, LetterSeen, Seen, Unread, must_be_whole
from tests.chaos.history import History, Written, holds
from tests.chaos.poison import Planted
from tests.chaos.stack import PARTITIONS
from tests.chaos.verifier import RULES, violations

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = datetime(2026, 11, 26, 9, tzinfo=UTC)
COMMON: dict[str, Any] = {"operator_id": "chaos", "edition_id": "edn_1", "occurred_at": NOW}
PEOPLE = ("prt_1", "prt_2", "prt_3")
ZONES = [{"zone_id": "workspace", "kind": "workspace", "name": "Workspace", "tables": ["W1"]}]


def slots() -> list[dict[str, Any]]:
    starts = [DAY + timedelta(minutes=15 * index) for index in range(6)]
    return [{"index": i, "starts_at": at, "ends_at": at + timedelta(minutes=15)} for i, at in enumerate(starts)]


def edition(revision: int, phase: Phase) -> EditionChanged:
    return EditionChanged(
        **COMMON, revision=revision, name="Chaos", timezone="UTC", phase=phase, slots=slots(), zones=ZONES
    )


def inputs() -> list[Event]:
    """Two editions' revisions, an organisation and a participant each, and two pairs that both said yes to."""
    events: list[Event] = [edition(1, Phase.OPEN), edition(2, Phase.PUBLISHED)]
    for number, person in enumerate(PEOPLE, start=1):
        organisation = {"organisation_id": f"org_{number}", "name": f"Org {number}"}
        events.append(OrganisationChanged(**COMMON, **organisation, revision=1, kind="sme", country="ES"))
        events.append(
            ParticipantChanged(
                **COMMON,
                revision=1,
                participant_id=person,
                organisation_id=f"org_{number}",
                name=f"Person {number}",
                email=f"person{number}@x.example",
                languages=("es",),
            )
        )
    for number, (one, other) in enumerate((PEOPLE[:2], PEOPLE[1:]), start=1):
        request = {"request_id": f"req_{number}", "requester_id": one, "target_id": other}
        events += [
            MatchRequestChanged(**COMMON, **request, revision=1, state="requested"),
            MatchRequestChanged(**COMMON, **request, revision=2, state="accepted"),
            AffinityScored(
                **COMMON,
                revision=1,
                pair_id=pair_id("edn_1", one, other),
                participant_ids=(one, other),
                request_ids=(f"req_{number}",),
                origin=Origin.REQUESTED,
                consent=Consent.GRANTED,
                score=0.5,
                priority=2,
            ),
        ]
    return events


def journal_of(events: Sequence[Event]) -> tuple[list[Entry], list[Event]]:
    """The scheduler's journal of these inputs, one entry each, announced; and what it published."""
    aggregate, entries, said = AgendaAggregate(), list[Entry](), list[Event]()
    state = aggregate.empty("edn_1")

    def decisions() -> Iterator[Decision[Change, Event]]:
        for event in events:
            yield aggregate.decide(state, [event], NOW)
        yield announcing(state, NOW)

    for decision in decisions():
        if decision.changes:
            changes = [CHANGE.dump_python(change, mode="json") for change in decision.changes]
            entries.append(Entry("edn_1", len(entries) + 1, NOW, {}, changes, [], published=True))
        said += decision.outbox
    return entries, said


def history() -> History:
    """What the load was acknowledged: the same things."""
    things = [Written("editions", "edn_1", "edn_1", {"name": "Chaos", "zones": ZONES, "phase": "published"}, 2)]
    for number, person in enumerate(PEOPLE, start=1):
        things.append(Written("organisations", "edn_1", f"org_{number}", {"name": f"Org {number}", "country": "ES"}))
        said = {"organisation_id": f"org_{number}", "name": f"Person {number}", "email": f"person{number}@x.example"}
        things.append(Written("participants", "edn_1", person, said))
    for number, (one, other) in enumerate((PEOPLE[:2], PEOPLE[1:]), start=1):
        said = {"requester_id": one, "target_id": other, "state": "accepted"}
        things.append(Written("match-requests", "edn_1", f"req_{number}", said, 2))
    return History({(thing.kind, thing.thing_id): thing for thing in things}, writes=len(things))


def mail_of(folder: Path, agenda: AgendaChanged, name: str) -> None:
    calendar = Calendar()
    for entry in agenda.entries:
        line = CalendarEvent()
        line.add("uid", f"{entry.entry_id}@x.example")
        line.add("dtstart", entry.starts_at)
        line.add("dtend", entry.ends_at)
        calendar.add_component(line)
    message = EmailMessage(policy=SMTP)
    message["To"] = f"person{agenda.participant_id[-1]}@x.example"
    message["Message-ID"] = f"<{agenda.participant_id}.{agenda.revision}@x.example>"
    message["X-Tertulia-Participant"] = agenda.participant_id
    message["X-Tertulia-Agenda-Revision"] = str(agenda.revision)
    message.set_content("Su agenda")
    message.add_attachment(calendar.to_ical(), maintype="text", subtype="calendar", filename="agenda.ics")
    (folder / f"{name}.eml").write_bytes(message.as_bytes())


def record(offset: int, event: Event) -> Seen:
    partition = partition_of(event.key.encode(), range(PARTITIONS))
    return Seen(topic_of(event).name, partition, offset, event)


@pytest.fixture
def right(tmp_path: Path) -> Evidence:
    """A world in which all is right, with one piece of poison that two readers have set aside."""
    entries, said = journal_of(inputs())
    written = history()
    agendas = {each.participant_id: each for each in said if isinstance(each, AgendaChanged)}
    for name, agenda in agendas.items():
        mail_of(tmp_path, agenda, name)
    seen = [record(offset, event) for offset, event in enumerate([*inputs(), *said])]
    poison = Seen("affinity.v1", 0, 9, None, mark=0)
    return Evidence(
        history=written,
        seen=[*seen, poison],
        api={key: {**thing.said, "revision": thing.revision} for key, thing in written.things.items()},
        journals={"edn_1": entries},
        mails=read_mails(tmp_path),
        letters=[LetterSeen(f"l{number}", 0, f"tertulia-{who}") for number, who in enumerate(("scheduler", "notify"))],
        planted=[Planted(0, "bad JSON", "affinity.v1")],
    )


def test_a_right_world_has_no_violations(right: Evidence) -> None:
    assert violations(right) == []
    assert any(isinstance(event, EncounterChanged) and event.place for event in right.events)
    assert len(right.mails) == len(PEOPLE)


def without(right: Evidence, gone: Callable[[Event], bool]) -> Evidence:
    return replace(right, seen=[each for each in right.seen if each.event is None or not gone(each.event)])


def said_anew(right: Evidence, kind: type[Event], thing_id: str, **changed: object) -> Evidence:
    """The newest revision of a thing says something else, on its topic."""

    def changed_event(event: Event | None) -> Event | None:
        newest = right.newest()
        if event is None or type(event) is not kind or event.thing_id != thing_id:
            return event
        is_newest = newest[event.TYPE, event.key].revision == event.revision
        return event.model_copy(update=changed) if is_newest else event

    return replace(right, seen=[replace(each, event=changed_event(each.event)) for each in right.seen])


def with_history(right: Evidence, change: Callable[[History], object]) -> Evidence:
    change(right.history)  # each test has its own
    return right


def with_api(right: Evidence, kind: str, thing_id: str, **changed: object) -> Evidence:
    return replace(right, api={**right.api, (kind, thing_id): {**right.api[kind, thing_id], **changed}})


def with_entry(right: Evidence, *changes: dict[str, Any]) -> Evidence:
    entries = list(right.journals["edn_1"])
    entry = Entry("edn_1", len(entries) + 1, NOW, {}, list(changes), [], published=True)
    return replace(right, journals={"edn_1": [*entries, entry]})


def placed(right: Evidence, one: int) -> dict[str, Any]:
    """The change that placed the n-th pair."""
    changes = [change for entry in right.journals["edn_1"] for change in entry.changes if change["type"] == "placed"]
    return changes[one]


def at_the_same_time(right: Evidence) -> dict[str, Any]:
    """The second pair, which shares a participant with the first, put where the first is."""
    return {**placed(right, 1), "place": placed(right, 0)["place"]}


ENCOUNTER = encounter_id("edn_1", *PEOPLE[:2])
PLANTED_VIOLATIONS: list[tuple[str, str, Callable[[Evidence], Evidence]]] = [
    (
        "accepted_writes_are_in_the_api_once",
        "participants/prt_1 is not in the API",
        lambda it: replace(it, api={key: each for key, each in it.api.items() if key[1] != "prt_1"}),
    ),
    (
        "accepted_writes_are_in_the_api_once",
        "participants/prt_9 is in the API, and was acknowledged to nobody",
        lambda it: replace(it, api={**it.api, ("participants", "prt_9"): {"revision": 1}}),
    ),
    (
        "accepted_writes_are_in_the_api_once",
        "participants/prt_1 is at revision 2 in the API, after 1 writes",
        lambda it: with_api(it, "participants", "prt_1", revision=2),
    ),
    (
        "accepted_writes_are_in_the_api_once",
        "does not say in the API what was last written: name",
        lambda it: with_api(it, "participants", "prt_1", name="Somebody"),
    ),
    (
        "accepted_writes_are_in_the_api_once",
        "nobody knows why",
        lambda it: with_history(it, lambda history: history.unexplained.append("nobody knows why")),
    ),
    (
        "accepted_writes_are_on_their_topics",
        "organisations/org_1 was acknowledged, and is not on its topic",
        lambda it: without(it, lambda event: isinstance(event, OrganisationChanged) and event.thing_id == "org_1"),
    ),
    (
        "accepted_writes_are_on_their_topics",
        "organisations/org_1 is on a topic, and was acknowledged to nobody",
        lambda it: with_history(it, lambda history: history.things.pop(("organisations", "org_1"))),
    ),
    (
        "accepted_writes_are_on_their_topics",
        "does not say in its topic what was last written: email",
        lambda it: said_anew(it, ParticipantChanged, "prt_2", email="old@x.example"),
    ),
    (
        "accepted_writes_are_on_their_topics",
        "match-requests/req_1 is at revision 1 in its topic, after 2 writes",
        lambda it: without(
            it, lambda e: isinstance(e, MatchRequestChanged) and (e.thing_id, e.revision) == ("req_1", 2)
        ),
    ),
    (
        "streams_have_no_gap",
        "goes from revision 0 to 2",
        lambda it: without(it, lambda event: isinstance(event, EditionChanged) and event.revision == 1),
    ),
    (
        "streams_have_no_gap",
        "has two different revisions 1",
        lambda it: replace(it, seen=[*it.seen, record(99, inputs()[2].model_copy(update={"name": "Other"}))]),
    ),
    (
        "streams_have_no_gap",
        "goes from revision 0 to 2",
        lambda it: replace(it, seen=[*it.seen[1::-1], *it.seen[2:]]),
    ),
    (
        "records_are_in_their_editions_partition",
        "is no event, and nobody planted it",
        lambda it: replace(it, seen=[*it.seen, Seen("agenda.v1", 0, 99, None)]),
    ),
    (
        "records_are_in_their_editions_partition",
        "is not in the partition of edn_1",
        lambda it: replace(it, seen=[replace(it.seen[0], partition=it.seen[0].partition + 1), *it.seen[1:]]),
    ),
    (
        "nobody_is_booked_twice",
        "prt_2 is taken by",
        lambda it: with_entry(it, at_the_same_time(it)),
    ),
    (
        "nobody_is_booked_twice",
        "table workspace/W1 is taken by",
        lambda it: with_entry(it, at_the_same_time(it)),
    ),
    (
        "agendas_keep_every_rule",
        "table_twice",
        lambda it: with_entry(it, at_the_same_time(it)),
    ),
    (
        "agendas_keep_every_rule",
        "the agenda of prt_1 on its topic is not the journal's",
        lambda it: said_anew(it, AgendaChanged, "prt_1", entries=()),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} was agreed, and is cancelled",
        lambda it: said_anew(it, EncounterChanged, ENCOUNTER, state=EncounterState.CANCELLED),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} was agreed, and is unheard of",
        lambda it: without(it, lambda event: isinstance(event, EncounterChanged) and event.thing_id == ENCOUNTER),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} waits without a reason",
        lambda it: said_anew(it, EncounterChanged, ENCOUNTER, state=EncounterState.WAITING),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} is placed, and nobody agreed on it",
        lambda it: with_history(
            it, lambda history: history.things["match-requests", "req_1"].said.update(state="withdrawn")
        ),
    ),
    (
        "what_was_agreed_is_placed",
        f"{ENCOUNTER} is placed, and nobody agreed on it",
        lambda it: with_history(
            it, lambda history: history.things["participants", "prt_1"].said.update(status="cancelled")
        ),
    ),
    (
        "last_mails_tell_the_agendas",
        "prt_1 has an agenda and no mail",
        lambda it: replace(it, mails=[mail for mail in it.mails if mail.participant_id != "prt_1"]),
    ),
    (
        "last_mails_tell_the_agendas",
        "2 times",
        lambda it: replace(it, mails=[*it.mails, it.mails[0]]),
    ),
    (
        "last_mails_tell_the_agendas",
        "the last mail of prt_3",
        lambda it: said_anew(it, AgendaChanged, "prt_3", entries=()),
    ),
    (
        "outboxes_are_empty",
        "3 of matching.journal hold what was never sent",
        lambda it: replace(it, unsent={"matching.journal": 3}),
    ),
    (
        "dead_letters_are_the_poison",
        "l9 was set aside, and nobody planted it",
        lambda it: replace(it, letters=[*it.letters, LetterSeen("l9", None, "tertulia-matching")]),
    ),
    (
        "dead_letters_are_the_poison",
        "poison 0 (bad JSON in affinity.v1) was set aside 0 times by tertulia-notify",
        lambda it: replace(it, letters=it.letters[:1]),
    ),
    (
        "dead_letters_are_the_poison",
        "set aside 2 times by tertulia-scheduler, and is there 1 times",
        lambda it: replace(it, letters=[*it.letters, LetterSeen("l9", 0, "tertulia-scheduler")]),
    ),
]


@pytest.mark.parametrize(("rule", "says", "spoil"), PLANTED_VIOLATIONS)
def test_a_planted_violation_is_caught(
    right: Evidence, rule: str, says: str, spoil: Callable[[Evidence], Evidence]
) -> None:
    found = violations(spoil(right))
    assert any(each.startswith(f"{rule}: ") and says in each for each in found), found


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _, _ in PLANTED_VIOLATIONS} == {rule.__name__ for rule in RULES}


def test_a_topic_that_was_not_read_whole_is_not_judged() -> None:
    seen = [Seen("agenda.v1", 1, offset, None) for offset in range(3)]
    must_be_whole(seen, {("agenda.v1", 1): 3, ("agenda.v1", 2): 0})
    for read, end in ((seen, 4), (seen[1:], 3), ([seen[0], seen[2]], 3)):
        with pytest.raises(Unread, match=rf"agenda\.v1/1 has {end} records, and {len(read)} were read"):
            must_be_whole(read, {("agenda.v1", 1): end})


def test_a_repeat_and_a_copy_of_poison_are_no_violations(right: Evidence) -> None:
    late = [record(90, inputs()[0]), record(91, inputs()[1])]
    copy = Seen("affinity.v1", 0, 92, None, mark=0)
    letters = [*right.letters, *(replace(letter, letter_id=f"{letter.letter_id}b") for letter in right.letters)]
    assert violations(replace(right, seen=[*right.seen, *late, copy], letters=letters)) == []


@pytest.mark.parametrize(
    ("said", "actual", "is_so"),
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
def test_what_was_said_holds_field_by_field(said: object, actual: object, *, is_so: bool) -> None:
    assert holds(said, actual) is is_so
