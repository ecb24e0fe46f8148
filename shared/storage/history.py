"""Journal entries read back as typed changes, and the steps that `tertulia why` shows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

Change = TypeVar("Change")


class StoredEntry(Protocol):
    """A journal entry as a journal store returns it: see `shared.storage.journal_entry.Entry`."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def applied(self) -> Mapping[str, int]: ...
    @property
    def changes(self) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True)
class PastEntry(Generic[Change]):
    """A journal entry with typed changes. `applied` is the last offset by `topic/partition`."""

    seq: int
    at: datetime
    applied: Mapping[str, int]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Step:
    """A step in the past of an encounter: its journal entry, the inputs of that entry, a sentence, and its cause."""

    at: datetime
    entry: str
    inputs: str
    what: str
    cause: str = ""


def read_back(change_type: TypeAdapter[Change], entries: Iterable[StoredEntry]) -> list[PastEntry[Change]]:
    """Read the changes of stored entries. Raises `pydantic.ValidationError` for a change of an unknown type."""
    return [
        PastEntry(entry.seq, entry.at, entry.applied, tuple(map(change_type.validate_python, entry.changes)))
        for entry in entries
    ]


def step_in(entry: PastEntry[Any], service: str, what: str, cause: str = "") -> Step:
    """Return the step that an entry of a service's journal is."""
    inputs = " ".join(f"{partition}@{offset}" for partition, offset in sorted(entry.applied.items()))
    return Step(entry.at, f"{service}:{entry.seq}", inputs, what, cause)
