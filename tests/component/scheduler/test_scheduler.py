"""The scheduler over its journal: batches, improvement, announcement, and assignments of editions."""

from __future__ import annotations

import gc
import math
from collections.abc import Collection, Sequence

import pytest
from prometheus_client import REGISTRY

from services.scheduler import improver
from services.scheduler.domain import publication as agendas
from services.scheduler.domain.state import AgendaState
from shared.contract.events import AgendaChanged, EncounterChanged, Event, Level
from shared.messaging.inputs import Poison
from tests.support.scheduler_editions import (
    HALL,
    affinity,
    edition,
    organisation,
    pair,
    participant,
    people,
    session,
    window,
    workspace,
)
from tests.support.scheduler_service import SchedulerHarness, final, of


async def test_a_batch_is_one_entry_and_its_events_are_sent() -> None:
    harness = SchedulerHarness()
    said = await harness.consume(edition(), *people("a", "b", "c"), affinity("a", "b"), affinity("b", "c"))
    assert sum(isinstance(each, EncounterChanged) for each in said) == 2
    assert sorted(each.participant_id for each in said if isinstance(each, AgendaChanged)) == ["a", "b", "c"]
    assert harness.servers.steps["journal.insert_one"] == 1


@pytest.mark.parametrize("kind", ["participant", "organisation"])
async def test_a_reinstated_participant_has_the_announced_places_and_sessions_again(kind: str) -> None:
    def people_of_a(revision: int, status: str) -> list[Event]:
        """Return the events of registration: an organisation comes before its participants."""
        before: list[Event] = [organisation("org-a", revision=revision, status=status)]
        return [
            *(before if kind == "organisation" else []),
            participant("a", revision=revision, status=status, session_ids=("k",)),
        ]

    harness = SchedulerHarness()
    with_keynote = edition(sessions=(session("k", 2, 3),))
    pairs = affinity("a", "b"), affinity("b", "c")
    await harness.consume(
        with_keynote, *people("a", "b", "c"), participant("a", revision=2, session_ids=("k",)), *pairs
    )
    await harness.consume(edition(sessions=with_keynote.sessions, revision=2, phase="published"))
    before = (await harness.journal.read("ed")).placements
    refused = affinity("a", "b", revision=2, consent="refused")
    cancelled = await harness.consume(*people_of_a(3, "cancelled"), refused)
    assert _lines_of("a", cancelled) == []
    assert pair("a", "b") not in (await harness.journal.read("ed")).placements
    back = await harness.consume(*people_of_a(4, "active"), affinity("a", "b", revision=3))
    assert (await harness.journal.read("ed")).placements == before
    assert len(_lines_of("a", back)) == 2


def _lines_of(participant_id: str, published: Sequence[Event]) -> list[str]:
    """Return the ids of the lines of a participant's last published agenda."""
    agendas_of = [
        event for event in published if isinstance(event, AgendaChanged) and event.participant_id == participant_id
    ]
    return [entry.entry_id for entry in agendas_of[-1].entries]


async def test_a_repeated_batch_writes_and_publishes_nothing() -> None:
    harness = SchedulerHarness()
    events = [edition(), *people("a", "b"), affinity("a", "b")]
    await harness.consume(*events)
    assert await harness.consume(*events) == []
    assert harness.servers.steps["journal.insert_one"] == 1


async def test_a_forged_pair_is_poison_and_leaves_the_batch_intact() -> None:
    harness = SchedulerHarness()
    forged = affinity("a", "b").model_copy(update={"pair_id": pair("a", "c")})
    with pytest.raises(Poison):
        await harness.consume(edition(), *people("a", "b"), forged)
    said = await harness.consume(edition(), *people("a", "b"), affinity("a", "b"))
    assert len(said) == 3


async def test_a_quiet_edition_is_improved_exactly_once() -> None:
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b", "c"), affinity("a", "b"), affinity("b", "c"))
    await harness.later(1)
    assert harness.solver.asked == 0
    await harness.later(2)
    await harness.later(2)
    assert harness.solver.asked == 1
    state = await harness.journal.read("ed")
    assert state.certificate is not None
    assert state.certificate.gap == 0


async def test_publishing_improves_once_more_then_announces_every_agenda_once() -> None:
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b", "c"), affinity("a", "b"))
    said = await harness.consume(edition(revision=2, phase="published"))
    assert final(said) == []
    assert final(await harness.later(3)) == ["a", "b"]
    assert final(await harness.later(3)) == []
    assert final(await harness.consume(affinity("b", "c"))) == ["b", "c"]


