"""After an erasure matching holds no word of the profile, and proposes the participant no more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from shared.contract.events import Consent, Event, OrganisationErased, ParticipantErased, Status
from tests.support.byte_search import found_in
from tests.support.matching_journal import MatchingHarness
from tests.support.matching_scene import NOW, Scene

PLANTED = {"Soldadura plantada", "Taller plantado"}
OF_BOB: dict[str, Any] = {"operator_id": "opr", "edition_id": "ed1", "occurred_at": NOW}


@pytest.fixture
async def harness(now: datetime) -> MatchingHarness:
    return MatchingHarness(now)


def registered(scene: Scene) -> list[Event]:
    return [
        scene.edition(),
        scene.organisation("org_ann"),
        scene.organisation("org_bob"),
        scene.participant("ann", needs=("Soldadura de aluminio",)),
        scene.participant("bob", offers=("Taller plantado",), needs=("Soldadura plantada",)),
        scene.request("r1", "ann", "bob", state="accepted"),
    ]


def erased(revision: int, status: Status = Status.CANCELLED) -> list[Event]:
    return [
        ParticipantErased(**OF_BOB, revision=revision, participant_id="bob", organisation_id="org_bob", status=status),
        OrganisationErased(
            **OF_BOB, revision=revision, organisation_id="org_bob", kind="sme", country="ES", status=status
        ),
    ]


async def test_no_word_of_an_erased_profile_is_left_in_any_collection(harness: MatchingHarness, scene: Scene) -> None:
    await harness.consume(*registered(scene))
    assert found_in(harness.servers.mongo, PLANTED) == [f"{text} in people" for text in sorted(PLANTED)]
    await harness.consume(*erased(2))
    assert found_in(harness.servers.mongo, PLANTED) == []
    assert [affinity.consent for affinity in harness.sent] == [Consent.GRANTED, Consent.REFUSED]


async def test_an_older_profile_that_comes_late_changes_nothing(
    harness: MatchingHarness, scene: Scene, now: datetime
) -> None:
    await harness.consume(*registered(scene))
    await harness.consume(*erased(9))
    before = await harness.journal.replay("ed1")
    late = scene.participant("bob", offers=("Taller plantado",), needs=("Soldadura plantada",), revision=8)
    for process in (harness, MatchingHarness(now, harness.servers)):
        await process.consume(late)
        assert await process.journal.read("ed1") == await process.journal.replay("ed1") == before
    assert found_in(harness.servers.mongo, PLANTED) == []


async def test_an_erasure_after_the_end_leaves_the_scores_as_they_were(harness: MatchingHarness, scene: Scene) -> None:
    await harness.consume(*registered(scene), scene.edition(revision=2, phase="closed"))
    before = len(harness.sent)
    await harness.consume(*erased(2, Status.ACTIVE))
    assert len(harness.sent) == before
    assert found_in(harness.servers.mongo, PLANTED) == []


async def test_a_loaded_edition_scores_by_the_texts_beside_its_journal(
    harness: MatchingHarness, scene: Scene, now: datetime
) -> None:
    await harness.consume(*registered(scene)[:-1])
    again = MatchingHarness(now, harness.servers)
    await again.consume(registered(scene)[-1])
    whole = MatchingHarness(now)
    await whole.consume(*registered(scene))
    assert [affinity.score for affinity in again.sent] == [affinity.score for affinity in whole.sent]
    assert await again.journal.read("ed1") == await again.journal.replay("ed1")
