"""What must hold in the end, worked out from the inputs alone: what clients were told, and what was planted.

Nothing here asks a service: databases, topics and the mail server are read as they are, and who is to meet whom is
worked out again. The one thing borrowed is the fold of the scheduler's journal, to look at each of its instants.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import orjson

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.store import delivery_of
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.match_request import MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.store import KINDS, collection_of
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.state import AgendaState
from shared.contract.cloudevents import unpack
from shared.contract.ids import derived_id, encounter_id, pair_of
from shared.contract.topics import DLQ_SUFFIX, TOPICS
from shared.messaging.dead_letters import DeadLetterOrigin
from shared.storage.aggregate import fold
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import entry_of
from tests.simulation.kafka import InMemoryKafka
from tests.simulation.load import Written
from tests.simulation.mongo import Document, InMemoryMongo
from tests.simulation.smtp import MailServer
from tests.support.bookings import Bookings

JOURNALLED = ("matching", "scheduler", "notify")
_AGGREGATE = AgendaAggregate()
#: Of an agenda's line: what it is about, from when to when, and at which table.
AgendaLine = tuple[str, datetime, datetime, str | None]


class Books:
    """What the servers hold."""

    def __init__(self, mongo: InMemoryMongo, kafka: InMemoryKafka, mail_server: MailServer) -> None:
        self._mongo = mongo
        self.kafka = kafka
        self.mails = mail_server.taken
        self._folded: dict[str, tuple[int, AgendaState]] = {}

    def things(self, kind: type[Entity]) -> dict[str, Document]:
        """Registration's documents of a kind, by id."""
        found = self._documents("registration", collection_of(kind))
        return {document[kind.ID]: document for document in found}

    def entries(self, service: str) -> list[Entry]:
        """A service's journals, each in order."""
        return [entry_of(document) for document in self._entry_documents(service)]

    def lines(self) -> list[Delivery]:
        """The delivery ledger."""
        return [delivery_of(document) for document in self._documents("notify", "deliveries")]

    def agenda_state(self, edition_id: str) -> AgendaState | None:
        """The scheduler's state as its journal has it."""
        seq, state = self._folded.get(edition_id, (0, AgendaState(edition_id=edition_id)))
        for document in self._entry_documents("scheduler"):
            if document["edition_id"] == edition_id and document["seq"] > seq:
                fold(_AGGREGATE, state, [entry_of(document)])
                seq = document["seq"]
        self._folded[edition_id] = (seq, state)
        return state if seq else None

    def unfinished(self, editions: Iterable[str]) -> Iterator[str]:
        """What is still to be done, however things were; nothing, once it is quiet."""
        for name, group in self.kafka.groups.items():
            if group.lag():
                yield f"{name} has {group.lag()} records to read"
        for service in JOURNALLED:
            if any(not entry["published"] for entry in self._documents(service, "journal")):
                yield f"{service} has entries to send"
        yield from self._full_outboxes()
        if any(document["attend_at"] for document in self._documents("notify", "deliveries")):
            yield "mails are due"
        for edition_id in editions:
            state = self.agenda_state(edition_id)
            if state is None or state.edition is None or state.awaits_announcement or state.unpublished_participants:
                yield f"the agenda of {edition_id} is not settled"

    def _full_outboxes(self) -> Iterator[str]:
        waiting = [("registration", collection_of(kind)) for kind in KINDS] + [("notify", "deliveries")]
        for service, collection in waiting:
            if any(
                document["outbox"] or document["pending_since"] for document in self._documents(service, collection)
            ):
                yield f"{collection} have outboxes to send"

    def _entry_documents(self, service: str) -> list[Document]:
        return sorted(self._documents(service, "journal"), key=lambda entry: (entry["edition_id"], entry["seq"]))

    def _documents(self, service: str, collection: str) -> list[Document]:
        return list(self._mongo.tables[f"tertulia_{service}", collection].documents.values())


