"""Kafka in memory: what the services rely on of it, and no more.

A partition is a list. A record's partition follows from its key, by the services' own partitioner. The members of a
group share partitions by range; a member that is silent for its session is put out, and what it commits then is
refused. Whoever is given a partition reads on from what was committed, or from the beginning.
`tests/integration/shared/test_kafka_contract.py` holds it to what a real broker does.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError

from shared.contract.topics import DLQ_SUFFIX
from shared.messaging.broker import partition_of
from tests.support.in_memory.process import Process

_REBALANCE_SECONDS = 60.0
_HEARTBEAT_SECONDS = 2.0
_FETCH_AGAIN_SECONDS = 0.5


class InMemoryKafka:
    """All brokers, which outlive their clients."""

    def __init__(self, partitions: int, start: float, chance: random.Random) -> None:
        self.logs: defaultdict[TopicPartition, list[ConsumerRecord]] = defaultdict(list)
        self.groups: dict[str, Group] = {}
        #: Errors raised by handlers: their batch is lost.
        self.escaped: list[BaseException] = []
        self.partitions = partitions
        self.chance = chance
        self._start = start

    def append(self, topic: str, key: bytes | None, headers: Iterable[tuple[str, bytes]], value: bytes | None) -> int:
        """Add a record and return its offset."""
        count = 1 if topic.endswith(DLQ_SUFFIX) else self.partitions
        place = TopicPartition(topic, partition_of(key, range(count)))
        log = self.logs[place]
        now = int((self._start + asyncio.get_running_loop().time()) * 1000)
        log.append(ConsumerRecord(*place, len(log), now, 0, key, value, None, -1, -1, tuple(headers)))
        for group in self.groups.values():
            group.has_news(place)
        return len(log) - 1

    def records(self, topic: str) -> list[ConsumerRecord]:
        """Return all records of a topic, partition by partition."""
        return [record for place in sorted(self.logs) if place.topic == topic for record in self.logs[place]]

    def group(self, name: str) -> Group:
        """Return a group, which is made when it is first asked for."""
        return self.groups.setdefault(name, Group(self))

    def end(self, place: TopicPartition) -> int:
        """Return the offset of the next record."""
        return len(self.logs[place]) if place in self.logs else 0


class Group:
    """A consumer group with its coordinator."""

    def __init__(self, kafka: InMemoryKafka) -> None:
        self.kafka = kafka
        self.committed: dict[TopicPartition, int] = {}
        self.members: list[Member] = []
        self.generation = 0
        self._rebalancing: asyncio.Task[None] | None = None
        self._is_due = False
        self._preparing: dict[Member, asyncio.Task[None]] = {}

    def join(self, member: Member) -> None:
        """Add a member, and rebalance."""
        if member not in self.members:
            self.members.append(member)
        self.rebalance()

    def leave(self, member: Member) -> None:
        """Remove a member that leaves or whose session has timed out, and rebalance."""
        if member in self.members:
            self.members.remove(member)
            if member in self._preparing:
                self._preparing[member].cancel()
            self.rebalance()

    def rebalance(self) -> None:
        """Distribute the partitions among the members."""
        self._is_due = True
        if self._rebalancing is None or self._rebalancing.done():
            self._rebalancing = asyncio.create_task(self._rebalance())

    def commit(self, member: Member, offsets: dict[TopicPartition, int]) -> None:
        """Store offsets. Raises `CommitFailedError` for a member of another generation."""
        if member not in self.members or member.generation != self.generation:
            raise CommitFailedError("not a member of this generation")
        self.committed.update(offsets)

    def has_news(self, place: TopicPartition) -> None:
        """Wake the member that reads a partition."""
        for member in self.members:
            if place in member.positions:
                member.news.set()

    def lag(self) -> int:
        """Return the number of uncommitted records in the group's topics."""
        topics = {topic for member in self.members for topic in member.topics}
        places = [place for place in self.kafka.logs if place.topic in topics]
        return sum(self.kafka.end(place) - self.committed.get(place, 0) for place in places)

    async def _rebalance(self) -> None:
        while self._is_due:
            self._is_due = False
            self._preparing = {member: asyncio.create_task(member.prepare()) for member in self.members}
            if self._preparing:
                await asyncio.wait(self._preparing.values(), timeout=_REBALANCE_SECONDS)
            for member, prepared in self._preparing.items():
                if not prepared.done():
                    prepared.cancel()
                    self._is_due |= member in self.members
                    with contextlib.suppress(ValueError):
                        self.members.remove(member)
            self._preparing = {}
        self._assign()

    def _assign(self) -> None:
        """Assign by range: the first member by id gets the first partitions of every topic."""
        self.generation += 1
        members = sorted(self.members, key=lambda member: member.id)
        for number, member in enumerate(members):
            count, more = divmod(self.kafka.partitions, len(members))
            first = number * count + min(number, more)
            mine = range(first, first + count + (number < more))
            member.assign(
                [TopicPartition(topic, partition) for topic in member.topics for partition in mine], self.generation
            )


