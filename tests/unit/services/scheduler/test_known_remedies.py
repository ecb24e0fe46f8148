"""Remedies are known as long as the agenda stays, and lists rest after a search."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.scheduler import known_remedies
from services.scheduler.domain.organiser.remedies import SearchStopped
from services.scheduler.domain.state import AgendaState
from services.scheduler.known_remedies import KnownRemedies

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def sought(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the search by one that takes a second and finds nothing; return the pairs that it was asked for."""
    pairs: list[str] = []

    def find(state: AgendaState, pair: str, now: datetime, may_go_on: Callable[[], bool]) -> Any:
        pairs.append(pair)
        if pair == "endless":
            while may_go_on():
                pass
            raise SearchStopped

    monkeypatch.setattr(known_remedies, "find_remedy", find)
    return pairs


def ticking() -> Callable[[], float]:
    """Return a clock that shows a second more at each look."""
    seconds = iter(range(1000))
    return lambda: float(next(seconds))


def test_a_search_ends_with_its_time_and_is_known_until_the_agenda_changes(sought: list[str]) -> None:
    known, state = KnownRemedies(ticking()), AgendaState(edition_id="edn_1")
    assert known.seek(state, ["a", "b", "c", "d"], NOW, 2.0) == {"a": None, "b": None}
    assert known.of(state, NOW) == {"a": None, "b": None}
    assert known.of(AgendaState(edition_id="edn_2"), NOW) == {}
    state.version += 1
    assert known.of(state, NOW) == {}
    assert sought == ["a", "b"]


def test_a_search_that_is_stopped_is_known_to_be_unfinished(sought: list[str]) -> None:
    known, state = KnownRemedies(ticking()), AgendaState(edition_id="edn_1")
    assert known.seek(state, ["a", "endless", "b"], NOW, 5.0) == {"a": None}
    assert known.of(state, NOW) == {"a": None}
    assert sought == ["a", "endless"]


def test_lists_rest_for_four_times_the_duration_of_a_search(sought: list[str]) -> None:
    known = KnownRemedies(ticking())
    assert not known.rests
    known.seek(AgendaState(edition_id="edn_1"), ["a"], NOW, 0.0)  # from second 1 to second 3
    assert [known.rests for _ in range(9)] == [True] * 7 + [False] * 2
