"""The audit at the end of a chaos run: promises about the final state, given the writes acknowledged to the load.

A promise is a function that yields a sentence per violation. The promises use the contract of the services and
none of their code, with the exceptions named in their docstrings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from demo.audit import differing_agendas
from demo.mails import find_faults
from demo.observer import PLACED
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import verify
from services.scheduler.domain.verification import inputs_of
from shared.contract.events import (
    AgendaChanged,
    EditionChanged,
    EncounterChanged,
    EncounterState,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.contract.ids import encounter_id
from shared.messaging.broker import partition_of
from shared.storage.aggregate import fold
from tests.chaos.evidence import RunEvidence, Stream, stream_of
from tests.chaos.history import WrittenThing, holds
from tests.chaos.stack import PARTITIONS
from tests.support.bookings import Bookings

Promise = Callable[[RunEvidence], Iterator[str]]

_KINDS: dict[type[Event], str] = {
    EditionChanged: "editions",
    OrganisationChanged: "organisations",
    ParticipantChanged: "participants",
    MatchRequestChanged: "match-requests",
}
#: Entries between two runs of the scheduler's own verifier, which checks the whole agenda and is slow.
_VERIFY_EVERY = 10
_AGGREGATE = AgendaAggregate()


def accepted_writes_are_in_the_api_once(evidence: RunEvidence) -> Iterator[str]:
    """The API serves every acknowledged thing with its last written fields and one revision for each write."""
    yield from evidence.history.unexplained
    things = evidence.history.things
    for key in sorted(evidence.api.keys() - things.keys()):
        yield f"{'/'.join(key)} is in the API, and was acknowledged to nobody"
    for key, thing in things.items():
        yield from _differences("the API", thing, evidence.api.get(key))


def accepted_writes_are_on_their_topics(evidence: RunEvidence) -> Iterator[str]:
    """The newest record of every acknowledged thing has its last written fields; other things have no record."""
    published = {
        (_KINDS[type(event)], event.thing_id): event.to_json()
        for event in evidence.newest().values()
        if type(event) in _KINDS
    }
    for key in sorted(published.keys() - evidence.history.things.keys()):
        yield f"{'/'.join(key)} is on a topic, and was acknowledged to nobody"
    for key, thing in evidence.history.things.items():
        yield from _differences("its topic", thing, published.get(key))


def _differences(where: str, thing: WrittenThing, found: dict[str, Any] | None) -> Iterator[str]:
    name = f"{thing.kind}/{thing.thing_id}"
    if found is None:
        yield f"{name} was acknowledged, and is not on {where}" if where != "the API" else f"{name} is not in the API"
        return
    if found["revision"] != thing.revision:
        yield f"{name} is at revision {found['revision']} in {where}, after {thing.revision} writes"
    # An event has some fields in another form (slots for days), so only the fields of both are compared.
    wrong = [field for field, value in thing.fields.items() if field in found and not holds(value, found[field])]
    if wrong:
        yield f"{name} does not say in {where} what was last written: {', '.join(sorted(wrong))}"


def streams_have_no_gap(evidence: RunEvidence) -> Iterator[str]:
    """Every stream has the revisions 1, 2, 3 and so on in this order; a repeated revision has the same content.

    A repeat may be late (ADR 0002): readers recognise it by its revision.
    """
    first: dict[tuple[Stream, int], Event] = {}
    newest: Counter[Stream] = Counter()
    for event in evidence.events:
        stream = stream_of(event)
        known = first.setdefault((stream, event.revision), event)
        if known is not event:
            if known != event:
                yield f"{event.TYPE} of {event.key} has two different revisions {event.revision}"
        elif event.revision != newest[stream] + 1:
            yield f"{event.TYPE} of {event.key} goes from revision {newest[stream]} to {event.revision}"
        newest[stream] = max(newest[stream], event.revision)


def records_are_in_their_editions_partition(evidence: RunEvidence) -> Iterator[str]:
    """All records of an edition are in one partition, and all are events of the contract."""
    for record in evidence.seen:
        if record.mark is not None:
            continue
        where = f"{record.topic}/{record.partition}/{record.offset}"
        if record.event is None:
            yield f"the record at {where} is no event, and nobody planted it"
        elif record.partition != partition_of(record.event.key.encode(), range(PARTITIONS)):
            yield f"the record at {where} is not in the partition of {record.event.edition_id}"


def nobody_is_booked_twice(evidence: RunEvidence) -> Iterator[str]:
    """No participant and no table has two meetings at a time after any entry of the scheduler's journal."""
    for edition_id, entries in evidence.journals.items():
        bookings = Bookings()
        for entry in entries:
            for clash in bookings.apply(entry.changes):
                yield f"{edition_id} entry {entry.seq}: {clash}"