@pytest.mark.parametrize("reason", ["failing", "never quiet"])
async def test_an_agenda_is_announced_even_if_its_improvement_fails(reason: str) -> None:
    harness = SchedulerHarness()
    harness.solver.fails = True
    await harness.consume(edition(phase="published"), *people("a", "b"), affinity("a", "b"))
    if reason == "failing":
        assert final(await harness.later(3)) == ["a", "b"]
        await harness.later(3)
        assert harness.solver.asked == 1
        return
    announced: list[str] = []
    for revision in range(2, 20):
        await harness.consume(participant("a", revision=revision, session_ids=(f"s{revision}",)))
        announced += final(await harness.later(1))
    assert announced == ["a", "b"]


async def test_an_improvement_may_not_outlast_the_announcement() -> None:
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b"), affinity("a", "b"))
    await harness.later(3)
    await harness.consume(edition(revision=2, phase="published"), participant("c"), affinity("a", "c"))
    await harness.later(1)
    await harness.later(2)
    assert harness.solver.within == [math.inf, 7]


async def test_a_quiet_edition_is_announced_with_its_known_solution() -> None:
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b", "c"), affinity("a", "b"), affinity("b", "c"))
    await harness.later(3)
    improved = dict((await harness.scheduler.agenda("ed")).placements)
    await harness.consume(edition(revision=2, phase="published"))
    assert final(await harness.later(3)) == ["a", "b", "c"]
    state = await harness.scheduler.agenda("ed")
    assert harness.solver.asked == 1
    assert state.placements == improved
    assert not state.has_new_inputs
    assert state.certificate
    assert state.certificate.seconds == 0


async def test_a_dropped_solution_is_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(improver, "_SOLUTIONS_KEPT", 0)
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b"), affinity("a", "b"))
    await harness.later(3)
    await harness.consume(edition(revision=2, phase="published"))
    assert final(await harness.later(3)) == ["a", "b"]
    assert harness.solver.asked == 2


async def test_a_long_improvement_delays_no_other_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(improver, "_PASS_SECONDS", 0.01)
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b"), affinity("a", "b"))
    harness.solver.leave.clear()
    await harness.later(3)
    other = of("other", edition(phase="published"), *people("c", "d"))
    await harness.scheduler.consume("other", [harness.input(event) for event in other])
    await harness.later(3)
    assert (await harness.journal.read("other")).awaits_announcement
    await harness.later(10)
    assert not (await harness.journal.read("other")).awaits_announcement
    await harness.improver.stop()


async def test_an_edition_published_while_it_waits_asks_again_with_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(improver, "_PASS_SECONDS", 0.01)
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b"), affinity("a", "b"))
    harness.solver.leave.clear()
    await harness.later(3)
    await harness.consume(edition(revision=2, phase="published"))
    await harness.later(3)
    assert harness.solver.within == [math.inf, 7]
    assert final(await harness.later(3)) == []
    assert final(await harness.later(5)) == ["a", "b"]


async def test_an_earlier_improvement_may_not_outlast_the_announcement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(improver, "_PASS_SECONDS", 0.01)
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b"), affinity("a", "b"))
    harness.solver.finish.clear()
    await harness.later(3)
    await harness.consume(edition(revision=2, phase="published"))
    assert final(await harness.later(9)) == []
    assert final(await harness.later(2)) == ["a", "b"]
    assert harness.solver.asked == 1


def held_states(names: Collection[str]) -> int:
    """Count the states of these editions that this process holds on to."""
    gc.collect()
    return sum(isinstance(each, AgendaState) and each.edition_id in names for each in gc.get_objects())


async def test_evicted_editions_are_improved_and_announced_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(improver, "_PASS_SECONDS", 0.01)
    harness = SchedulerHarness(editions_in_memory=2)
    names = [f"ed{number}" for number in range(6)]
    for name in names:
        phase = "published" if name == "ed0" else "open"
        events = [edition(phase=phase), *people("a", "b"), affinity("a", "b")]
        await harness.consume(*of(name, *events), edition_id=name)
    harness.solver.leave.clear()
    await harness.later(3)
    assert harness.solver.in_line == 5
    assert held_states(names) == 2
    harness.solver.leave.set()
    for _ in names:
        await harness.later(3)
    states = [await harness.scheduler.agenda(name) for name in names]
    assert [state.has_new_inputs for state in states] == [False] * 6
    assert [state.awaits_announcement for state in states] == [False] * 6
    assert states[0].announced


