"""Histories of an edition in matching, drawn at random for property tests."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from services.matching.domain.changes import Change
from services.matching.domain.state import MatchingState
from shared.contract.events import (
    ConsentPolicy,
    Event,
    Language,
    OrganisationKind,
    RequestState,
    Status,
)
from tests.support.matching_editions import matchmaker
from tests.support.matching_scene import Scene

PEOPLE = ("ann", "bob", "cid", "dan", "eve")
HOMES = tuple(f"org_{name}" for name in PEOPLE)
WORDS = ("soldadura", "welding", "aluminio", "sensores", "riego", "robótica", "software", "queso", "acero", "🔩")
HOSTILE = ("\x00", "\u202e\u200b", "👩‍👩‍👧‍👦" * 99, "ñ" * 1000, "a b " * 250, " ", "漢字", "1 2 3", "ﬁ", "ß" * 1000)
#: Histories are long, and a busy machine draws them slowly.
slowly = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])

phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
items = st.lists(phrases | phrases | st.sampled_from(HOSTILE), max_size=3).map(tuple)
CODES = ("nace:25.62", "nace:25.61", "nace:25", "ket:robotics", "s3:wine", "coop:sale", "coop:purchase", "x")
codes = st.lists(st.sampled_from(CODES), max_size=3).map(tuple)
seldom = st.integers(0, 5).map(lambda drawn: drawn == 0)
revisions = st.integers(min_value=1, max_value=3)
statuses = st.sampled_from((*[Status.ACTIVE] * 7, Status.CANCELLED))


@st.composite
def editions(draw: st.DrawFn, scene: Scene) -> Event:
    return scene.edition(
        revision=draw(revisions),
        consent_policy=draw(st.sampled_from(ConsentPolicy)),
        least_affinity=draw(st.sampled_from((0.0, 0.1, 0.4))),
        affinity_version=draw(st.sampled_from(("1", "2"))),
    )


@st.composite
def organisations(draw: st.DrawFn, scene: Scene, name: str) -> Event:
    return scene.organisation(
        f"org_{name}",
        revision=draw(revisions),
        kind=draw(st.sampled_from(OrganisationKind)),
        country=draw(st.sampled_from(("ES", "MX"))),
        codes=draw(codes),
        status=draw(statuses),
        delegation=draw(st.sampled_from((None, "Mexico"))),
        competitor_ids=draw(st.lists(st.sampled_from(HOMES), max_size=1)),
        met_before=draw(st.lists(st.builds(lambda one: {"organisation_id": one}, st.sampled_from(HOMES)), max_size=1)),
    )


@st.composite
def participants(draw: st.DrawFn, scene: Scene, name: str) -> Event:
    return scene.participant(
        name,
        draw(items),
        draw(items),
        revision=draw(revisions),
        organisation_id=f"org_{draw(st.sampled_from(PEOPLE))}",
        languages=tuple(draw(st.sets(st.sampled_from(Language), min_size=1, max_size=3))),
        codes=draw(codes),
        status=draw(statuses),
        blocked_ids=draw(st.lists(st.sampled_from(PEOPLE + HOMES), max_size=1)) if draw(seldom) else (),
        declined_ids=draw(st.lists(st.sampled_from(PEOPLE), max_size=1)) if draw(seldom) else (),
    )


@st.composite
def requests(draw: st.DrawFn, scene: Scene, number: int) -> Event:
    """The number fixes the participants of a request; revisions change its state."""
    requester_id, target_id = PEOPLE[number % 5], PEOPLE[(number // 5 + number + 1) % 5] if number >= 5 else None
    return scene.request(
        f"r{number}",
        requester_id,
        target_id if target_id != requester_id else None,
        revision=draw(revisions),
        state=draw(st.sampled_from((*[RequestState.REQUESTED] * 4, *RequestState))),
        priority=draw(st.integers(min_value=1, max_value=3)),
        partners_wanted=draw(st.integers(min_value=1, max_value=3)),
    )


@st.composite
def histories(draw: st.DrawFn, scene: Scene) -> list[Event]:
    """The events of an edition in random order; no revision of a thing occurs twice."""
    drawn = [draw(editions(scene))]
    drawn += [draw(organisations(scene, name)) for name in PEOPLE for _ in range(draw(st.integers(1, 2)))]
    drawn += [draw(participants(scene, name)) for name in PEOPLE for _ in range(draw(st.integers(1, 2)))]
    drawn += [draw(requests(scene, number)) for number in draw(st.lists(st.integers(0, 19), min_size=1, max_size=8))]
    return list({(event.thing, event.revision): event for event in drawn}.values())


def decided(events: Sequence[Event], sizes: Sequence[int]) -> tuple[MatchingState, list[Change]]:
    """Decide on the events in batches of these sizes; return the state and its changes."""
    state, maker, changes = MatchingState(edition_id="ed1"), matchmaker(), []
    left = list(events)
    for size in (*sizes, len(left)):
        made, _ = maker.decide(state, left[:size])
        changes += made
        left = left[size:]
    return state, changes


batches = st.lists(st.integers(min_value=1, max_value=4), max_size=30)
