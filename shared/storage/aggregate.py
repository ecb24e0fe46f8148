"""The pure core of a journalled service: decisions, and the fold of changes into a state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.contract.events import Event
from shared.runtime.retry import Unready
from shared.storage.journal_entry import Entry

State = TypeVar("State", bound=BaseModel)
Change = TypeVar("Change", bound=BaseModel)
Message = TypeVar("Message")


@dataclass
class Decision(Generic[Change, Message]):
    """The result of a decision: changes of state, already applied with `evolve`, and the messages to send.

    Dear work is decided in slices. `taken` is the number of events that a slice has taken, `None` for all.
    `is_unfinished` tells that the state holds work left: the next slice continues it, without an event.
    """

    changes: list[Change] = field(default_factory=list)
    outbox: list[Message] = field(default_factory=list)
    taken: int | None = None
    is_unfinished: bool = False


class Aggregate(Protocol[State, Change, Message]):
    """The pure core of a service: decides how events change an edition's state and which messages they cause."""

    @property
    def state_type(self) -> type[State]:
        """The model of the state, for snapshots."""

    @property
    def change_type(self) -> TypeAdapter[Change]:
        """The union of the changes, for entries."""

    def empty(self, edition_id: str) -> State:
        """Return the state of an edition without events."""

    def decide(self, state: State, events: Sequence[Event], now: datetime) -> Decision[Change, Message]:
        """Decide on events in order; first, continue the work left in the state.

        Change `state` only by calling `evolve` with a change.
        """

    def evolve(self, state: State, change: Change) -> None:
        """Apply a change. Only this function changes a state, so that replay gives the same state."""


def fold(aggregate: Aggregate[State, Change, Message], state: State, entries: Sequence[Entry]) -> State:
    """Apply entries to the state that precedes them, and return it.

    Raises:
        Unready: an entry holds a change that this version cannot read. A newer version wrote it and must own the
            edition.
    """
    for entry in entries:
        for change in entry.changes:
            aggregate.evolve(state, _parsed(aggregate, entry, change))
    return state


def _parsed(aggregate: Aggregate[State, Change, Message], entry: Entry, change: dict[str, Any]) -> Change:
    try:
        return aggregate.change_type.validate_python(change)
    except ValidationError as error:
        raise Unready(
            f"entry {entry.edition_id}:{entry.seq} of the journal holds {change.get('type')!r}, which this version "
            f"cannot read: run the version that wrote it, or a newer one"
        ) from error
