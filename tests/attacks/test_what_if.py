"""A loop of what-if questions: the edition of another operator is improved beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from services.scheduler.solver.pool import SolverBusy, SolverFailed, SolverPool
from shared.internal_api.edits import More
from shared.runtime.fair_turns import QueueFull
from shared.runtime.metrics import IMPROVEMENTS
from tests.support.metrics import MetricDelta
from tests.support.scheduler_api import ApiHarness, SolverOnTheSpot
from tests.support.scheduler_editions import affinity, edition, people
from tests.support.scheduler_service import SchedulerHarness, of

_QUESTIONS = 40


class OneWorker:
    """The turns of a pool of one worker; the work itself is done in this process."""

    def __init__(self) -> None:
        self._pool = SolverPool(1, 60)

    @contextlib.asynccontextmanager
    async def turn(self, *asked: Any) -> AsyncIterator[None]:
        async with self._pool.turn(*asked):
            yield

    async def solve(self, problem: SolverProblem, effort: Effort, within: float) -> Solution:
        await asyncio.sleep(0)
        return improve(problem, effort)


async def test_questions_in_a_loop_do_not_keep_another_operator_from_improvements() -> None:
    harness = SchedulerHarness()
    harness.scheduler.solver = harness.improver.solver = OneWorker()
    events = [edition(), *people("a", "b"), affinity("a", "b")]
    await harness.consume(*events)
    await harness.later(10)
    quiet = [event.model_copy(update={"operator_id": "quiet"}) for event in of("other", *events)]
    await harness.consume(*quiet, edition_id="other")
    improved, answers = MetricDelta(IMPROVEMENTS, outcome="kept"), 0

    async def ask() -> None:
        nonlocal answers
        while answers < _QUESTIONS:
            with contextlib.suppress(QueueFull, SolverBusy, SolverFailed):
                await harness.scheduler.what_if("ed", More(tables=1))
                answers += 1  # a refusal takes no turn of the solver
            await asyncio.sleep(0)

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    await asyncio.sleep(0)
    harness.seconds += 10
    improving = asyncio.create_task(harness.improver.improve_quiet_editions())
    while not improved.value and answers < _QUESTIONS:
        await asyncio.sleep(0)
    assert improved.value == 1
    assert answers < _QUESTIONS
    await asyncio.gather(improving, *asking)


async def test_a_third_question_at_once_is_declined_with_a_time_to_wait() -> None:
    harness = ApiHarness()
    async with harness.client() as api:
        await harness.set_up(api, "Ana Beto")
        await harness.deliver()
        solver = SlowSolver()
        harness.scheduler.solver = solver
        asking = {asyncio.create_task(api.get(f"{harness.path}/what-if")) for _ in range(6)}
        declined: set[asyncio.Task[httpx.Response]] = set()
        while len(declined) < 4:
            done, asking = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            declined |= done
        for answer in (task.result() for task in declined):
            assert (answer.status_code, answer.json()["type"]) == (429, "urn:tertulia:problem:too-many-requests")
            assert int(answer.headers["retry-after"]) > 0
        solver.finish.set()
        assert [answer.status_code for answer in await asyncio.gather(*asking)] == [200, 200]
        assert (await api.get(f"{harness.path}/what-if")).status_code == 200


class SlowSolver(SolverOnTheSpot):
    """A solver that works until the test lets it finish."""

    def __init__(self) -> None:
        self.finish = asyncio.Event()

    async def solve(self, problem: SolverProblem, effort: Effort, within: float) -> Solution:
        await self.finish.wait()
        return improve(problem, effort)
