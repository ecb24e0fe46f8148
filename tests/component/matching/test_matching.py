from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import Matrix, Role
from shared.contract.events import Consent, Event
from shared.runtime.metrics import MISSING_VERSIONS, PAIRS_SCORED
from tests.support.matching_journal import MatchingHarness
from tests.support.matching_scene import Scene
from tests.support.metrics import MetricDelta


@pytest.fixture
async def harness(now: datetime) -> MatchingHarness:
    return MatchingHarness(now)


@pytest.fixture
def people(scene: Scene) -> list[Event]:
    return [
        scene.edition(),
        scene.organisation("org_ann"),
        scene.organisation("org_bob"),
        scene.participant("ann", needs=("Soldadura de aluminio",)),
        scene.participant("bob", offers=("Taller de soldadura",)),
    ]


async def test_a_batch_of_events_publishes_affinities(harness: MatchingHarness, scene: Scene, people: Any) -> None:
    await harness.consume(*people, scene.request("r1", "ann", "bob"))
    await harness.consume(scene.request("r1", "ann", "bob", revision=2, state="accepted"))
    assert [affinity.consent for affinity in harness.sent] == [Consent.PENDING, Consent.GRANTED]
    assert [affinity.revision for affinity in harness.sent] == [1, 2]


@pytest.mark.parametrize("kind", ["participant", "organisation"])
async def test_a_reinstated_participant_has_the_agreed_pairs_again(
    harness: MatchingHarness, scene: Scene, people: Any, kind: str
) -> None:
    await harness.consume(*people, scene.request("r1", "ann", "bob", state="accepted"))
    for revision, status in ((2, "cancelled"), (3, "active")):
        if kind == "participant":
            event: Event = scene.participant("bob", offers=("Taller de soldadura",), revision=revision, status=status)
        else:
            event = scene.organisation("org_bob", revision=revision, status=status)
        await harness.consume(event)
    assert [affinity.consent for affinity in harness.sent] == [Consent.GRANTED, Consent.REFUSED, Consent.GRANTED]
    assert len({affinity.score for affinity in harness.sent}) == 1


async def test_a_participant_who_declined_and_asks_is_answered_by_the_partner(
    harness: MatchingHarness, scene: Scene, people: Any
) -> None:
    await harness.consume(*people, scene.request("r1", "ann", "bob", state="declined"))
    await harness.consume(scene.request("r2", "bob", "ann"))
    await harness.consume(scene.request("r2", "bob", "ann", revision=2, state="accepted"))
    assert [affinity.consent for affinity in harness.sent][-2:] == [Consent.PENDING, Consent.GRANTED]


async def test_the_same_batch_twice_is_written_and_sent_once(
    harness: MatchingHarness, scene: Scene, people: Any
) -> None:
    for _ in range(2):
        await harness.consume(*people, scene.request("r1", "ann", "bob"))
    assert len(harness.sent) == 1
    assert harness.servers.steps["journal.insert_one"] == 1


async def test_another_process_continues_from_the_journal(
    harness: MatchingHarness, scene: Scene, people: Any, now: datetime
) -> None:
    second = MatchingHarness(now, harness.servers)
    await harness.consume(*people)
    await harness.consume(scene.request("r1", "ann"))
    await second.consume(scene.request("r2", "bob", "ann"))
    granted = harness.sent[-1]
    assert (granted.request_ids, granted.consent) == (("r1", "r2"), Consent.GRANTED)
    await harness.consume(scene.request("r2", "bob", "ann", revision=2, state="withdrawn"))
    assert harness.sent[-1].consent is Consent.REFUSED
    assert harness.sent[-1].revision == granted.revision + 1 == 3
    assert await harness.journal.read("ed1") == await harness.journal.replay("ed1")


async def test_a_journalled_affinity_that_was_not_sent_is_sent_later(
    harness: MatchingHarness, scene: Scene, people: Any
) -> None:
    events = [*people, scene.request("r1", "ann", "bob")]
    harness.servers.failing["send"] = 1
    with pytest.raises(KafkaConnectionError):
        await harness.consume(*events)
    assert harness.sent == []
    await harness.consume(*events)
    assert [affinity.revision for affinity in harness.sent] == [1]


async def test_published_affinities_are_counted_once_by_consent(
    harness: MatchingHarness, scene: Scene, people: Any
) -> None:
    pending = MetricDelta(PAIRS_SCORED, consent="pending")
    for _ in range(2):
        await harness.consume(*people, scene.request("r1", "ann", "bob"))
    assert pending.value == 1


class BetterReader:
    """Scorer that understands "taller" as welding, which the first scorer does not."""

    version = "better-1"

    def __init__(self) -> None:
        self._ngrams = NgramScorer()
        self.width = self._ngrams.width

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        return self._ngrams.embed([text.replace("Taller", "Soldadura de aluminio") for text in texts], role)

    def fit(self, cosines: Matrix) -> Matrix:
        return self._ngrams.fit(cosines)


async def test_rescoring_publishes_only_scores_that_differ_enough(scene: Scene, people: Any, now: datetime) -> None:
    harness = MatchingHarness(now, quality=BetterReader())
    workshop = scene.participant("bob", offers=("Taller",), revision=2)
    presses = [scene.organisation("org_eve"), scene.participant("eve", offers=("Prensas",))]
    requests = [scene.request("r1", "ann", "bob"), scene.request("r2", "ann", "eve")]
    await harness.consume(*people, workshop, *presses, *requests)
    first = {affinity.participant_ids: affinity for affinity in harness.sent}
    await harness.rescore()
    (better,) = harness.sent[2:]
    assert better.participant_ids == ("ann", "bob")
    assert better.score > first["ann", "bob"].score + 0.05
    assert (better.configuration, better.revision) == ("1+better-1", 2)
    assert better.occurred_at == first["ann", "bob"].occurred_at
    await harness.rescore()
    await harness.consume(scene.request("r1", "ann", "bob", revision=2, state="accepted"))
    await harness.rescore()
    assert [affinity.score for affinity in harness.sent[3:]] == [better.score]
    assert await harness.journal.read("ed1") == await harness.journal.replay("ed1")


async def test_a_changed_profile_is_scored_at_once_and_then_rescored(scene: Scene, people: Any, now: datetime) -> None:
    harness = MatchingHarness(now, quality=BetterReader())
    workshop = scene.participant("bob", offers=("Taller",), revision=2)
    await harness.consume(*people, workshop, scene.request("r1", "ann", "bob"))
    await harness.rescore()
    await harness.consume(scene.participant("bob", offers=("Taller", "Robots"), revision=3))
    await harness.rescore()
    assert [affinity.configuration for affinity in harness.sent] == ["1", "1+better-1", "1", "1+better-1"]


async def test_an_edition_of_a_missing_affinity_version_is_scored_and_counted(
    harness: MatchingHarness, scene: Scene, people: Any
) -> None:
    missing = MetricDelta(MISSING_VERSIONS)
    await harness.consume(*people, scene.edition(revision=2, affinity_version="99"), scene.request("r1", "ann", "bob"))
    assert [affinity.configuration for affinity in harness.sent] == ["1"]
    assert missing.value == 1
    async with harness.client() as client:
        answer = (await client.get("/internal/editions/ed1/affinities/ann/bob")).json()
    assert (answer["configuration"], answer["missing_version"]) == ("1", "99")
