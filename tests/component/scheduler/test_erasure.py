"""An erased participant leaves the agendas as a cancelled one, unless the edition is over."""

from __future__ import annotations

from typing import Any

from shared.contract.events import EncounterChanged, EncounterState, OrganisationErased, ParticipantErased, Status
from tests.support.scheduler_editions import NOW, affinity, edition, pair, participant, people
from tests.support.scheduler_service import SchedulerHarness

OF_A: dict[str, Any] = {"operator_id": "op", "edition_id": "ed", "occurred_at": NOW}


def erased(revision: int, status: Status = Status.CANCELLED) -> ParticipantErased:
    return ParticipantErased(**OF_A, revision=revision, participant_id="a", organisation_id="org-a", status=status)


async def test_encounters_of_an_erased_participant_are_cancelled() -> None:
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b", "c"), affinity("a", "b"), affinity("b", "c"))
    said = await harness.consume(erased(2), affinity("a", "b", revision=2, consent="refused"))
    cancelled = [event for event in said if isinstance(event, EncounterChanged)]
    assert [(event.participant_ids, event.state) for event in cancelled] == [(("a", "b"), EncounterState.CANCELLED)]
    assert list((await harness.journal.read("ed")).placements) == [pair("b", "c")]


async def test_older_records_of_an_erased_participant_change_nothing() -> None:
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b"), affinity("a", "b"))
    await harness.consume(erased(9))
    before = await harness.journal.replay("ed")
    assert await harness.consume(participant("a", revision=8)) == []
    assert await harness.journal.replay("ed") == before


async def test_an_erasure_in_a_closed_edition_leaves_its_agendas() -> None:
    harness = SchedulerHarness()
    await harness.consume(edition(), *people("a", "b"), affinity("a", "b"))
    await harness.consume(edition(revision=2, phase="closed"))
    before = (await harness.journal.read("ed")).placements
    gone = OrganisationErased(
        **OF_A, revision=2, organisation_id="org-a", kind="sme", country="ES", status=Status.ACTIVE
    )
    assert await harness.consume(erased(2, Status.ACTIVE), gone) == []
    assert (await harness.journal.read("ed")).placements == before
