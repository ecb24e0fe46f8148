"""Lanes: the records of an edition in order, beside the records of further editions (ADR 0053).

A lane hands a batch at a time to the handler, when its operator has a turn. A slow edition delays itself only: once too
many records are in memory, the waiting records of slow lanes are left in Kafka, and read again later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import ConsumerRecord, TopicPartition

from shared.messaging.batch_handler import BatchHandler, Pause, Received, Trials
from shared.messaging.offsets import PartitionOffsets
from shared.runtime.fair_turns import FairTurns
from shared.runtime.log import get_logger
from shared.runtime.metrics import BATCH_SECONDS

_log = get_logger(__name__)
#: Duration of a turn, with the wait for it, after which a lane is slow.
_SLOW_SECONDS = 1.0


class Reader(Protocol):
    """The calls of the consumer that the lanes need."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read a partition from an offset on."""

    def pause(self) -> None:
        """Fetch nothing more, and stay in the group."""

    def resume(self) -> None:
        """Fetch again."""


@dataclass(frozen=True)
class LaneLimits:
    """Bounds of the lanes: records of a batch, and records in memory at which fetching stops."""

    batch_records: int
    open_records: int

    @property
    def resume_records(self) -> int:
        """Records in memory at which fetching goes on: room for a batch."""
        return max(self.open_records // 2, self.open_records - self.batch_records)


@dataclass
class _Lane:
    edition_id: str
    #: Monotonic times: arrival of the oldest unfinished record, and start of the turn or of the wait for it.
    since: float
    turn_since: float
    trials: Trials
    waiting: deque[Received] = field(default_factory=deque)
    #: The batch of the turn in progress, without the records that have ended.
    in_hand: list[Received] = field(default_factory=list)
    is_held: bool = False
    task: asyncio.Task[None] | None = None


class Lanes:
    """The lanes of an assignment of partitions. A rebalance ends them; the next assignment has lanes of its own.

    Attributes:
        is_closing: true once no more turns begin.
        open_records: records in memory, of all lanes.
        offsets: by partition, the offsets of open and finished records.
    """

    def __init__(
        self,
        handler: BatchHandler,
        reader: Reader,
        turns: FairTurns,
        limits: LaneLimits,
        now: Callable[[], float],
        on_turn_ended: Callable[[Sequence[ConsumerRecord]], None],
    ) -> None:
        """Create lanes. `on_turn_ended` is called after a turn, with the finished records."""
        self.is_closing = False
        self.open_records = 0
        self.offsets: dict[TopicPartition, PartitionOffsets] = {}
        self._handler, self._reader, self._turns, self._limits = handler, reader, turns, limits
        self._now, self._on_turn_ended = now, on_turn_ended
        self._lanes: dict[str, _Lane] = {}
        #: The trials of editions that have left all their records in Kafka.
        self._trials: dict[str, Trials] = {}
        #: The next look at the bounds; set while fetching is paused.
        self._review: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._lanes)

    def oldest_seconds(self) -> float:
        """Return the time since the oldest unfinished record came, in seconds; 0 without such a record."""
        return max((self._now() - lane.since for lane in self._lanes.values()), default=0.0)

    def uncommitted(self) -> dict[TopicPartition, int]:
        """Return the offsets to commit: by partition, that of the lowest unfinished record."""
        lowest = {partition: offsets.lowest_unfinished for partition, offsets in self.offsets.items()}
        return {
            partition: offset for partition, offset in lowest.items() if offset != self.offsets[partition].committed
        }

    def committed(self, lowest: dict[TopicPartition, int]) -> None:
        """Record that offsets were committed."""
        for partition, offset in lowest.items():
            self.offsets[partition].committed = offset

    def take(self, partition: TopicPartition, records: Sequence[ConsumerRecord], position: int) -> int:
        """Hand the records of a partition to their lanes. Return the number of records that lanes took.

        `position` is the offset at which the consumer reads on.
        """
        offsets = self.offsets.setdefault(partition, PartitionOffsets(records[0].offset))
        before = self.open_records
        for record in records:
            edition_id = edition_of(record)
            if not offsets.wants(edition_id, record.offset):
                continue
            if self._has_room(edition_id):
                offsets.open(edition_id, record.offset)
                self._add(edition_id, Received.of(record, self._now()))
            else:
                offsets.leave(edition_id, record.offset)
        offsets.reached(position)
        taken = self.open_records - before
        self._look_at_bounds()
        return taken

    async def drain(self, seconds: float) -> None:
        """Begin no more turns, and wait for the turns in progress, so many seconds at most.

        A turn that goes on after that is abandoned: its records stay uncommitted, and the journal's fence protects.
        """
        self.is_closing = True
        if self._review is not None:
            self._review.cancel()
        in_turn = []
        for lane in self._lanes.values():
            if lane.in_hand and lane.task is not None:
                in_turn.append(lane.task)
            elif lane.task is not None:
                lane.task.cancel()
        if in_turn:
            await asyncio.wait(in_turn, timeout=seconds)
        if self.open_records:
            _log.info("records_left", records=self.open_records, editions=len(self._lanes))

    # -- one lane

    def _add(self, edition_id: str, received: Received) -> None:
        lane = self._lanes.get(edition_id)
        if lane is None:
            trials = self._trials.pop(edition_id, None) or Trials()
            lane = self._lanes[edition_id] = _Lane(edition_id, received.at, received.at, trials)
        lane.waiting.append(received)
        self.open_records += 1
        if lane.task is None:
            lane.task = asyncio.create_task(self._work(lane), name=f"lane {edition_id}")

    async def _work(self, lane: _Lane) -> None:
        while lane.waiting and not self.is_closing:
            lane.turn_since = self._now()
            pause = await self._turn(lane)
            if pause is not None and not self.is_closing:
                await self._rest(lane, pause)
        if not self.is_closing:
            del self._lanes[lane.edition_id]
            if self._reread(lane.edition_id):
                self._trials[lane.edition_id] = lane.trials

    async def _turn(self, lane: _Lane) -> Pause | None:
        """Wait for a turn, and hand a batch to the handler. Records that have not ended wait again, in their order."""
        async with self._turns.turn(lane.waiting[0].owner):
            if self.is_closing or not lane.waiting:
                return None
            batch = lane.trials.next_batch(lane.waiting, self._limits.batch_records)
            lane.in_hand = [lane.waiting.popleft() for _ in batch]
            with BATCH_SECONDS.time():
                pause = await self._handler.attempt(
                    lane.edition_id, batch, lane.trials, lambda received: self._finish(lane, received)
                )
        self._end_turn(lane, batch[: len(batch) - len(lane.in_hand)])
        return pause

    def _end_turn(self, lane: _Lane, ended: Sequence[Received]) -> None:
        lane.waiting.extendleft(reversed(lane.in_hand))
        lane.in_hand, lane.turn_since = [], self._now()
        if lane.waiting:
            lane.since = lane.waiting[0].at
        self._on_turn_ended([received.record for received in ended])
        self._look_at_bounds()

    def _finish(self, lane: _Lane, received: Received) -> None:
        lane.in_hand.remove(received)
        self.open_records -= 1
        self.offsets[received.partition].finish(received.record.offset)

    async def _rest(self, lane: _Lane, pause: Pause) -> None:
        """Wait for the next attempt. A held lane keeps nothing in memory meanwhile."""
        lane.is_held = pause.is_held
        if lane.is_held:
            self._leave_waiting(lane)
            self._look_at_bounds()
        await asyncio.sleep(pause.seconds)
        lane.is_held = False

    # -- bounds

    def _has_room(self, edition_id: str) -> bool:
        lane = self._lanes.get(edition_id)
        if lane is None:
            return True
        return not lane.is_held and not (self._is_slow(lane) and len(lane.waiting) >= self._limits.batch_records)

    def _is_slow(self, lane: _Lane) -> bool:
        return self._now() - lane.turn_since >= _SLOW_SECONDS

    def _leave_waiting(self, lane: _Lane) -> None:
        """Leave the waiting records of a lane in Kafka."""
        for received in lane.waiting:
            self.offsets[received.partition].leave(lane.edition_id, received.record.offset)
        self.open_records -= len(lane.waiting)
        lane.waiting.clear()

    def _reread(self, edition_id: str) -> bool:
        """Read again what the edition has left in Kafka. Return False if it has left nothing."""
        left = [partition for partition, offsets in self.offsets.items() if offsets.has_left(edition_id)]
        for partition in left:
            start = self.offsets[partition].reread(edition_id)
            if start is not None:
                self._reader.seek(partition, start)
        return bool(left)

    def _look_at_bounds(self) -> None:
        """Stop fetching at the most records in memory, and go on once there is room. Slow lanes make room first."""
        is_full = self.open_records >= self._limits.open_records
        if self.is_closing or not (is_full or self._review):
            return
        for lane in self._lanes.values():
            if self._is_slow(lane):
                self._leave_waiting(lane)
        if self.open_records >= self._limits.open_records:
            self._reader.pause()
            self._review = self._review or asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._look_again)
        elif self._review is not None and self.open_records <= self._limits.resume_records:
            self._review.cancel()
            self._review = None
            self._reader.resume()

    def _look_again(self) -> None:
        self._review = asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._look_again)
        self._look_at_bounds()


def edition_of(record: ConsumerRecord) -> str:
    """Return the edition of a record key `<edition>/<kind>/<id>`, without decoding the record."""
    key: bytes = record.key or b""
    return key.partition(b"/")[0].decode("utf-8", "backslashreplace")
