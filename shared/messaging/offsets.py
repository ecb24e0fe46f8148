"""Offsets of a partition whose records end out of order (ADR 0053)."""

from __future__ import annotations


class PartitionOffsets:
    """The records of a partition: open in lanes, left in Kafka for a later reading, or finished.

    An edition whose lane takes no more leaves its records in Kafka, from an offset on. Later the partition is read
    again from that offset. Meanwhile only records of such editions count: all further records were handed out.

    Attributes:
        position: the offset that is read next.
        committed: the offset that was committed last.
    """

    def __init__(self, first: int) -> None:
        self.position = first
        self.committed = first
        #: Every record below was seen once.
        self._seen_to = first
        self._open: set[int] = set()
        #: By edition, the offset of the first record that it left in Kafka.
        self._left: dict[str, int] = {}
        #: By edition, the offset from which its records are read again now.
        self._rereading: dict[str, int] = {}

    @property
    def lowest_unfinished(self) -> int:
        """The offset to commit: every record below it is finished."""
        return min((*self._open, *self._left.values(), *self._rereading.values()), default=self._seen_to)

    def wants(self, edition_id: str, offset: int) -> bool:
        """Tell whether a record is to be offered to its lane now."""
        if offset >= self._seen_to:
            return edition_id not in self._left
        return offset >= self._rereading.get(edition_id, self._seen_to)

    def open(self, edition_id: str, offset: int) -> None:
        """Record that a lane has taken a record."""
        self._open.add(offset)
        if edition_id in self._rereading:
            self._rereading[edition_id] = offset + 1

    def finish(self, offset: int) -> None:
        """Record that a record was handled or dead-lettered."""
        self._open.discard(offset)

    def leave(self, edition_id: str, offset: int) -> None:
        """Leave the edition's records in Kafka, from this offset on."""
        self._open.discard(offset)
        self._left[edition_id] = min(offset, self._left.get(edition_id, offset))
        self._rereading.pop(edition_id, None)

    def reached(self, position: int) -> None:
        """Record that everything below a position was read and handed out."""
        self.position = position
        if position >= self._seen_to:
            self._seen_to = position
            self._rereading.clear()

    def has_left(self, edition_id: str) -> bool:
        """Tell whether the edition has left records in Kafka."""
        return edition_id in self._left

    def reread(self, edition_id: str) -> int | None:
        """Begin to read the left records of an edition again. Return the offset to seek, None if reading gets there."""
        start = self._left.pop(edition_id)
        self._rereading[edition_id] = start
        if start >= self.position:
            return None
        self.position = start
        return start
