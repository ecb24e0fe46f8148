"""State machine of notify's delivery ledger: one participant's delivery, two delivery workers, a mail server.

The steps have the names of the code. `claim` claims the delivery for a time. `start` writes that the text is about to
be handed over, and `send` hands it over. `settle` records that it was accepted. A write is refused if the delivery has
changed since it was read (`edit`). A worker whose lease has ended may go on (a zombie).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.model.explore import Step


@dataclass(frozen=True)
class LedgerProtocol:
    """The protections. The test takes each away and expects a counterexample."""

    writes_what_it_read: bool = True
    starts_before_sending: bool = True
    leaves_unconfirmed_alone: bool = True


@dataclass(frozen=True)
class ModelDelivery:
    """The delivery: the versions wanted and settled, and the token of its claim (0 without a claim)."""

    wanted: int = 1
    settled: int = 0
    token: int = 0
    in_data: int = 0
    unconfirmed: frozenset[int] = frozenset()
    edit: int = 0


@dataclass(frozen=True)
class Worker:
    """A delivery worker: its next step, and the delivery as last read or written."""

    step: str = "idle"
    delivery: ModelDelivery = ModelDelivery()
    version: int = 0


@dataclass(frozen=True)
class LedgerWorld:
    """The whole state. `accepted` lists the versions that the mail server accepted; `lapsed`: the lease has ended."""

    delivery: ModelDelivery = ModelDelivery()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    accepted: tuple[int, ...] = ()
    lapsed: bool = False
    tokens: int = 0
    faults: int = 2


class LedgerModel:
    """The possible steps of `versions` agendas of one participant under a protocol."""

    def __init__(self, versions: int = 2, protocol: LedgerProtocol | None = None) -> None:
        self._versions = versions
        self._protocol = protocol or LedgerProtocol()

    def steps(self, world: LedgerWorld) -> Iterator[Step[LedgerWorld]]:
        """List every possible next step."""
        delivery = world.delivery
        if delivery.wanted < self._versions:
            newer = replace(delivery, wanted=delivery.wanted + 1, edit=delivery.edit + 1)
            yield Step("want", replace(world, delivery=newer))
        for number, worker in enumerate(world.workers):
            for name, after in self._worker_steps(world, number, worker):
                yield Step(f"{name} {number}", after)
            if world.faults and worker.step != "idle":
                spent = replace(world, faults=world.faults - 1)
                yield Step(f"kill {number}", _with(spent, number, Worker()), is_fault=True)
        if delivery.token and not world.lapsed:
            # A lease ends only under a worker that is gone (no fault) or slow (a fault).
            is_held = any(worker.step != "idle" and worker.delivery.token == delivery.token for worker in world.workers)
            if not is_held:
                yield Step("lapse", replace(world, lapsed=True))
            elif world.faults:
                yield Step("stall", replace(world, lapsed=True, faults=world.faults - 1), is_fault=True)

    def always(self, world: LedgerWorld) -> str:
        """Return the rule broken at this moment, or an empty text."""
        return "a version is mailed twice" if len(world.accepted) != len(set(world.accepted)) else ""

    def at_rest(self, world: LedgerWorld) -> str:
        """Return the rule broken at the end, or an empty text: the newest version is accepted or unconfirmed."""
        if world.delivery.settled < self._versions:
            return "a version is never mailed"
        if self._versions not in set(world.accepted) | world.delivery.unconfirmed:
            return "a version is settled without a mail"
        return ""

    def _worker_steps(self, world: LedgerWorld, number: int, worker: Worker) -> Iterator[tuple[str, LedgerWorld]]:
        delivery = world.delivery
        match worker.step:
            case "idle" if delivery.settled < delivery.wanted and (not delivery.token or world.lapsed):
                yield self._claim(world, number, delivery)
            case "start":
                started = replace(worker.delivery, in_data=worker.version)
                yield from self._write("start", world, number, worker, started, "send")
            case "send":
                sent = replace(world, accepted=(*world.accepted, worker.version))
                yield "send", _with(sent, number, replace(worker, step="settle"))
            case "settle":
                settled = replace(worker.delivery, settled=worker.version, token=0, in_data=0)
                yield from self._write("settle", world, number, worker, settled, "idle")

    def _claim(self, world: LedgerWorld, number: int, delivery: ModelDelivery) -> tuple[str, LedgerWorld]:
        edit = delivery.edit + 1
        if delivery.in_data and self._protocol.leaves_unconfirmed_alone:
            unconfirmed = delivery.unconfirmed | {delivery.in_data}
            left = replace(delivery, settled=delivery.in_data, token=0, in_data=0, unconfirmed=unconfirmed, edit=edit)
            return "leave unconfirmed", replace(world, delivery=left, lapsed=False)
        token = world.tokens + 1
        claimed = replace(delivery, token=token, in_data=0, edit=edit)
        first = "start" if self._protocol.starts_before_sending else "send"
        after = replace(world, delivery=claimed, lapsed=False, tokens=token)
        return "claim", _with(after, number, Worker(first, claimed, delivery.wanted))

    def _write(
        self, name: str, world: LedgerWorld, number: int, worker: Worker, delivery: ModelDelivery, following: str
    ) -> Iterator[tuple[str, LedgerWorld]]:
        """Write the delivery if it is unchanged since it was read.

        If it has changed under the same claim, only a newer version was wanted, and the worker reads it again.
        """
        if self._protocol.writes_what_it_read and world.delivery.edit != worker.delivery.edit:
            if world.delivery.token != worker.delivery.token:
                yield f"{name}: overtaken", _with(world, number, Worker())
            else:
                yield f"{name}: read again", _with(world, number, replace(worker, delivery=world.delivery))
            return
        written = replace(delivery, wanted=max(delivery.wanted, world.delivery.wanted), edit=world.delivery.edit + 1)
        after = replace(world, delivery=written, lapsed=world.lapsed and bool(written.token))
        yield name, _with(after, number, replace(worker, step=following, delivery=written))


def _with(world: LedgerWorld, number: int, worker: Worker) -> LedgerWorld:
    both = list(world.workers)
    both[number] = worker
    return replace(world, workers=(both[0], both[1]))
