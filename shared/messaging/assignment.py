"""The partitions that the consumer group has assigned to this process, and the editions in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from shared.messaging.broker import partition_of
from shared.messaging.inputs import Owns
from shared.runtime.log import get_logger
from shared.runtime.metrics import REBALANCES

_log = get_logger(__name__)


class PartitionAssignment(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Follows the group's rebalances, and tells hooks which editions this process owns.

    Attributes:
        is_known: whether the group has assigned partitions to this process at least once, possibly none.
        hooks: called in order after a rebalance.
    """

    def __init__(
        self,
        consumer: Callable[[], AIOKafkaConsumer],
        before: Callable[[], Awaitable[None]],
        after: Callable[[], None],
    ) -> None:
        """Create a listener.

        `consumer` returns the running consumer. `before` ends the work on the partitions of the last assignment, and
        `after` begins the work on the next.
        """
        self.is_known = False
        self.hooks: list[Callable[[Owns], None]] = []
        self._consumer = consumer
        self._before = before
        self._after = after

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:  # noqa: ARG002 -- all are revoked
        """End the work on the partitions: a rebalance revokes all of them."""
        await self._before()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Begin to work, and tell the hooks which editions this process owns from now on."""
        self.is_known = True
        REBALANCES.inc()
        self._after()
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
