from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.matching.aggregate import MatchingAggregate
from services.matching.domain.history import steps_of
from shared.contract.events import Event
from shared.storage.history import read_back
from shared.storage.journal_entry import Entry
from tests.support.matching_editions import WELDING, Edition
from tests.support.matching_scene import NOW, Scene


def test_the_past_of_a_pair_is_its_requests_and_its_published_scores(scene: Scene) -> None:
    edition = Edition()
    batches: list[list[Event]] = [
        [scene.edition(), scene.organisation("org_ann"), scene.organisation("org_bob")],
        [scene.participant("ann", needs=WELDING), scene.participant("bob", offers=WELDING)],
        [scene.request("r1", "ann", "bob"), scene.request("r2", "bob")],
        [scene.request("r1", "ann", "bob", revision=2, state="accepted")],
    ]
    entries = []
    for seq, batch in enumerate(batches, 1):
        start = len(edition.changes)
        edition.decide(*batch)
        changes = [change.model_dump(mode="json") for change in edition.changes[start:]]
        at = NOW.astimezone(UTC) + timedelta(minutes=seq)
        entries.append(Entry("ed1", seq, at, {"match_request.v1/0": seq}, changes, [], published=True))
    steps = list(steps_of("ed1", ("ann", "bob"), read_back(MatchingAggregate.change_type, entries)))
    assert (steps[0].entry, steps[0].inputs) == ("matching:3", "match_request.v1/0@3")
    texts = [step.what for step in steps]
    assert texts[0] == "r1: ann asks for bob: requested"
    assert "r2: bob asks for partners: requested" in texts
    assert "r1: ann asks for bob: accepted" in texts
    assert any(text.startswith("scored ") and text.endswith("consent granted") for text in texts)
    assert all(isinstance(step.at, datetime) for step in steps)
