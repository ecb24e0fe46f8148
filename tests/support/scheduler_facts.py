"""Facts of small announced editions that tests change and undo."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st

from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    organisation,
    participant,
    session,
    window,
    workspace,
)

SLOTS, TABLES = 5, 3
#: Two representatives of every organisation: a participant can be substituted.
PEOPLE = {f"p{number}": f"o{number // 2}" for number in range(10)}
PAIRS = [(first, second) for first in PEOPLE for second in PEOPLE if first < second and PEOPLE[first] != PEOPLE[second]]
QUICK = Effort(seed=3, rounds=1, round_effort=0.01, steps=100)

Fields = Mapping[str, Any]
#: A change: the edition or a participant, and the fields with new values.
Change = tuple[str, Fields]


def _with_tables(numbers: list[int]) -> Fields:
    labels = tuple(f"W{number}" for number in sorted(numbers))
    return {"zones": (workspace(TABLES).model_copy(update={"tables": labels}), HALL)}


edition_fields = st.one_of(
    st.lists(st.integers(1, TABLES), unique=True).map(_with_tables),
    st.sampled_from(
        [
            {"slots": 3},
            {"shift": 0.5},
            {"shift": 1},
            {"sessions": ()},
            {"sessions": (session("k", 2.5, 4),)},
            {"quotas": {"max_encounters": 2}},
            {"quotas": {"max_encounters": 4}},
        ]
    ),
)
participant_fields = st.sampled_from(
    [
        {"available": (window(0, 2),)},
        {"available": (window(2, 5),)},
        {"session_ids": ("k",)},
        {"session_ids": ()},
        {"status": "cancelled"},
    ]
)
edition_changes: st.SearchStrategy[Change] = st.tuples(st.just("edition"), edition_fields)
participant_changes: st.SearchStrategy[Change] = st.tuples(st.sampled_from(sorted(PEOPLE)), participant_fields)
changes = st.lists(st.one_of(edition_changes, participant_changes), min_size=1, max_size=5)


class Facts:
    """The facts of an announced edition; every change can be undone."""

    def __init__(
        self, phase: str, pairs: list[tuple[str, str]], quota: int, *, substitutes: bool, now: float = -1
    ) -> None:
        self._facts: dict[str, dict[str, Any]] = {
            "edition": {
                **_with_tables(list(range(1, TABLES + 1))),
                "slots": SLOTS,
                "shift": 0,
                "sessions": (session("k", 1, 2),),
                "quotas": {"max_encounters": quota},
                "freeze_minutes": 20,
                "phase": "open",
            },
            **{
                person: {"available": (), "session_ids": ("k",) if number % 3 == 0 else (), "status": "active"}
                for number, person in enumerate(PEOPLE)
            },
        }
        self._revision = 1
        self._before: list[Change] = []
        self.subject = Edition(
            edition(**self._facts["edition"]),
            *(organisation(name, interchangeable=substitutes) for name in sorted(set(PEOPLE.values()))),
            *(self._participant(person) for person in PEOPLE),
            *(affinity(*sides, priority=1 + (index % 3)) for index, sides in enumerate(pairs)),
            now=at(now),
        )
        self.send(("edition", {"phase": phase}))
        decision = self.subject.decision()
        announce(decision)
        self.subject.finish(decision)
        self._before.clear()

    def send(self, change: Change) -> None:
        """Change a fact, and remember its value before."""
        thing, fields = change
        facts = self._facts[thing]
        self._before.append((thing, {name: facts[name] for name in fields}))
        facts.update(fields)
        self._revision += 1
        if thing == "edition":
            self.subject.consume(edition(revision=self._revision, **facts))
        else:
            self.subject.consume(self._participant(thing))

    def request(self, sides: tuple[str, str], *, is_made: bool) -> None:
        """Make or withdraw a request."""
        self._revision += 1
        consent = "granted" if is_made else "refused"
        self.subject.consume(affinity(*sides, revision=self._revision, consent=consent))

    def undo_in_order_of(self, random: Random) -> None:
        """Give all facts their earlier values in a random order."""
        before, self._before = self._before, []
        for change in random.sample(before, len(before)):
            self.send(change)

    def undo_all(self) -> None:
        """Give all facts their earlier values, the last change first."""
        before, self._before = self._before, []
        for change in reversed(before):
            self.send(change)

    def _participant(self, person: str) -> Any:
        return participant(
            person, revision=self._revision, organisation_id=PEOPLE[person], checked_in=True, **self._facts[person]
        )

    def improve(self) -> None:
        decision = self.subject.decision()
        adopt(decision, improve(problem_of(self.subject.state, self.subject.now, 3), QUICK))
        self.subject.finish(decision)


def agenda_of(state: AgendaState) -> tuple[Any, ...]:
    people = {pair_id: pair.people for pair_id, pair in state.pairs.items()}
    return dict(state.placements), sorted(state.waiting), people, sorted(state.locked)
