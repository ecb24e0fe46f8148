"""The verifier: what must hold once all is quiet, worked out anew from what was acknowledged to the load.

Each rule is a function that names what is wrong, a sentence each. It shares nothing with the services but the contract,
save where it says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from demo.audit import differing_agendas
from demo.mails import find_faults
from demo.observer import PLACED
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.improvement.adopt import inputs_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import verify
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
from shared.storage.journal import fold
from tests.chaos.evidence import Evidence, Stream, stream_of
from tests.chaos.history import Written, holds
from tests.chaos.stack import PARTITIONS

Rule = Callable[[Evidence], Iterator[str]]

_KINDS: dict[type[Event], str] = {
    EditionChanged: "editions",
    OrganisationChanged: "organisations",
    ParticipantChanged: "participants",
    MatchRequestChanged: "match-requests",
}
#: The scheduler's own verifier looks at the agenda after every so many entries: it looks at all of it.
_VERIFY_EVERY = 10
_AGGREGATE = AgendaAggregate()


def accepted_writes_are_in_the_api_once(evidence: Evidence) -> Iterator[str]:
    """Registration has what was acknowledged, as it was last written, after as many revisions as there were writes."""
    yield from evidence.history.unexplained
    things = evidence.history.things
    for key in sorted(evidence.api.keys() - things.keys()):
        yield f"{'/'.join(key)} is in the API, and was acknowledged to nobody"
    for key, thing in things.items():
        yield from _differences("the API", thing, evidence.api.get(key))


def accepted_writes_are_on_their_topics(evidence: Evidence) -> Iterator[str]:
    """The newest record of each thing says what was acknowledged, and there is no record of anything else."""
    told = {
        (_KINDS[type(event)], event.thing_id): event.to_json()
        for event in evidence.newest().values()
        if type(event) in _KINDS
    }
    for key in sorted(told.keys() - evidence.history.things.keys()):
        yield f"{'/'.join(key)} is on a topic, and was acknowledged to nobody"
    for key, thing in evidence.history.things.items():
        yield from _differences("its topic", thing, told.get(key))


def _differences(where: str, thing: Written, found: dict[str, Any] | None) -> Iterator[str]:
    name = f"{thing.kind}/{thing.thing_id}"
    if found is None:
        yield f"{name} was acknowledged, and is not on {where}" if where != "the API" else f"{name} is not in the API"
        return
    if found["revision"] != thing.revision:
        yield f"{name} is at revision {found['revision']} in {where}, after {thing.revision} writes"
    # An event tells some things in its own words (slots, for days): what both name must be the same.
    wrong = [field for field, said in thing.said.items() if field in found and not holds(said, found[field])]
    if wrong:
        yield f"{name} does not say in {where} what was last written: {', '.join(sorted(wrong))}"


def streams_have_no_gap(evidence: Evidence) -> Iterator[str]:
    """Each thing's revisions come first in order, 1, 2, 3 and so on; what comes again is the same again.

    A repeat may come late (ADR 0002): who reads the topic knows it by its revision.
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


def records_are_in_their_editions_partition(evidence: Evidence) -> Iterator[str]:
    """All records of an edition meet in one partition, and each is an event of the contract."""
    for record in evidence.seen:
        if record.mark is not None:
            continue
        where = f"{record.topic}/{record.partition}/{record.offset}"
        if record.event is None:
            yield f"the record at {where} is no event, and nobody planted it"
        elif record.partition != partition_of(record.event.key.encode(), range(PARTITIONS)):
            yield f"the record at {where} is not in the partition of {record.event.edition_id}"


def nobody_is_booked_twice(evidence: Evidence) -> Iterator[str]:
    """After every entry of the scheduler's journal, nobody and no table is anywhere twice at a time."""
    for edition_id, entries in evidence.journals.items():
        bookings = Bookings()
        for entry in entries:
            for clash in bookings.take(entry.changes):
                yield f"{edition_id} entry {entry.seq}: {clash}"


class Bookings:
    """Who and which table is taken when, from the bare changes of the journal: nothing of the scheduler's is used."""

    def __init__(self) -> None:
        self._people: dict[str, tuple[str, ...]] = {}
        self._times: dict[str, tuple[datetime, datetime]] = {}
        self._of: defaultdict[str, set[str]] = defaultdict(set)

    def take(self, changes: Iterable[dict[str, Any]]) -> Iterator[str]:
        """Apply the changes of one entry, then say who of those it places clashes with anybody."""
        placed: set[str] = set()
        for change in changes:
            pair = change.get("pair_id")
            if change["type"] == "pair_taken":
                self._people[change["pair_id"]] = tuple(change["pair"]["participant_ids"])
            elif change["type"] == "taken_over":
                self._people[change["pair_id"]] = tuple(change["people"])
            elif change["type"] == "placed":
                self._lift(change["pair_id"])
                self._place(change["pair_id"], change["place"])
                placed.add(change["pair_id"])
            elif change["type"] == "lifted" and pair is not None:
                self._lift(pair)
        yield from self._clashes(placed)

    def _place(self, pair: str, place: dict[str, Any]) -> None:
        self._times[pair] = (datetime.fromisoformat(place["starts_at"]), datetime.fromisoformat(place["ends_at"]))
        for taken in (*self._people[pair], f"table {place['zone_id']}/{place['table']}"):
            self._of[taken].add(pair)

    def _lift(self, pair: str) -> None:
        if self._times.pop(pair, None):
            for pairs in self._of.values():
                pairs.discard(pair)

    def _clashes(self, placed: set[str]) -> Iterator[str]:
        for taken, pairs in self._of.items():
            for pair in sorted(pairs & placed):
                starts, ends = self._times[pair]
                for other in sorted(pairs - {pair}):
                    if self._times[other][0] < ends and starts < self._times[other][1]:
                        yield f"{taken} is taken by {pair} and {other} at {starts.isoformat()}"


