"""Audit of the logs of a run: journals, topics and dead letters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from services.registration.domain.match_request import MatchRequest
from services.registration.store import KINDS
from shared.contract.cloudevents import unpack
from shared.contract.topics import DLQ_SUFFIX, TOPICS
from shared.messaging.dead_letters import DeadLetterOrigin
from tests.simulation.contents import JOURNALLED, ServerContents
from tests.support.bookings import Bookings
from tests.support.in_memory.mongo import Document

#: A record that no service can process: the group of a reader, topic, partition and offset.
PlantedRecord = tuple[str, str, int, int]


class LogAudit:
    """Rules about journals, topics and dead-letter topics. `planted` holds the records to be dead-lettered."""

    def __init__(self, contents: ServerContents, planted: set[PlantedRecord]) -> None:
        self._contents, self._planted = contents, planted

    def violations(self) -> Iterator[str]:
        """Yield a sentence for each violation."""
        yield from self._journals()
        yield from self._revisions_in_journals()
        yield from self._topics()
        yield from self._double_bookings()
        yield from self._dead_letters()

    def _journals(self) -> Iterator[str]:
        for service in JOURNALLED:
            seqs: defaultdict[str, list[int]] = defaultdict(list)
            for entry in self._contents.entries(service):
                seqs[entry.edition_id].append(entry.seq)
            for edition_id, found in seqs.items():
                if found != list(range(1, len(found) + 1)):
                    yield f"{service}'s journal of {edition_id} has the entries {found}"

    def _revisions_in_journals(self) -> Iterator[str]:
        """The snapshots that scheduler and notify record of a thing have rising revisions: repeats change nothing."""
        newest: dict[tuple[str, ...], int] = {}
        for service in ("scheduler", "notify"):
            for entry in self._contents.entries(service):
                for change in entry.changes:
                    named = [value for value in change.values() if isinstance(value, str)]
                    for snapshot in change.values():
                        if isinstance(snapshot, dict) and "revision" in snapshot:
                            thing = (service, entry.edition_id, *named)
                            if snapshot["revision"] <= newest.get(thing, 0):
                                yield f"{thing} is recorded at revision {snapshot['revision']} after {newest[thing]}"
                            newest[thing] = snapshot["revision"]

    def _topics(self) -> Iterator[str]:
        """Every revision is published, first in rising order, and a repeated revision has the same content."""
        expected = self._newest_revisions()
        planted = {record[1:] for record in self._planted}
        for topic in TOPICS:
            newest: dict[str, int] = {}
            texts: dict[tuple[str, int], Any] = {}
            for record in self._contents.kafka.records(topic.name):
                if (topic.name, record.partition, record.offset) in planted:
                    continue
                body = orjson.loads(record.value or b"{}")
                key, revision = (record.key or b"").decode(), body["revision"]
                if texts.setdefault((key, revision), body) != body:
                    yield f"{topic.name}: {key} has two different revisions {revision}"
                if revision > newest.get(key, 0) + 1:
                    yield f"{topic.name}: {key} goes from revision {newest.get(key, 0)} to {revision}"
                newest[key] = max(newest.get(key, 0), revision)
            stored = expected[topic.name]
            for key in sorted(stored.keys() | newest.keys()):
                if stored.get(key) != newest.get(key):
                    yield f"{topic.name}: {key} is published at {newest.get(key)}, and is stored at {stored.get(key)}"

    def _newest_revisions(self) -> dict[str, dict[str, int]]:
        """Return the newest stored revision by topic and key."""
        newest: dict[str, dict[str, int]] = {topic.name: {} for topic in TOPICS}
        for kind in KINDS:
            topic = "match-request.v1" if kind is MatchRequest else "registration.v1"
            for thing_id, document in self._contents.things(kind).items():
                field = kind.ID.removesuffix("_id")
                newest[topic][f"{document['edition_id']}/{field}/{thing_id}"] = document["revision"]
        for service in ("matching", "scheduler"):
            for entry in self._contents.entries(service):
                for packed in entry.outbox:
                    topic, key, revision = _stream_of(packed)
                    newest[topic][key] = max(newest[topic].get(key, 0), revision)
        for delivery in self._contents.deliveries():
            if delivery.recorded and delivery.subject is None:
                key = f"{delivery.edition_id}/participant/{delivery.participant_id}"
                newest["notification.v1"][key] = delivery.recorded
        return newest

    def _double_bookings(self) -> Iterator[str]:
        """No participant and no table has two meetings at a time after any entry of the scheduler's journals."""
        bookings: defaultdict[str, Bookings] = defaultdict(Bookings)
        for entry in self._contents.entries("scheduler"):
            for clash in bookings[entry.edition_id].apply(entry.changes):
                yield f"{entry.edition_id}:{entry.seq}: {clash}"

    def _dead_letters(self) -> Iterator[str]:
        expected = {f"{group}/{topic}/{partition}/{offset}" for group, topic, partition, offset in self._planted}
        found: set[str] = set()
        for topic in TOPICS:
            for record in self._contents.kafka.records(topic.name + DLQ_SUFFIX):
                origin = DeadLetterOrigin.of(record)
                assert origin is not None
                found.add(origin.letter_id)
                if origin.letter_id not in expected:
                    yield f"{origin.letter_id} is dead-lettered: {origin.cause}, {origin.reason}"
        yield from (f"{letter_id} is not dead-lettered" for letter_id in expected - found)


def _stream_of(packed: Document) -> tuple[str, str, int]:
    """Return topic, key and revision of a packed event."""
    record = unpack(packed)
    return record.topic, record.key.decode(), int(packed["revision"])
