"""The pool, with workers that hang, die or raise on purpose."""

from __future__ import annotations

import asyncio
import math
import os
import time

import pytest

from services.scheduler.domain.improvement.problem import Solution, SolverProblem, problem_of
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.pool import Report, SolverBusy, SolverFailed, SolverPool
from tests.support.scheduler_editions import NOW, Edition, affinity, edition, people

HANG, DIE, RAISE, HANG_LATER, DIE_LATER = 101, 102, 103, 104, 105


def misbehave(problem: SolverProblem, effort: Effort, report: Report) -> Solution:
    if effort.seed in {HANG_LATER, DIE_LATER}:
        report(Solution(problem.version, problem.announced, {}, 1))
        report(Solution(problem.version, problem.announced, {}, 2))
    if effort.seed == DIE_LATER:
        os._exit(1)
    if effort.seed in {HANG, HANG_LATER}:
        time.sleep(60)
    if effort.seed == DIE:
        os._exit(1)
    if effort.seed == RAISE:
        raise ValueError("no agenda today")
    return Solution(problem.version, problem.announced, {}, os.getpid())


def problem() -> SolverProblem:
    return problem_of(Edition(edition(), *people("a", "b"), affinity("a", "b")).state, NOW, 0)


async def test_solving_does_not_block_the_event_loop() -> None:
    pool = SolverPool(1, deadline_seconds=60)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    solution = await pool.solve(problem(), Effort(steps=100))
    ticking.cancel()
    await pool.stop()
    assert len(solution.assignments) == 1
    assert ticks > 5


@pytest.mark.parametrize(
    ("fault", "message"), [(HANG, "no answer within 0.2 s"), (DIE, "died"), (RAISE, "no agenda today")]
)
async def test_a_failed_worker_is_replaced(fault: int, message: str) -> None:
    pool = SolverPool(1, deadline_seconds=30, work=misbehave)
    first = (await pool.solve(problem(), Effort())).bound
    pool._deadline = 0.2 if fault == HANG else 30
    began = time.monotonic()
    with pytest.raises(SolverFailed, match=message):
        await pool.solve(problem(), Effort(seed=fault))
    assert time.monotonic() - began < 20
    pool._deadline = 30
    second = (await pool.solve(problem(), Effort())).bound
    assert second != first
    await pool.stop()


@pytest.mark.parametrize("fault", [HANG_LATER, DIE_LATER])
async def test_the_best_report_of_a_lost_worker_is_taken(fault: int) -> None:
    pool = SolverPool(1, deadline_seconds=30, work=misbehave)
    first = (await pool.solve(problem(), Effort())).bound
    pool._deadline = 1
    assert (await pool.solve(problem(), Effort(seed=fault))).bound == 2
    pool._deadline = 30
    assert (await pool.solve(problem(), Effort())).bound != first
    await pool.stop()


async def test_a_worker_is_used_again() -> None:
    pool = SolverPool(1, deadline_seconds=30, work=misbehave)
    assert (await pool.solve(problem(), Effort())).bound == (await pool.solve(problem(), Effort())).bound
    await pool.stop()


async def test_a_caller_without_a_free_worker_gets_solver_busy() -> None:
    pool = SolverPool(1, deadline_seconds=30, work=misbehave)
    async with pool.turn("op"):
        with pytest.raises(SolverBusy):
            async with pool.turn("op", within=0.01):
                pass
    async with pool.turn("op", within=0.01):
        pass


async def test_turns_go_to_the_nearest_deadline_first() -> None:
    pool, order = SolverPool(2, deadline_seconds=30, work=misbehave), list[str]()
    leave = asyncio.Event()

    async def ask(name: str, within: float = math.inf) -> None:
        async with pool.turn("op", within):
            order.append(name)
            await leave.wait()

    asking = []
    for name, within in (
        ("a", math.inf),
        ("b", math.inf),
        ("patient", math.inf),
        ("in haste", 60),
        ("in no haste", 99),
    ):
        asking.append(asyncio.create_task(ask(name, within)))
        await asyncio.sleep(0)
    assert order == ["a", "b"]
    leave.set()
    await asyncio.gather(*asking)
    assert order == ["a", "b", "in haste", "in no haste", "patient"]


async def test_a_turn_given_to_a_cancelled_caller_is_passed_on() -> None:
    pool = SolverPool(1, deadline_seconds=30, work=misbehave)

    async def ask() -> None:
        async with pool.turn("op"):
            pass

    async with pool.turn("op"):
        gone = asyncio.create_task(ask())
        await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    async with pool.turn("op", within=0.01):
        pass
