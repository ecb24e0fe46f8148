"""Evidence of a small chaos run without violations, and functions that spoil one thing in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from icalendar import Calendar
from icalendar import Event as CalendarEvent

from demo.mails import read_mails
from services.scheduler.aggregate import AgendaAggregate, announcing
from services.scheduler.domain.changes import CHANGE, Change
from shared.contract.events import (
    AgendaChanged,
    Event,
    Phase,
)
from shared.contract.topics import topic_of
from shared.messaging.broker import partition_of
from shared.storage.aggregate import Decision
from shared.storage.journal_entry import Entry
from tests.chaos.evidence import LetterSeen, RunEvidence, Seen
from tests.chaos.history import History, WrittenThing
from tests.chaos.poison import Planted
from tests.chaos.stack import PARTITIONS
from tests.support.events import EventBuilder

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = datetime(2026, 11, 26, 9, tzinfo=UTC)
EVENTS = EventBuilder("chaos", "edn_1", NOW)
PEOPLE = ("prt_1", "prt_2", "prt_3")
ZONES = [{"zone_id": "workspace", "kind": "workspace", "name": "Workspace", "tables": ["W1"]}]


def slots() -> list[dict[str, Any]]:
    starts = [DAY + timedelta(minutes=15 * index) for index in range(6)]
    return [{"index": i, "starts_at": at, "ends_at": at + timedelta(minutes=15)} for i, at in enumerate(starts)]


def inputs() -> list[Event]:
    """Return an edition in two revisions, three participants with organisations, and two accepted pairs."""
    room = {"name": "Chaos", "timezone": "UTC", "slots": slots(), "zones": ZONES}
    events: list[Event] = [EVENTS.edition(**room), EVENTS.edition(**room, revision=2, phase=Phase.PUBLISHED)]
    for number, participant_id in enumerate(PEOPLE, start=1):
        events.append(EVENTS.organisation(f"org_{number}", name=f"Org {number}"))
        fields = {"name": f"Person {number}", "email": f"person{number}@x.example"}
        events.append(EVENTS.participant(participant_id, organisation_id=f"org_{number}", **fields))
    for number, pair in enumerate((PEOPLE[:2], PEOPLE[1:]), start=1):
        request_id = f"req_{number}"
        events += [
            EVENTS.request(request_id, *pair),
            EVENTS.request(request_id, *pair, revision=2, state="accepted"),
            EVENTS.affinity(*pair, request_ids=(request_id,)),
        ]
    return events


def journal_of(events: Sequence[Event]) -> tuple[list[Entry], list[Event]]:
    """Return the scheduler's journal of the inputs, one entry for each, and the events that it published."""
    aggregate, entries, published = AgendaAggregate(), list[Entry](), list[Event]()
    state = aggregate.empty("edn_1")

    def decisions() -> Iterator[Decision[Change, Event]]:
        for event in events:
            yield aggregate.decide(state, [event], NOW)
        yield announcing(state, NOW)

    for decision in decisions():
        if decision.changes:
            changes = [CHANGE.dump_python(change, mode="json") for change in decision.changes]
            entries.append(Entry("edn_1", len(entries) + 1, NOW, {}, changes, [], published=True))
        published += decision.outbox
    return entries, published


def history() -> History:
    """Return the history of the load that wrote these inputs."""
    things = [WrittenThing("editions", "edn_1", "edn_1", {"name": "Chaos", "zones": ZONES, "phase": "published"}, 2)]
    for number, person in enumerate(PEOPLE, start=1):
        things.append(
            WrittenThing("organisations", "edn_1", f"org_{number}", {"name": f"Org {number}", "country": "ES"})
        )
        fields = {"organisation_id": f"org_{number}", "name": f"Person {number}", "email": f"person{number}@x.example"}
        things.append(WrittenThing("participants", "edn_1", person, fields))
    for number, (requester_id, target_id) in enumerate((PEOPLE[:2], PEOPLE[1:]), start=1):
        fields = {"requester_id": requester_id, "target_id": target_id, "state": "accepted"}
        things.append(WrittenThing("match-requests", "edn_1", f"req_{number}", fields, 2))
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


def complete_evidence(folder: Path) -> RunEvidence:
    """Return the evidence of a run without violations, with one planted record that all its readers dead-lettered."""
    entries, published = journal_of(inputs())
    written = history()
    agendas = {event.participant_id: event for event in published if isinstance(event, AgendaChanged)}
    for name, agenda in agendas.items():
        mail_of(folder, agenda, name)
    seen = [record(offset, event) for offset, event in enumerate([*inputs(), *published])]
    poison = Seen("affinity.v1", 0, 9, None, mark=0)
    return RunEvidence(
        history=written,
        seen=[*seen, poison],
        api={key: {**thing.fields, "revision": thing.revision} for key, thing in written.things.items()},
        journals={"edn_1": entries},
        mails=read_mails(folder),
        letters=[
            LetterSeen(f"l{number}", 0, f"tertulia-{service}")
            for number, service in enumerate(("scheduler", "notify", "portal"))
        ],
        planted=[Planted(0, "bad JSON", "affinity.v1")],
    )


def without(evidence: RunEvidence, is_lost: Callable[[Event], bool]) -> RunEvidence:
    """Remove the records of some events."""
    kept = [record for record in evidence.seen if record.event is None or not is_lost(record.event)]
    return replace(evidence, seen=kept)


def with_newest(evidence: RunEvidence, kind: type[Event], thing_id: str, **changed: object) -> RunEvidence:
    """Change fields of the newest record of a thing."""

    def changed_event(event: Event | None) -> Event | None:
        newest = evidence.newest()
        if event is None or type(event) is not kind or event.thing_id != thing_id:
            return event
        is_newest = newest[event.TYPE, event.key].revision == event.revision
        return event.model_copy(update=changed) if is_newest else event

    return replace(evidence, seen=[replace(record, event=changed_event(record.event)) for record in evidence.seen])


def with_history(evidence: RunEvidence, change: Callable[[History], object]) -> RunEvidence:
    """Change the history, which belongs to this evidence alone."""
    change(evidence.history)
    return evidence


def with_api(evidence: RunEvidence, kind: str, thing_id: str, **changed: object) -> RunEvidence:
    """Change fields of a thing in the API."""
    return replace(evidence, api={**evidence.api, (kind, thing_id): {**evidence.api[kind, thing_id], **changed}})


def with_entry(evidence: RunEvidence, *changes: dict[str, Any]) -> RunEvidence:
    """Append an entry to the scheduler's journal."""
    entries = list(evidence.journals["edn_1"])
    entry = Entry("edn_1", len(entries) + 1, NOW, {}, list(changes), [], published=True)
    return replace(evidence, journals={"edn_1": [*entries, entry]})


def placed(evidence: RunEvidence, index: int) -> dict[str, Any]:
    """Return the change that placed the pair at this index."""
    entries = evidence.journals["edn_1"]
    return [change for entry in entries for change in entry.changes if change["type"] == "placed"][index]


def at_the_same_time(evidence: RunEvidence) -> dict[str, Any]:
    """Return a change that places the second pair where the first pair is; they share a participant."""
    return {**placed(evidence, 1), "place": placed(evidence, 0)["place"]}
