from __future__ import annotations

from datetime import UTC, datetime

import pytest

from demo import audit
from demo.observer import Observed
from demo.plan import DemoEdition
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.state import AgendaState
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    EditionChanged,
    Event,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import InMemoryJournalStore

Played = tuple[audit.SchedulerJournal, Observed]
INPUTS: tuple[type[Event], ...] = (EditionChanged, OrganisationChanged, ParticipantChanged, AffinityScored)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
async def played(seen_small: Observed) -> Played:
    """A journal of the scheduler's own decision on the edition, and the published events."""
    aggregate, seen = AgendaAggregate(), Observed()
    inputs = [event for kind in INPUTS for event in seen_small.all(kind).values()]
    decision = aggregate.decide(aggregate.empty("edn_demo"), inputs, NOW)
    for event in (*inputs, *decision.outbox):
        seen.record(event, 0)
    store = InMemoryJournalStore()
    changes = [aggregate.change_type.dump_python(change, mode="json") for change in decision.changes]
    await store.append(Entry("edn_demo", 1, NOW, {}, changes, [], published=True))
    return audit.SchedulerJournal(store, "edn_demo"), seen


async def test_the_replay_agrees_with_what_was_published(played: Played, small: DemoEdition) -> None:
    journal, seen = played
    state = await journal.follow()
    assert len(seen.placed()) == len(small.accepted)
    assert audit.violations_of(state) == []
    assert list(audit.find_replay_faults(state, seen)) == []
    assert list(audit.find_waiting_faults(seen)) == []
    assert await journal.follow() is state


async def test_a_published_agenda_that_differs_from_the_replay_is_a_fault(played: Played) -> None:
    journal, seen = played
    agenda = next(agenda for agenda in seen.all(AgendaChanged).values() if agenda.entries)
    seen.record(agenda.model_copy(update={"revision": agenda.revision + 1, "entries": ()}), 0)
    [fault] = audit.find_replay_faults(await journal.follow(), seen)
    assert agenda.participant_id in fault


async def test_two_encounters_at_one_table_and_slot_are_a_violation(played: Played) -> None:
    journal, _ = played
    state = await journal.follow()
    first, second = sorted(state.placements)[:2]
    state.placements[second] = state.placements[first]
    assert audit.violations_of(state)


async def test_pending_work_is_described(played: Played) -> None:
    journal, seen = played
    state = await journal.follow()
    undone = "the agenda is still to be improved; the agendas are still to be announced"
    assert audit.pending_work(state, seen) == undone
    newer = next(iter(seen.all(ParticipantChanged).values())).model_copy(update={"revision": 2})
    seen.record(newer, 0)
    assert "has not taken in 1 participants" in audit.pending_work(state, seen)
    assert "encounters are still to be published" in audit.pending_work(state, Observed())
    assert "agendas" in audit.pending_work(state, Observed())


async def test_an_empty_journal_is_behind_everything_published(seen_small: Observed) -> None:
    assert "has not taken in 1 editions" in audit.pending_work(AgendaState(edition_id="edn_demo"), seen_small)


def test_a_wanted_encounter_without_a_reason_is_a_fault(seen_small: Observed) -> None:
    seen = Observed()
    for pair in seen_small.granted():
        seen.record(pair, 0)
    faults = list(audit.find_waiting_faults(seen))
    assert len(faults) == len(seen_small.granted())
    assert all("neither placed nor waiting" in fault for fault in faults)


def test_a_request_in_another_state_than_planned_is_a_fault(small: DemoEdition, seen_small: Observed) -> None:
    ids = {request.key: request.key for request in small.requests}
    faults = list(audit.find_request_faults(small, ids, seen_small))
    unseen = [request for request in small.requests if request not in small.accepted]
    assert {fault.split()[0] for fault in faults} == {request.key for request in unseen}
    assert "requests are not as they were left" in audit.unfinished_requests(small, ids, seen_small)
    assert "accepted requests are not granted" in audit.unfinished_requests(small, ids, Observed())
