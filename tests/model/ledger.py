"""The delivery ledger of `services/notify` as a state machine: one participant's line, two postmen, a mail server.

The steps have the names of the code: `take` claims the line for a time, `start` writes down that the text is about to
be handed over, `send` hands it over, `settle` records that it was taken. Every write is of the line as it was read
(`edit`). A postman whose time is over may go on (a zombie).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.model.explore import Step


@dataclass(frozen=True)
class Protocol:
    """The protections. Each can be taken away, to see that the check notices."""

    writes_what_it_read: bool = True
    starts_before_sending: bool = True
    leaves_doubts_alone: bool = True


@dataclass(frozen=True)
class Line:
    """The line: what is wanted, what is settled, and whose hands the mail is in (`token` 0: nobody's)."""

    wanted: int = 1
    settled: int = 0
    token: int = 0
    in_data: int = 0
    doubts: frozenset[int] = frozenset()
    edit: int = 0


@dataclass(frozen=True)
class Postman:
    """A postman: what is next, and the line as last read or written."""

    step: str = "idle"
    line: Line = Line()
    version: int = 0


@dataclass(frozen=True)
class World:
    """All there is. `taken`: the versions the mail server took, in order; `lapsed`: the claim's time is over."""

    line: Line = Line()
    postmen: tuple[Postman, Postman] = (Postman(), Postman())
    taken: tuple[int, ...] = ()
    lapsed: bool = False
    tokens: int = 0
    faults: int = 2


class LedgerModel:
    """What can happen to `versions` agendas of one participant under a protocol."""

    def __init__(self, versions: int = 2, protocol: Protocol | None = None) -> None:
        self._versions = versions
        self._protocol = protocol or Protocol()

    def steps(self, world: World) -> Iterator[Step[World]]:
        """Every step that may be taken next."""
        if world.line.wanted < self._versions:
            newer = replace(world.line, wanted=world.line.wanted + 1, edit=world.line.edit + 1)
            yield Step("want", replace(world, line=newer))
        for number, postman in enumerate(world.postmen):
            for name, after in self._postman_steps(world, number, postman):
                yield Step(f"{name} {number}", after)
            if world.faults:
                spent = replace(world, faults=world.faults - 1)
                if postman.step != "idle":
                    yield Step(f"kill {number}", _with(spent, number, Postman()), is_fault=True)
        if world.line.token and not world.lapsed:
            # Time passes: a claim lapses only under a postman who is gone or slow.
            is_held = any(p.step != "idle" and p.line.token == world.line.token for p in world.postmen)
            if not is_held:
                yield Step("lapse", replace(world, lapsed=True))
            elif world.faults:
                yield Step("stall", replace(world, lapsed=True, faults=world.faults - 1), is_fault=True)

    def always(self, world: World) -> str:
        """What must hold at any moment."""
        return "a version is mailed twice" if len(world.taken) != len(set(world.taken)) else ""

    def at_rest(self, world: World) -> str:
        """What must hold in the end: the newest version is known to be taken, or in doubt."""
        if world.line.settled < self._versions:
            return "a version is never mailed"
        if self._versions not in set(world.taken) | world.line.doubts:
            return "a version is settled that nobody got"
        return ""

    def _postman_steps(self, world: World, number: int, postman: Postman) -> Iterator[tuple[str, World]]:
        line = world.line
        match postman.step:
            case "idle" if line.settled < line.wanted and (not line.token or world.lapsed):
                yield self._take(world, number, line)
            case "start":
                started = replace(postman.line, in_data=postman.version)
                yield from self._write("start", world, number, postman, started, "send")
            case "send":
                sent = replace(world, taken=(*world.taken, postman.version))
                yield "send", _with(sent, number, replace(postman, step="settle"))
            case "settle":
                settled = replace(postman.line, settled=postman.version, token=0, in_data=0)
                yield from self._write("settle", world, number, postman, settled, "idle")

    def _take(self, world: World, number: int, line: Line) -> tuple[str, World]:
        if line.in_data and self._protocol.leaves_doubts_alone:
            doubts = line.doubts | {line.in_data}
            in_doubt = replace(line, settled=line.in_data, token=0, in_data=0, doubts=doubts, edit=line.edit + 1)
            return "doubt", replace(world, line=in_doubt, lapsed=False)
        token = world.tokens + 1
        taken = replace(line, token=token, in_data=0, edit=line.edit + 1)
        first = "start" if self._protocol.starts_before_sending else "send"
        after = replace(world, line=taken, lapsed=False, tokens=token)
        return "take", _with(after, number, Postman(first, taken, line.wanted))

    def _write(
        self, name: str, world: World, number: int, postman: Postman, line: Line, following: str
    ) -> Iterator[tuple[str, World]]:
        """Write the line as it was read; read it again if only what is wanted has changed; else it is another's."""
        if self._protocol.writes_what_it_read and world.line.edit != postman.line.edit:
            if world.line.token != postman.line.token:
                yield f"{name}: overtaken", _with(world, number, Postman())
            else:
                yield f"{name}: read again", _with(world, number, replace(postman, line=world.line))
            return
        written = replace(line, wanted=max(line.wanted, world.line.wanted), edit=world.line.edit + 1)
        after = replace(world, line=written, lapsed=world.lapsed and bool(written.token))
        yield name, _with(after, number, replace(postman, step=following, line=written))


def _with(world: World, number: int, postman: Postman) -> World:
    both = list(world.postmen)
    both[number] = postman
    return replace(world, postmen=(both[0], both[1]))