class Verifier:
    """Judges the books by what was written. `planted`: who is to set which record aside, and where that is."""

    def __init__(self, books: Books, written: Written, planted: set[tuple[str, str, int, int]]) -> None:
        self._books, self._written, self._planted = books, written, planted
        self._things = {kind: books.things(kind) for kind in KINDS}

    def violations(self) -> list[str]:
        """Everything that is wrong."""
        self._said = self._newest_agendas()
        return [
            *self._written.defects,
            *(f"a handler let through {error!r}" for error in self._books.kafka.escaped),
            *self._books.unfinished(self._written.editions),
            *self._accepted_writes(),
            *self._journals(),
            *self._notes(),
            *self._topics(),
            *self._double_bookings(),
            *self._agendas(),
            *self._mails(),
            *self._dead_letters(),
        ]

    # -- what clients were told

    def _accepted_writes(self) -> Iterator[str]:
        written = self._written
        for thing_id, kind in written.made.items():
            document = self._things[kind].get(thing_id)
            if document is None:
                yield f"{thing_id} was accepted, and is not there"
            elif thing_id not in written.unsure:
                yield from self._as_accepted(kind, document, written.fields[thing_id])
        there = {thing_id for things in self._things.values() for thing_id in things}
        yield from (f"{each} was refused, and is there" for each in written.refused & there)
        yield from (f"{each} is there, and nobody made it" for each in there - written.made.keys() - written.unsure)

    def _as_accepted(self, kind: type[Entity], document: Document, fields: dict[str, Any]) -> Iterator[str]:
        thing_id = document[kind.ID]
        changed_by_others = {"revision", "changed_at", "status", "state"}
        for name, value in fields.items():
            if name not in changed_by_others and document[name] != value:
                yield f"{thing_id}: {name} was accepted as {value!r}, and is {document[name]!r}"
        for name, first in (("status", "active"), ("state", "requested")):
            if fields.get(name, first) != first and document[name] != fields[name]:
                yield f"{thing_id}: {name} was accepted as {fields[name]!r}, and is {document[name]!r}"
        expected = 1 + self._written.changes[thing_id] + _steps(kind, document)
        if document["revision"] != expected:
            yield f"{thing_id} is at revision {document['revision']} after {expected - 1} changes"

    # -- journals and topics

    def _journals(self) -> Iterator[str]:
        for service in JOURNALLED:
            seqs: defaultdict[str, list[int]] = defaultdict(list)
            for entry in self._books.entries(service):
                seqs[entry.edition_id].append(entry.seq)
            for edition_id, found in seqs.items():
                if found != list(range(1, len(found) + 1)):
                    yield f"{service}'s journal of {edition_id} has the entries {found}"

    def _notes(self) -> Iterator[str]:
        """What scheduler and notify note of a thing is newer each time: repeats and older revisions change nothing."""
        newest: dict[tuple[str, ...], int] = {}
        for service in ("scheduler", "notify"):
            for entry in self._books.entries(service):
                for change in entry.changes:
                    named = [value for value in change.values() if isinstance(value, str)]
                    for noted in change.values():
                        if isinstance(noted, dict) and "revision" in noted:
                            thing = (service, entry.edition_id, *named)
                            if noted["revision"] <= newest.get(thing, 0):
                                yield f"{thing} is noted at {noted['revision']} after {newest[thing]}"
                            newest[thing] = noted["revision"]

    def _topics(self) -> Iterator[str]:
        """Every revision is said, the first time after the one below it, and never says two things."""
        expected = self._to_be_said()
        for topic in TOPICS:
            newest: dict[str, int] = {}
            texts: dict[tuple[str, int], Any] = {}
            for record in self._books.kafka.records(topic.name):
                if (topic.name, record.partition, record.offset) in {each[1:] for each in self._planted}:
                    continue
                body = orjson.loads(record.value or b"{}")
                key, revision = (record.key or b"").decode(), body["revision"]
                if texts.setdefault((key, revision), body) != body:
                    yield f"{topic.name}: {key} says two things at revision {revision}"
                if revision > newest.get(key, 0) + 1:
                    yield f"{topic.name}: {key} goes from revision {newest.get(key, 0)} to {revision}"
                newest[key] = max(newest.get(key, 0), revision)
            there = expected[topic.name]
            for key in sorted(there.keys() | newest.keys()):
                if there.get(key) != newest.get(key):
                    yield f"{topic.name}: {key} is said to be at {newest.get(key)}, and is at {there.get(key)}"

    def _to_be_said(self) -> dict[str, dict[str, int]]:
        """By topic and key, the newest revision there is."""
        newest: dict[str, dict[str, int]] = {topic.name: {} for topic in TOPICS}
        for kind, things in self._things.items():
            topic = "match-request.v1" if kind is MatchRequest else "registration.v1"
            for thing_id, document in things.items():
                field = kind.ID.removesuffix("_id")
                newest[topic][f"{document['edition_id']}/{field}/{thing_id}"] = document["revision"]
        for service in ("matching", "scheduler"):
            for entry in self._books.entries(service):
                for packed in entry.outbox:
                    topic, key, revision = _said_in(packed)
                    newest[topic][key] = max(newest[topic].get(key, 0), revision)
        for line in self._books.lines():
            if line.recorded:
                key = f"{line.edition_id}/participant/{line.participant_id}"
                newest["notification.v1"][key] = line.recorded
        return newest

    # -- agendas

    def _double_bookings(self) -> Iterator[str]:
        """At each instant of the scheduler's journals, nobody is at two encounters, and no table has two."""
        bookings: defaultdict[str, Bookings] = defaultdict(Bookings)
        for entry in self._books.entries("scheduler"):
            for clash in bookings[entry.edition_id].apply(entry.changes):
                yield f"{entry.edition_id}:{entry.seq}: {clash}"

    def _agendas(self) -> Iterator[str]:
        wanted = self._wanted()
        for participant_id, document in self._things[Participant].items():
            agenda = self._said.get(participant_id)
            lines = agenda["entries"] if agenda else []
            met = {line["entry_id"]: line for line in lines if line["kind"] == "encounter"}
            if met.keys() != wanted[participant_id].keys():
                yield f"{participant_id} meets {sorted(met)} and should meet {sorted(wanted[participant_id])}"
            yield from self._partners_agree(participant_id, met, wanted[participant_id])
            times = sorted((line["starts_at"], line["ends_at"]) for line in lines)
            if any(after[0] < before[1] for before, after in pairwise(times)):
                yield f"{participant_id} is to be at two places at a time"
            is_published = document["edition_id"] in self._written.published
            if agenda and lines and agenda["provisional"] is is_published:
                yield f"the agenda of {participant_id} is provisional: {agenda['provisional']}"

    def _partners_agree(self, participant_id: str, met: dict[str, Document], wanted: dict[str, str]) -> Iterator[str]:
        for encounter, partner in wanted.items():
            theirs = {line["entry_id"]: line for line in self._said.get(partner, {}).get("entries", [])}
            if encounter in met and encounter in theirs and _where(met[encounter]) != _where(theirs[encounter]):
                yield f"{participant_id} and {partner} are told different places"

    def _wanted(self) -> defaultdict[str, dict[str, str]]:
        """By participant, the encounters they are to have, and with whom: consent and attendance, worked out anew."""
        wanted: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for request in self._things[MatchRequest].values():
            edition = self._things[Edition][request["edition_id"]]
            agreed = {"accepted"} if edition["consent_policy"] == "mutual" else {"accepted", "requested"}
            pair = pair_of(request["requester_id"], request["target_id"])
            if request["state"] in agreed and all(map(self._takes_part, pair)):
                encounter = encounter_id(request["edition_id"], *pair)
                wanted[pair[0]][encounter], wanted[pair[1]][encounter] = pair[1], pair[0]
        return wanted

    def _takes_part(self, participant_id: str) -> bool:
        participant = self._things[Participant][participant_id]
        organisation = self._things[Organisation][participant["organisation_id"]]
        return bool(participant["status"] == organisation["status"] == "active")

    def _newest_agendas(self) -> dict[str, Document]:
        newest: dict[str, Document] = {}
        for record in self._books.kafka.records("agenda.v1"):
            body = orjson.loads(record.value)
            if body["revision"] > newest.get(body["participant_id"], {"revision": 0})["revision"]:
                newest[body["participant_id"]] = body
        return newest

    # -- mails

    def _mails(self) -> Iterator[str]:
        times = Counter(mailing.message_id for _, mailing in self._books.mails)
        yield from (f"{message_id} is mailed {count} times" for message_id, count in times.items() if count > 1)
        last: dict[str, Mailing] = {}
        for participant_id, mailing in self._books.mails:
            known = last.get(participant_id)
            last[participant_id] = mailing if known is None or mailing.version > known.version else known
            if known is not None and mailing.version < known.version:
                yield f"{participant_id} is mailed version {mailing.version} after {known.version}"
        for participant_id, document in self._things[Participant].items():
            final = self._final(participant_id) if document["edition_id"] in self._written.published else []
            newest = last.get(participant_id)
            said = newest.content.lines if newest else ()
            mailed = [(line.entry_id, line.starts_at, line.ends_at, line.table) for line in said]
            is_another = newest is not None and newest.content.addressee != _addressee(document)
            if is_another and final:
                yield f"the last mail of {participant_id} went to another person than has the seat now"
            # Who takes over a seat with nothing to do is told nothing, and who has gone is told of no session.
            if mailed != final and not (is_another and not final) and not (document["status"] == "cancelled" and final):
                yield f"the last mail of {participant_id} says {mailed}, and the agenda is {final}"
        for line in self._books.lines():
            if line.unconfirmed or line.claim:
                yield f"the mail of {line.participant_id} is in doubt, or in hand"

    def _final(self, participant_id: str) -> list[AgendaLine]:
        lines = self._said.get(participant_id, {}).get("entries", [])
        read = [
            (
                line["entry_id"],
                datetime.fromisoformat(line["starts_at"]),
                datetime.fromisoformat(line["ends_at"]),
                line["table"],
            )
            for line in lines
        ]
        return sorted(read, key=lambda line: (line[1], line[0]))

    # -- dead letters

    def _dead_letters(self) -> Iterator[str]:
        expected = {f"{group}/{topic}/{partition}/{offset}" for group, topic, partition, offset in self._planted}
        found: set[str] = set()
        for topic in TOPICS:
            for record in self._books.kafka.records(topic.name + DLQ_SUFFIX):
                origin = DeadLetterOrigin.of(record)
                assert origin is not None
                found.add(origin.letter_id)
                if origin.letter_id not in expected:
                    yield f"{origin.letter_id} is set aside: {origin.cause}, {origin.reason}"
        yield from (f"{each} is not set aside" for each in expected - found)


def _steps(kind: type[Entity], document: Document) -> int:
    """How many changes, beside those that were counted, led to where a thing stands."""
    if kind is MatchRequest:
        return {"requested": 0, "accepted": 1, "declined": 1, "withdrawn": 2}[document["state"]]
    return int(document.get("status", "active") != "active")


def _said_in(packed: Document) -> tuple[str, str, int]:
    """Topic, key and revision of a packed event."""
    record = unpack(packed)
    return record.topic, record.key.decode(), int(packed["revision"])


def _addressee(participant: Document) -> str:
    return derived_id("addressee", participant["email"], participant["name"], participant["languages"][0])


def _where(line: Document) -> tuple[Any, ...]:
    return line["starts_at"], line["zone_id"], line["table"]
