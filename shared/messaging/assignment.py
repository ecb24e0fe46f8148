"""The partitions that the consumer group has assigned to this process, and the editions in them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from shared.messaging.broker import partition_of
from shared.messaging.inputs import Owns
from shared.runtime.log import get_logger

_log = get_logger(__name__)
#: Time for which a rebalance waits for the batch in progress. It makes double work rare; the journal's fence makes
#: double work harmless.
_REBALANCE_WAIT_SECONDS = 20.0


class PartitionAssignment(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Follows the group's rebalances, and tells hooks which editions this process owns.

    Attributes:
        is_known: whether the group has assigned partitions to this process at least once, possibly none.
        hooks: called in order after a rebalance.
    """

    def __init__(self, idle: asyncio.Event, consumer: Callable[[], AIOKafkaConsumer]) -> None:
        """Create a listener. `idle` is set while no batch is in progress; `consumer` returns the running consumer."""
        self.is_known = False
        self.hooks: list[Callable[[Owns], None]] = []
        self._idle = idle
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Wait for the batch in progress, up to the limit."""
        if revoked:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), _REBALANCE_WAIT_SECONDS)

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Tell the hooks which editions this process owns from now on."""
        self.is_known = True
        numbers: defaultdict[str, set[int]] = defaultdict(set)
        for partition in assigned:
            numbers[partition.topic].add(partition.partition)

        def owns(edition_id: str) -> bool:
            return any(self._is_in(edition_id, topic, owned) for topic, owned in numbers.items())

        for hook in self.hooks:
            hook(owns)
        _log.info("assigned", partitions=len(assigned))

    def _is_in(self, edition_id: str, topic: str, owned: Collection[int]) -> bool:
        """Tell whether an owned partition holds the edition's records. True while the partition count is unknown."""
        partitions = self._consumer().partitions_for_topic(topic)
        return not partitions or partition_of(edition_id.encode(), sorted(partitions)) in owned
