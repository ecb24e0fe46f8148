"""Faults of all kinds at all named steps of all services: the final state is right.

A combination that does not apply is in `HOLES` with its reason. Steps in neither table fail a test.
"""

from __future__ import annotations

from itertools import product

import pytest

from tests.simulation.faults import Planned, PlannedFault
from tests.simulation.load import LEAST
from tests.simulation.world import run, run_seed
from tests.support.in_memory.process import Fault, Mode, When

#: Steps of each service, in the order of the code. `tests/support/in_memory/process.py` explains them.
_JOURNAL = ("take", "load", "insert", "send", "mark", "snapshot", "commit", "dead-letter", "sweep")
STEPS: dict[str, tuple[str, ...]] = {
    "registration": ("read", "write", "outbox: read", "send", "outbox: empty", "sweep"),
    "matching": (*_JOURNAL, "read", "write"),  # of `people`
    "scheduler": (*_JOURNAL, "solve"),
    "notify": (
        *_JOURNAL,
        "read",
        "write",
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
#: Combinations that are left out, with the reason.
HOLES: dict[tuple[str, str], str] = {
    ("take", "after"): "fetched records reach the process at the end of the step: the same as before it",
}
#: Faults that must occur first for a process to come to the step at all.
LEADING_UP = {"mail: postpone": (PlannedFault("notify", "mail: address", Fault(Mode.ERROR)),)}
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
def test_after_a_fault_at_any_step_the_final_state_is_right(service: str, step: str, mode: Mode, when: When) -> None:
    fault = Fault(mode, when, _HANG_SECONDS if mode is Mode.HANG else 0.0)
    plan = Planned(*LEADING_UP.get(step, ()), PlannedFault(service, step, fault))
    outcome = run(lambda _: plan, 1, scale=LEAST)
    assert outcome.violations == []
    assert not plan.left, "no process ever came to the step"


def test_no_step_is_left_out() -> None:
    """Steps of runs with many faults are in the table."""
    seen = set()
    for seed in range(5):
        for _, process, step, _ in run_seed(seed).history:
            seen.add((process.rpartition("-")[0], step))
    known = {(service, step) for service, steps in STEPS.items() for step in steps}
    events = {"dies", "freezes", "wakes", "kill", "stop", "freeze", "rewind", "rebalance", "outage"}
    assert {(service, step) for service, step in seen if step not in events} <= known