class Member:
    """A consumer in a group, with the calls of `aiokafka.AIOKafkaConsumer`."""

    def __init__(
        self, group: Group, process: Process, topics: Sequence[str], listener: Any, options: dict[str, Any]
    ) -> None:
        self.id = f"{group.kafka.chance.random():.9f}"
        self.group, self.process, self.topics = group, process, topics
        self.positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self.generation = 0
        self.news = asyncio.Event()
        self._listener = listener
        self._most = int(options.get("max_records", 200))
        self._session = options.get("session_timeout_ms", 10_000) / 1000
        self._reads = asyncio.Event()
        self._silences = 0
        self._tasks: set[asyncio.Task[None]] = set()
        process.stopped_answering.append(self._falls_silent)
        process.answers_again.append(self._speaks_again)

    # -- calls of the consumer

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self.positions)

    def partitions_for_topic(self, topic: str) -> frozenset[int]:
        return frozenset(range(self.group.kafka.partitions))

    def highwater(self, place: TopicPartition) -> int | None:
        return self.group.kafka.end(place)

    def last_poll_timestamp(self, place: TopicPartition) -> int | None:
        """Return the time of the last fetch in milliseconds: a fetch always waits."""
        return int(time.time() * 1000)

    async def position(self, place: TopicPartition) -> int:
        """Return the offset that is read next. Raises `IllegalStateError` for a partition that is not assigned."""
        self._check_assigned(place)
        return self.positions[place]

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._check_assigned(place)
        self.positions[place] = offset
        self.news.set()

    def pause(self, *places: TopicPartition) -> None:
        for place in places:
            self._check_assigned(place)
        self._paused |= set(places)

    def paused(self) -> frozenset[TopicPartition]:
        return frozenset(self._paused)

    def resume(self, *places: TopicPartition) -> None:
        self._paused -= set(places)
        self.news.set()

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Commit. Raises `CommitFailedError`, or `IllegalStateError` for a partition that is not assigned."""
        if not offsets.keys() <= self.positions.keys():
            raise IllegalStateError("a partition is not assigned")
        await self.process.step("commit", lambda: self.group.commit(self, offsets), KafkaConnectionError)

    async def fetch(self) -> list[ConsumerRecord]:
        """Return the next records of assigned partitions, in the order of their partition; wait for the first."""
        while True:
            await self._reads.wait()
            self.news.clear()
            if not self._take():
                await self.news.wait()
                continue
            try:
                batch = await self.process.step("take", self._take, KafkaConnectionError)
            except KafkaConnectionError:
                await asyncio.sleep(_FETCH_AGAIN_SECONDS)
                continue
            if received := [record for record in batch if self._advance(record)]:
                return received

    def _take(self) -> list[ConsumerRecord]:
        batch: list[ConsumerRecord] = []
        end = self.group.kafka.end
        unpaused = sorted(self.positions.keys() - self._paused)
        places = [place for place in unpaused if end(place) > self.positions[place]]
        self.group.kafka.chance.shuffle(places)
        for place in places if self._reads.is_set() else ():
            at = self.positions[place]
            batch += self.group.kafka.logs[place][at : at + self._most - len(batch)]
        return batch

    def _advance(self, record: ConsumerRecord) -> bool:
        """Move the position past a record; return False if its partition was reassigned since the fetch."""
        place = TopicPartition(record.topic, record.partition)
        if self.positions.get(place) != record.offset or place in self._paused:
            return False
        self.positions[place] += 1
        return True

    def _check_assigned(self, place: TopicPartition) -> None:
        if place not in self.positions:
            raise IllegalStateError("a partition is not assigned")

    # -- calls of the coordinator

    async def prepare(self) -> None:
        """Give up all partitions once the batch in hand is done. A frozen process never does."""
        await self.process.alive()
        self._reads.clear()
        await self._listener.on_partitions_revoked(list(self.positions))
        await self.process.alive()

    def assign(self, places: Sequence[TopicPartition], generation: int) -> None:
        self.positions = {place: self.group.committed.get(place, 0) for place in places}
        self._paused.clear()
        self.generation = generation
        self._reads.set()
        self.news.set()
        self._later(self._listener.on_partitions_assigned(list(places)))

    # -- heartbeats

    def _falls_silent(self) -> None:
        self._silences += 1
        asyncio.get_running_loop().call_later(self._session, self._put_out, self._silences)

    def _put_out(self, silence: int) -> None:
        if self._silences == silence and not self.process.answers:
            self.group.leave(self)

    def _speaks_again(self) -> None:
        self._later(self._find_out())

    async def _find_out(self) -> None:
        """Join again some time after the wake, when the answer to a heartbeat says that the session is over."""
        await asyncio.sleep(self.group.kafka.chance.uniform(0, _HEARTBEAT_SECONDS))
        await self.process.alive()
        if self not in self.group.members:
            await self._listener.on_partitions_revoked(list(self.positions))
            await self.process.alive()
            self.group.join(self)

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