def agendas_keep_every_rule(evidence: Evidence) -> Iterator[str]:
    """The scheduler's independent verifier finds nothing wrong along the journal, and the topics say what it says."""
    for edition_id, entries in evidence.journals.items():
        state = AgendaState(edition_id=edition_id)
        for number, entry in enumerate(entries, start=1):
            fold(_AGGREGATE, state, [entry])
            if number % _VERIFY_EVERY == 0 or number == len(entries):
                for violation in verify(inputs_of(state), state.placements):
                    yield f"{edition_id} entry {entry.seq}: {violation.rule}: {', '.join(violation.pair_ids)}"
        published = _of_kind(evidence, AgendaChanged)
        agendas = {each.participant_id: each for each in published if each.edition_id == edition_id}
        for participant_id in differing_agendas(state, agendas):
            yield f"the agenda of {participant_id} on its topic is not the journal's"


def what_was_agreed_is_placed(evidence: Evidence) -> Iterator[str]:
    """Every accepted request of two who take part is placed or waits with a reason, and nothing else is placed."""
    wishes = _wishes(evidence)
    told = {each.encounter_id: each for each in _of_kind(evidence, EncounterChanged)}
    for encounter in sorted(wishes.agreed):
        answer = told.get(encounter)
        if answer is None or answer.state not in PLACED | {EncounterState.WAITING}:
            yield f"{encounter} was agreed, and is {answer.state if answer else 'unheard of'}"
        elif answer.state is EncounterState.WAITING and answer.waiting_reason is None:
            yield f"{encounter} waits without a reason"
    for encounter, each in told.items():
        # Who seeks partners says yes to whoever asks or is proposed to them.
        is_wished = encounter in wishes.wished or not wishes.seeking.isdisjoint(each.participant_ids)
        if each.state in PLACED and not (is_wished and wishes.present.issuperset(each.participant_ids)):
            yield f"{encounter} is placed, and nobody agreed on it"


class _Wishes(NamedTuple):
    """The encounters both want, those that at least one wants, who seeks partners, and who takes part."""

    agreed: set[str]
    wished: set[str]
    seeking: set[str]
    present: set[str]


def _wishes(evidence: Evidence) -> _Wishes:
    people = evidence.history.of("participants")
    present = {each.thing_id for each in people if each.said.get("status") != "cancelled"}
    wishes = _Wishes(set(), set(), set(), present)
    for request in evidence.history.of("match-requests"):
        state, one, other = request.said.get("state"), request.said["requester_id"], request.said["target_id"]
        if state not in {None, "accepted"}:
            continue
        if other is None:
            wishes.seeking.add(one)
        elif present.issuperset((one, other)):
            encounter = encounter_id(request.edition_id, one, other)
            wishes.wished.add(encounter)
            if state == "accepted":
                wishes.agreed.add(encounter)
    return wishes


def last_mails_tell_the_agendas(evidence: Evidence) -> Iterator[str]:
    """Each participant's last mail lists the agenda as it stands, and no mail came twice."""
    agendas = {each.participant_id: each for each in _of_kind(evidence, AgendaChanged) if not each.provisional}
    participants = {each.participant_id: each for each in _of_kind(evidence, ParticipantChanged)}
    yield from find_faults(evidence.mails, agendas, participants)


def outboxes_are_empty(evidence: Evidence) -> Iterator[str]:
    """Nothing waits to be sent anywhere."""
    for name, unsent in evidence.unsent.items():
        yield f"{unsent} of {name} hold what was never sent"


def dead_letters_are_the_poison(evidence: Evidence) -> Iterator[str]:
    """Every reader of a planted record has set it aside, once, and nothing else was set aside."""
    kinds = {each.number: each for each in evidence.planted}
    found = Counter((each.mark, each.consumer) for each in evidence.letters)
    # A planted record whose acknowledgement was lost is there twice: each of them is a letter.
    copies = Counter(record.mark for record in evidence.seen if record.mark is not None)
    expected = {letter for each in evidence.planted for letter in each.letters}
    for mark, consumer in sorted(expected, key=str):
        if found[mark, consumer] != copies[mark]:
            poison = kinds[mark]
            yield (
                f"poison {mark} ({poison.kind} in {poison.topic}) was set aside {found[mark, consumer]} times by "
                f"{consumer}, and is there {copies[mark]} times"
            )
    for letter in evidence.letters:
        if (letter.mark, letter.consumer) not in expected:
            yield f"{letter.letter_id} was set aside, and nobody planted it"


def _of_kind(evidence: Evidence, kind: type[Any]) -> list[Any]:
    return [event for event in evidence.newest().values() if type(event) is kind]


#: Every rule, in the order of the way of a write.
RULES: tuple[Rule, ...] = (
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


def violations(evidence: Evidence) -> list[str]:
    """Everything wrong, each with the rule it breaks."""
    return [f"{rule.__name__}: {what}" for rule in RULES for what in rule(evidence)]