def agendas_keep_every_rule(evidence: RunEvidence) -> Iterator[str]:
    """The scheduler's own verifier accepts the agenda along the journal, and the topics agree with the journal."""
    for edition_id, entries in evidence.journals.items():
        state = AgendaState(edition_id=edition_id)
        for number, entry in enumerate(entries, start=1):
            fold(_AGGREGATE, state, [entry])
            if number % _VERIFY_EVERY == 0 or number == len(entries):
                for violation in verify(inputs_of(state), state.placements):
                    yield f"{edition_id} entry {entry.seq}: {violation.rule}: {', '.join(violation.pair_ids)}"
        published = _of_kind(evidence, AgendaChanged)
        agendas = {agenda.participant_id: agenda for agenda in published if agenda.edition_id == edition_id}
        for participant_id in differing_agendas(state, agendas):
            yield f"the agenda of {participant_id} on its topic is not the journal's"


def what_was_agreed_is_placed(evidence: RunEvidence) -> Iterator[str]:
    """Every agreed encounter of two active participants is placed or waits with a reason; no other is placed."""
    demands = _demands(evidence)
    published = {event.encounter_id: event for event in _of_kind(evidence, EncounterChanged)}
    for encounter in sorted(demands.agreed):
        event = published.get(encounter)
        if event is None or event.state not in PLACED | {EncounterState.WAITING}:
            yield f"{encounter} was agreed, and is {event.state if event else 'not published'}"
        elif event.state is EncounterState.WAITING and event.waiting_reason is None:
            yield f"{encounter} waits without a reason"
    for encounter, event in published.items():
        # A participant with an open request agrees to every partner.
        is_demanded = encounter in demands.demanded or not demands.open_requesters.isdisjoint(event.participant_ids)
        if event.state in PLACED and not (is_demanded and demands.active.issuperset(event.participant_ids)):
            yield f"{encounter} is placed, and nobody agreed on it"


class _Demands(NamedTuple):
    """Encounters agreed by both participants or demanded by one; participants with open requests; active ones."""

    agreed: set[str]
    demanded: set[str]
    open_requesters: set[str]
    active: set[str]


def _demands(evidence: RunEvidence) -> _Demands:
    participants = evidence.history.of("participants")
    active = {thing.thing_id for thing in participants if thing.fields.get("status") != "cancelled"}
    demands = _Demands(set(), set(), set(), active)
    for request in evidence.history.of("match-requests"):
        state, pair = request.fields.get("state"), (request.fields["requester_id"], request.fields["target_id"])
        if state not in {None, "accepted"}:
            continue
        if pair[1] is None:
            demands.open_requesters.add(pair[0])
        elif active.issuperset(pair):
            encounter = encounter_id(request.edition_id, *pair)
            demands.demanded.add(encounter)
            if state == "accepted":
                demands.agreed.add(encounter)
    return demands


def last_mails_tell_the_agendas(evidence: RunEvidence) -> Iterator[str]:
    """The last mail to every participant lists the current agenda, and no mail arrived twice."""
    agendas = {event.participant_id: event for event in _of_kind(evidence, AgendaChanged) if not event.provisional}
    participants = {event.participant_id: event for event in _of_kind(evidence, ParticipantChanged)}
    yield from find_faults(evidence.mails, agendas, participants)


def outboxes_are_empty(evidence: RunEvidence) -> Iterator[str]:
    """No outbox and no journal has unsent messages."""
    for name, unsent in evidence.unsent.items():
        yield f"{unsent} of {name} hold unsent messages"


def dead_letters_are_the_poison(evidence: RunEvidence) -> Iterator[str]:
    """Every reader of a planted record dead-lettered it once, and nothing else was dead-lettered."""
    poison = {planted.number: planted for planted in evidence.planted}
    found = Counter((letter.mark, letter.consumer) for letter in evidence.letters)
    # A planted record is there twice if its first acknowledgement was lost: then there are two dead letters.
    copies = Counter(record.mark for record in evidence.seen if record.mark is not None)
    expected = {letter for planted in evidence.planted for letter in planted.letters}
    for mark, consumer in sorted(expected, key=str):
        if found[mark, consumer] != copies[mark]:
            yield (
                f"poison {mark} ({poison[mark].kind} in {poison[mark].topic}) was dead-lettered "
                f"{found[mark, consumer]} times by {consumer}, and is there {copies[mark]} times"
            )
    for letter in evidence.letters:
        if (letter.mark, letter.consumer) not in expected:
            yield f"{letter.letter_id} was dead-lettered, and nobody planted it"


def _of_kind(evidence: RunEvidence, kind: type[Any]) -> list[Any]:
    return [event for event in evidence.newest().values() if type(event) is kind]


#: All promises, in the order in which a write passes through the services.
PROMISES: tuple[Promise, ...] = (
    accepted_writes_are_in_the_api_once,
    accepted_writes_are_on_their_topics,
    streams_have_no_gap,
    records_are_in_their_editions_partition,
    nobody_is_booked_twice,
    agendas_keep_every_rule,
    what_was_agreed_is_placed,
    last_mails_tell_the_agendas,
    outboxes_are_empty,
    dead_letters_are_the_poison,
)


def broken_promises(evidence: RunEvidence) -> list[str]:
    """Return all violations, with the name of the broken promise before the sentence."""
    return [f"{promise.__name__}: {violation}" for promise in PROMISES for violation in promise(evidence)]
