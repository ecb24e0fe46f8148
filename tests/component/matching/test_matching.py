from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from services.matching.aggregate import MatchingAggregate
from services.matching.domain.decide import Matchmaker
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import Matrix, Role
from services.matching.service import Matching, Rescorer
from shared.contract.events import Consent, Event
from shared.messaging.inputs import Poison
from shared.runtime.metrics import PAIRS_SCORED
from shared.storage.journal import Journal
from shared.storage.journal_store import InMemoryJournalStore
from tests.support.matching_journal import RecordingOutlet, inputs_of, journal_on
from tests.support.metrics import MetricDelta


@pytest.fixture
def store() -> InMemoryJournalStore:
    return InMemoryJournalStore()


@pytest.fixture
def people(scene: Any) -> list[Event]:
    return [
        scene.edition(),
        scene.organisation("org_ann"),
        scene.organisation("org_bob"),
        scene.participant("ann", needs=("Soldadura de aluminio",)),
        scene.participant("bob", offers=("Taller de soldadura",)),
    ]


async def test_a_batch_of_events_publishes_affinities(
    store: InMemoryJournalStore, scene: Any, people: Any, now: datetime
) -> None:
    outlet = RecordingOutlet()
    matching = Matching(journal_on(store, outlet, now))
    await matching.consume("ed1", inputs_of(*people, scene.request("r1", "ann", "bob")))
    await matching.consume("ed1", inputs_of(scene.request("r1", "ann", "bob", revision=2, state="accepted")))
    assert [said.consent for said in outlet.sent] == [Consent.PENDING, Consent.GRANTED]
    assert [said.revision for said in outlet.sent] == [1, 2]


async def test_the_same_batch_twice_is_written_and_sent_once(
    store: InMemoryJournalStore, scene: Any, people: Any, now: datetime
) -> None:
    outlet = RecordingOutlet()
    matching = Matching(journal_on(store, outlet, now))
    for _ in range(2):
        await matching.consume("ed1", inputs_of(*people, scene.request("r1", "ann", "bob")))
    assert len(outlet.sent) == 1
    assert len(await store.entries("ed1", after=0)) == 1


async def test_another_process_continues_from_the_journal(
    store: InMemoryJournalStore, scene: Any, people: Any, now: datetime
) -> None:
    first, second = RecordingOutlet(), RecordingOutlet()
    one, other = journal_on(store, first, now), journal_on(store, second, now)
    await one.decide("ed1", inputs_of(*people))
    await one.decide("ed1", inputs_of(scene.request("r1", "ann")))
    await other.decide("ed1", inputs_of(scene.request("r2", "bob", "ann")))
    await one.decide("ed1", inputs_of(scene.request("r2", "bob", "ann", revision=2, state="withdrawn")))
    assert [(said.request_ids, said.consent) for said in second.sent] == [(("r1", "r2"), Consent.GRANTED)]
    assert first.sent[-1].consent is Consent.REFUSED
    assert first.sent[-1].revision == 3
    assert await one.read("ed1") == await one.replay("ed1")


async def test_a_journalled_affinity_that_was_not_sent_is_sent_later(
    store: InMemoryJournalStore, scene: Any, people: Any, now: datetime
) -> None:
    outlet = RecordingOutlet(failures=1)
    journal = journal_on(store, outlet, now)
    events = inputs_of(*people, scene.request("r1", "ann", "bob"))
    with pytest.raises(ConnectionError):
        await journal.decide("ed1", events)
    await journal.decide("ed1", events)
    assert [said.revision for said in outlet.sent] == [1]


async def test_published_affinities_are_counted_once_by_consent(
    store: InMemoryJournalStore, scene: Any, people: Any, now: datetime
) -> None:
    pending = MetricDelta(PAIRS_SCORED, consent="pending")
    matching = Matching(journal_on(store, RecordingOutlet(), now))
    asked = inputs_of(*people, scene.request("r1", "ann", "bob"))
    await matching.consume("ed1", asked)
    await matching.consume("ed1", asked)
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


async def test_rescoring_publishes_only_scores_that_differ_enough(
    store: InMemoryJournalStore, scene: Any, people: Any, now: datetime
) -> None:
    outlet, maker = RecordingOutlet(), Matchmaker([NgramScorer()])
    journal = Journal(MatchingAggregate(maker), store, outlet, lambda: now, off_loop=True)
    matching = Matching(journal)
    look = Rescorer(matching, journal, maker, BetterReader())
    others = [scene.participant("bob", offers=("Taller",), revision=2), scene.organisation("org_eve")]
    others.append(scene.participant("eve", offers=("Prensas",)))
    await matching.consume(
        "ed1", inputs_of(*people, *others, scene.request("r1", "ann", "bob"), scene.request("r2", "ann", "eve"))
    )
    first = {said.participant_ids: said for said in outlet.sent}
    await look.rescore()
    (better,) = outlet.sent[2:]
    assert better.participant_ids == ("ann", "bob")
    assert better.score > first["ann", "bob"].score + 0.05
    assert (better.configuration, better.revision) == ("1+better-1", 2)
    assert better.occurred_at == first["ann", "bob"].occurred_at
    await look.rescore()
    await matching.consume("ed1", inputs_of(scene.request("r1", "ann", "bob", revision=2, state="accepted")))
    await look.rescore()
    assert [said.score for said in outlet.sent[3:]] == [better.score]
    assert await journal.read("ed1") == await journal.replay("ed1")


async def test_a_changed_profile_is_scored_at_once_and_then_rescored(
    store: InMemoryJournalStore, scene: Any, people: Any, now: datetime
) -> None:
    outlet, maker = RecordingOutlet(), Matchmaker([NgramScorer()])
    journal = Journal(MatchingAggregate(maker), store, outlet, lambda: now, off_loop=True)
    matching = Matching(journal)
    look = Rescorer(matching, journal, maker, BetterReader())
    workshop = scene.participant("bob", offers=("Taller",), revision=2)
    await matching.consume("ed1", inputs_of(*people, workshop, scene.request("r1", "ann", "bob")))
    await look.rescore()
    await matching.consume("ed1", inputs_of(scene.participant("bob", offers=("Taller", "Robots"), revision=3)))
    await look.rescore()
    assert [said.configuration for said in outlet.sent] == ["1", "1+better-1", "1", "1+better-1"]


async def test_an_edition_of_an_unknown_affinity_version_is_poison(
    store: InMemoryJournalStore, scene: Any, now: datetime
) -> None:
    journal = journal_on(store, RecordingOutlet(), now)
    strange = scene.edition(affinity_version="99")
    with pytest.raises(Poison, match="99") as poison:
        await journal.decide("ed1", inputs_of(scene.organisation("org_ann"), strange))
    assert poison.value.event == strange
    assert await store.entries("ed1", after=0) == []
