"""A preview of a change of facts is its outcome, if all else stands still; and it leaves no trace."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contract.events import (
    AgendaChanged,
    EncounterChanged,
    Event,
    ParticipantChanged,
    Place,
    Quotas,
)
from shared.internal_api.previews import FactsPreview, FactsToPreview
from tests.support.scheduler_editions import HALL, affinity, edition, participant, session, window, workspace
from tests.support.scheduler_service import SchedulerHarness

PEOPLE = [f"p{number}" for number in range(8)]
SEEDS = st.integers(min_value=0, max_value=2**32)


async def announced(chance: random.Random) -> SchedulerHarness:
    """Return a scheduler with an announced edition of eight participants."""
    harness = SchedulerHarness()
    pairs = [(one, other) for one in PEOPLE for other in PEOPLE if one < other]
    facts: list[Event] = [
        edition(slots=5, zones=(workspace(3), HALL), sessions=(session("s", 1, 2),), phase="published")
    ]
    facts += [participant(name, session_ids=chance.choice([(), ("s",)])) for name in PEOPLE]
    facts += [affinity(one, other, priority=chance.choice([1, 2, 3])) for one, other in chance.sample(pairs, 14)]
    await harness.consume(*facts)
    await harness.later(20)
    await harness.later(20)
    return harness


def changed_edition(chance: random.Random, revision: int) -> FactsToPreview:
    fields: dict[str, Any] = {
        "slots": chance.choice([5, 5, 3]),
        "zones": (workspace(chance.choice([0, 1, 2, 3, 4])), HALL),
        "sessions": chance.choice([(), (session("s", *chance.choice([(1, 2), (2, 4)])),)]),
        "quotas": chance.choice([Quotas(), Quotas(max_encounters=2)]),
        "phase": "published",
        "revision": revision,
    }
    return FactsToPreview(editions=(edition(**fields),))


def changed_participant(chance: random.Random, revision: int) -> FactsToPreview:
    fields: dict[str, Any] = {
        "available": chance.choice([(), (window(0, 2),), (window(2, 5),)]),
        "session_ids": chance.choice([(), ("s",)]),
        "status": chance.choice(["active", "active", "cancelled"]),
        "revision": revision,
    }
    return FactsToPreview(participants=(participant(chance.choice(PEOPLE), **fields),))


def outcome(harness: SchedulerHarness, sent: int) -> tuple[dict[str, Place | None], set[str]]:
    """Return the places of the encounters, and the participants who get a mail, that were published since."""
    events = harness.sent[sent:]
    places = {event.encounter_id: event.place for event in events if isinstance(event, EncounterChanged)}
    mailed = {e.participant_id for e in events if isinstance(e, AgendaChanged) and e.changes and not e.provisional}
    return places, mailed


def places_now(harness: SchedulerHarness) -> dict[str, Place | None]:
    return {event.encounter_id: event.place for event in harness.sent if isinstance(event, EncounterChanged)}


def check(
    preview: FactsPreview, before: dict[str, Place | None], places: dict[str, Place | None], mailed: set[str]
) -> None:
    effects = [*preview.moved, *preview.placed, *preview.waiting, *preview.cancelled]
    moved = {key: place for key, place in places.items() if before.get(key) != place}
    assert {effect.encounter_id: effect.after for effect in effects} == moved
    assert {effect.encounter_id: effect.before for effect in effects} == {key: before.get(key) for key in moved}
    assert set(preview.mailed) == mailed
    counts = preview.counts
    assert counts.encounters == sum(place is not None for place in before.values())
    assert (counts.moved, counts.waiting) == (len(preview.moved), len(preview.waiting))
    assert counts.placed + counts.cancelled + counts.moved + counts.waiting == len(moved)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
async def test_a_preview_is_the_outcome_if_all_is_still(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed of Hypothesis
    harness = await announced(chance)
    revisions: dict[str, int] = {}
    for _ in range(4):
        before, sent = places_now(harness), len(harness.sent)
        make = chance.choice([changed_edition, changed_participant])
        (event,) = make(chance, 1).events
        revisions[event.thing] = revisions.get(event.thing, 1) + 1
        (event,) = (event.model_copy(update={"revision": revisions[event.thing]}),)
        field = "participants" if isinstance(event, ParticipantChanged) else "editions"
        facts = FactsToPreview(**{field: (event,)})
        preview = await harness.scheduler.preview("ed", facts)
        assert await harness.scheduler.preview("ed", facts) == preview
        assert (places_now(harness), len(harness.sent)) == (before, sent)
        await harness.consume(event)
        check(preview, before, *outcome(harness, sent))