async def test_an_edition_that_is_not_quiet_is_not_read_again() -> None:
    harness = SchedulerHarness(editions_in_memory=1)
    for name in ("one", "other"):
        await harness.consume(*of(name, edition()), edition_id=name)
    harness.servers.steps["snapshots.find_one"] = 0
    await harness.later(1)
    await harness.later(0.5)
    assert harness.servers.steps["snapshots.find_one"] == 0
    await harness.later(1)
    assert harness.servers.steps["snapshots.find_one"] > 0


async def test_only_assigned_editions_are_looked_at() -> None:
    before = SchedulerHarness()
    for name in ("ours", "theirs"):
        events = [edition(phase="published"), *people("a", "b"), affinity("a", "b")]
        await before.consume(*of(name, *events), edition_id=name)
    after = SchedulerHarness(before.servers)
    after.improver.on_assignment(lambda edition_id: edition_id == "ours")
    await after.later(0)
    await after.later(3)
    assert [(await after.journal.read(name)).announced for name in ("ours", "theirs")] == [True, False]
    after.improver.on_assignment(lambda _: True)
    await after.later(0)
    await after.later(3)
    assert (await after.journal.read("theirs")).announced
    await after.consume(
        participant("a", revision=2, session_ids=("s1",)).model_copy(update={"edition_id": "ours"}), edition_id="ours"
    )
    after.improver.on_assignment(lambda _: False)
    await after.later(0)
    await after.later(3)
    assert (await after.journal.read("ours")).has_new_inputs


async def test_work_that_another_process_left_during_a_freeze_is_finished() -> None:
    frozen = SchedulerHarness()
    await frozen.consume(edition(), *people("a", "b"), affinity("a", "b"))
    frozen.improver.on_assignment(lambda _: True)
    await frozen.later(3)
    await frozen.later(3)
    other = SchedulerHarness(frozen.servers)
    await other.consume(edition(revision=2, phase="published"))
    frozen.improver.on_assignment(lambda _: True)
    assert final([*await frozen.later(0), *await frozen.later(3), *await frozen.later(3)]) == ["a", "b"]


async def test_an_overtaken_improvement_is_re_based_and_counted_as_adopted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def count(outcome: str) -> float:
        return REGISTRY.get_sample_value("tertulia_improvements_total", {"outcome": outcome}) or 0.0

    monkeypatch.setattr(improver, "_PASS_SECONDS", 0.01)
    harness, before = SchedulerHarness(), {outcome: count(outcome) for outcome in ("adopted", "kept", "stale")}
    late = participant("c", available=(window(2, 4),))
    await harness.consume(edition(zones=(workspace(1), HALL)), *people("a", "b", "d", "e"), affinity("a", "b"))
    await harness.consume(late, affinity("a", "c"))
    await harness.consume(participant("c", revision=2))
    harness.solver.finish.clear()
    await harness.later(3)
    await harness.consume(affinity("d", "e"))
    harness.solver.finish.set()
    while (await harness.scheduler.agenda("ed")).has_new_inputs:
        await harness.later(3)
    await harness.later(3)
    assert {outcome: count(outcome) - before[outcome] for outcome in before} == {"adopted": 1, "kept": 1, "stale": 0}
    state = await harness.scheduler.agenda("ed")
    assert len(state.placements) == 3
    assert not state.has_new_inputs
    assert state.certificate
    assert {each.level: each.value for each in state.certificate.levels}[Level.BREAKS] == 0


async def test_a_restarted_process_finishes_the_work_left() -> None:
    before = SchedulerHarness()
    await before.consume(edition(), *people("a", "b"), affinity("a", "b"))
    await before.consume(edition(revision=2, phase="published"))
    after = SchedulerHarness(before.servers)
    after.improver.on_assignment(lambda _: True)
    assert final(await after.later(0)) == []
    assert final(await after.later(3)) == ["a", "b"]
    replayed, read = await after.journal.replay("ed"), await after.journal.read("ed")
    assert replayed.model_dump() == read.model_dump()


async def test_many_agendas_are_published_in_several_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agendas, "MAX_AGENDAS", 3)
    harness = SchedulerHarness()
    names = [f"p{n}" for n in range(8)]
    await harness.consume(
        edition(zones=(workspace(8), HALL)), *people(*names), *(affinity(*names[n : n + 2]) for n in range(0, 8, 2))
    )
    await harness.consume(edition(revision=2, zones=(workspace(8), HALL), phase="published"))
    await harness.later(3)
    assert sorted(set(final(harness.sent))) == names
    state = await harness.journal.read("ed")
    assert not state.unpublished_participants
    assert all(not told.provisional for told in state.agendas.values())
