"""Every interleaving of a small state machine, breadth first, so that a broken rule comes with a shortest story.

After G. J. Holzmann, The SPIN Model Checker (2003): states are visited once, whatever the path to them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True)
class Step(Generic[State]):
    """A possible step: its name in the code, and the state after it. A fault may also not happen."""

    name: str
    after: State
    is_fault: bool = False


@dataclass(frozen=True)
class Counterexample:
    """A rule that does not hold, and the steps that break it."""

    broken: str
    story: tuple[str, ...]


@dataclass(frozen=True)
class Explored:
    """Number of reachable states, and the first counterexample if a rule is broken."""

    states: int
    counterexample: Counterexample | None


def explore(
    initial: State,
    steps: Callable[[State], Iterable[Step[State]]],
    always: Callable[[State], str],
    at_rest: Callable[[State], str],
) -> Explored:
    """Visit all reachable states.

    `always` and `at_rest` return a description of the broken rule, or an empty text. `always` judges all states.
    `at_rest` judges states without a step except faults: every run without further faults ends in such a state.
    """
    came_from: dict[State, tuple[State, str] | None] = {initial: None}
    waiting = deque([initial])
    while waiting:
        state = waiting.popleft()
        taken = list(steps(state))
        broken = always(state) or ("" if any(not step.is_fault for step in taken) else at_rest(state))
        if broken:
            return Explored(len(came_from), Counterexample(broken, _story(state, came_from)))
        for step in taken:
            if step.after not in came_from:
                came_from[step.after] = (state, step.name)
                waiting.append(step.after)
    return Explored(len(came_from), None)


def _story(state: State, came_from: dict[State, tuple[State, str] | None]) -> tuple[str, ...]:
    names: list[str] = []
    while (before := came_from[state]) is not None:
        state, name = before
        names.append(name)
    return tuple(reversed(names))
