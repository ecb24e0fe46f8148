"""The journal of `shared/storage/journal.py` as a state machine: an edition, its inputs, two processes, a sweeper.

The steps have the names of the code. `load` sends the unsent entries of the journal, `decide` drops applied inputs, and
`insert` is fenced by the entry's number. Then come `send`, `mark` and `commit`. A process without its partition goes on
with the batch in hand (a zombie): only the fence stops it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.model.explore import Step


@dataclass(frozen=True)
class Protocol:
    """The protections. The test takes each away and expects a counterexample."""

    has_fence: bool = True
    drops_what_is_applied: bool = True
    commits_last: bool = True
    sends_before_marking: bool = True
    sends_when_loading: bool = True
    sweeps: bool = True


@dataclass(frozen=True)
class Entry:
    """An entry: the offsets applied, the revisions to send, and whether they are marked as sent."""

    applied: tuple[int, ...]
    outbox: tuple[int, ...]
    is_marked: bool = False


@dataclass(frozen=True)
class Process:
    """A process: the number of folded entries (None: it must load), its read position, and its batch in hand."""

    folded: int | None = None
    position: int = 0
    step: str = "idle"
    batch: tuple[int, ...] = ()
    #: The entry in hand, by its place in the journal.
    entry: int = -1


@dataclass(frozen=True)
class World:
    """State of the model. `owner` has the partition; so many `faults` may still happen."""

    journal: tuple[Entry, ...] = ()
    bus: tuple[int, ...] = ()
    committed: int = 0
    owner: int = 0
    processes: tuple[Process, Process] = (Process(), Process())
    sweeping: int = -1
    faults: int = 2


class JournalModel:
    """Possible steps of `records` inputs under a protocol."""

    def __init__(self, records: int = 3, protocol: Protocol | None = None) -> None:
        self._records = records
        self._protocol = protocol or Protocol()

    def steps(self, world: World) -> Iterator[Step[World]]:
        """Yield the possible next steps."""
        for number, process in enumerate(world.processes):
            for name, after in self._process_steps(world, number, process):
                yield Step(f"{name} {number}", after)
        yield from self._sweep(world)
        if world.faults:
            yield from self._faults(replace(world, faults=world.faults - 1))

    def always(self, world: World) -> str:
        """Return the rule that a state breaks, or an empty text."""
        applied = [offset for entry in world.journal for offset in entry.applied]
        if len(applied) != len(set(applied)):
            return "an input is applied twice"
        first_sent = tuple(dict.fromkeys(world.bus))
        if first_sent != tuple(range(1, len(first_sent) + 1)):
            return "a revision is sent before the one below it"
        return ""

    def at_rest(self, world: World) -> str:
        """Return the rule that a final state breaks, or an empty text."""
        applied = {offset for entry in world.journal for offset in entry.applied}
        if applied != set(range(self._records)):
            return "an input is lost"
        if set(world.bus) != {revision for entry in world.journal for revision in entry.outbox}:
            return "a revision is never sent"
        return ""

    def _process_steps(self, world: World, number: int, process: Process) -> Iterator[tuple[str, World]]:
        match process.step:
            case "idle" if world.owner == number and process.position < self._records:
                yield from (
                    self._load(world, number, process) if process.folded is None else self._take(world, number, process)
                )
            case "load: mark":
                marked = replace(world, journal=_marked(world.journal, process.entry))
                yield "load: mark", _with(marked, number, replace(process, step="idle", entry=-1))
            case "decide":
                fresh = self._fresh(world, process)
                decided = replace(process, step="insert", batch=fresh) if fresh else replace(process, step="commit")
                yield "decide", _with(world, number, decided)
            case "insert":
                yield self._insert(world, number, process)
            case "send":
                sent = replace(world, bus=world.bus + world.journal[process.entry].outbox)
                following = "mark" if self._protocol.sends_before_marking else "commit"
                yield "send", _with(sent, number, replace(process, step=following))
            case "mark":
                marked = replace(world, journal=_marked(world.journal, process.entry))
                following = "commit" if self._protocol.sends_before_marking else "send"
                yield "mark", _with(marked, number, replace(process, step=following))
            case "commit":
                yield self._commit(world, number, process)

    def _load(self, world: World, number: int, process: Process) -> Iterator[tuple[str, World]]:
        """Send the unmarked entries in order, then fold."""
        unsent = _unsent(world.journal) if self._protocol.sends_when_loading else None
        if unsent is None:
            yield "load", _with(world, number, replace(process, folded=len(world.journal)))
        else:
            sent = replace(world, bus=world.bus + world.journal[unsent].outbox)
            yield "load: send", _with(sent, number, replace(process, step="load: mark", entry=unsent))

    def _take(self, world: World, number: int, process: Process) -> Iterator[tuple[str, World]]:
        """Take one or several inputs: a fetch may bring any number."""
        first = "decide" if self._protocol.commits_last else "commit"
        for end in range(process.position + 1, self._records + 1):
            batch = tuple(range(process.position, end))
            yield "take", _with(world, number, replace(process, step=first, batch=batch, entry=-1))

    def _fresh(self, world: World, process: Process) -> tuple[int, ...]:
        if not self._protocol.drops_what_is_applied:
            return process.batch
        known = {offset for entry in world.journal[: process.folded] for offset in entry.applied}
        return tuple(offset for offset in process.batch if offset not in known)

    def _insert(self, world: World, number: int, process: Process) -> tuple[str, World]:
        if self._protocol.has_fence and process.folded != len(world.journal):
            return "insert: refused", _with(world, number, replace(process, folded=None, step="idle", batch=()))
        revision = sum(len(entry.outbox) for entry in world.journal[: process.folded])
        outbox = tuple(revision + 1 + at for at in range(len(process.batch)))
        journal = (*world.journal, Entry(process.batch, outbox))
        following = "send" if self._protocol.sends_before_marking else "mark"
        inserted = replace(process, step=following, folded=len(journal), entry=len(journal) - 1)
        return "insert", _with(replace(world, journal=journal), number, inserted)

    def _commit(self, world: World, number: int, process: Process) -> tuple[str, World]:
        """Commit; the broker refuses a process that has lost the partition."""
        end = _end(process)
        step, batch = ("idle", ()) if self._protocol.commits_last else ("decide", process.batch)
        moved = _with(world, number, replace(process, position=end, step=step, batch=batch))
        return "commit", replace(moved, committed=max(world.committed, end)) if world.owner == number else moved

    def _sweep(self, world: World) -> Iterator[Step[World]]:
        if not self._protocol.sweeps:
            return
        if world.sweeping >= 0:
            marked = _marked(world.journal, world.sweeping)
            yield Step("sweep: mark", replace(world, journal=marked, sweeping=-1))
            return
        unsent = _unsent(world.journal)
        if unsent is not None:
            yield Step("sweep: send", replace(world, bus=world.bus + world.journal[unsent].outbox, sweeping=unsent))

    def _faults(self, world: World) -> Iterator[Step[World]]:
        for number, process in enumerate(world.processes):
            fresh = Process(position=world.committed)
            if process not in (fresh, Process()):
                yield Step(f"kill {number}", _with(world, number, fresh), is_fault=True)
            if process.step == "commit" and self._protocol.commits_last:
                lost = replace(process, position=_end(process), step="idle", batch=())
                yield Step(f"lose the commit of {number}", _with(world, number, lost), is_fault=True)
        successor = 1 - world.owner
        taken_over = replace(world.processes[successor], position=world.committed)
        yield Step("rebalance", replace(_with(world, successor, taken_over), owner=successor), is_fault=True)


def _with(world: World, number: int, process: Process) -> World:
    both = list(world.processes)
    both[number] = process
    return replace(world, processes=(both[0], both[1]))


def _end(process: Process) -> int:
    """Return the read position after the batch in hand."""
    return max(process.position, process.batch[-1] + 1 if process.batch else 0)


def _unsent(journal: tuple[Entry, ...]) -> int | None:
    return next((at for at, entry in enumerate(journal) if not entry.is_marked), None)


def _marked(journal: tuple[Entry, ...], at: int) -> tuple[Entry, ...]:
    return (*journal[:at], replace(journal[at], is_marked=True), *journal[at + 1 :])
