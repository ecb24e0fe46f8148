"""Every named step of every service, and what can befall a process there: in the end all is as it should be.

A cell that does not apply is named in `HOLES`, with its reason; what is neither tested nor named there is a failure.
"""

from __future__ import annotations

from itertools import product

import pytest

from tests.simulation.faults import Blow, Planned
from tests.simulation.load import LEAST
from tests.simulation.process import Fault, Mode, When
from tests.simulation.world import run, run_seed

#: The steps of each service: see `process` for what each is. The order is that of the code.
_JOURNAL = ("take", "load", "insert", "send", "mark", "snapshot", "commit", "set aside", "sweep")
STEPS: dict[str, tuple[str, ...]] = {
    "registration": ("read", "write", "outbox: read", "send", "outbox: empty", "sweep"),
    "matching": _JOURNAL,
    "scheduler": (*_JOURNAL, "solve"),
    "notify": (
        *_JOURNAL,
        "want",
        "mail: look",
        "mail: connect",
        "mail: take",
        "mail: address",
        "mail: start",
        "mail: send",
        "mail: settle",
        "mail: postpone",
        "outbox: read",
        "outbox: empty",
    ),
}
#: Cells that are left out, and why.
HOLES: dict[tuple[str, str], str] = {
    ("take", "after"): "what a fetch brought is not the process's until it has it: the same as before",
}
#: What has to go wrong first for a process to come to a step at all.
LEADING_UP = {"mail: postpone": (Blow("notify", "mail: address", Fault(Mode.ERROR)),)}
#: Longer than a session, and longer than the lease of a mail.
_HANG_SECONDS = 25.0
_CELLS = [
    (service, step, mode, when)
    for service, steps in STEPS.items()
    for step, mode, when in product(steps, (Mode.DIE, Mode.HANG, Mode.ERROR), When)
    if (step, when.value) not in HOLES
]


@pytest.mark.parametrize(
    ("service", "step", "mode", "when"), _CELLS, ids=[f"{s}: {t}: {m} {w}" for s, t, m, w in _CELLS]
)
def test_whatever_befalls_a_process_at_a_step_the_end_is_right(service: str, step: str, mode: Mode, when: When) -> None:
    fault = Fault(mode, when, _HANG_SECONDS if mode is Mode.HANG else 0.0)
    plan = Planned(*LEADING_UP.get(step, ()), Blow(service, step, fault))
    outcome = run(lambda _: plan, 1, scale=LEAST)
    assert outcome.violations == []
    assert not plan.left, "no process ever came to the step: the cell shows nothing"


def test_no_step_is_left_out() -> None:
    """What the services do in a run with many faults is in the table."""
    seen = set()
    for seed in range(5):
        for _, process, step, _ in run_seed(seed).history:
            seen.add((process.rpartition("-")[0], step))
    known = {(service, step) for service, steps in STEPS.items() for step in steps}
    events = {"dies", "freezes", "wakes", "kill", "stop", "freeze", "rewind", "rebalance", "outage"}
    assert {(service, step) for service, step in seen if step not in events} <= known
