"""Models of which thousands are kept: lean, and otherwise like any other."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from services.scheduler.domain.snapshots import PairSnapshot, PublishedEncounter
from shared.contract.events import Consent, EncounterState, Kept, Place

PLACE = Place(
    slot=1,
    starts_at=datetime(2026, 11, 19, 9, tzinfo=UTC),
    ends_at=datetime(2026, 11, 19, 10, tzinfo=UTC),
    zone_id="work",
    table="W1",
)
PAIR = PairSnapshot(
    revision=1, participant_ids=("a", "b"), request_ids=(), consent=Consent.GRANTED, score=0.5, priority=1
)
TOLD = PublishedEncounter(revision=1, state=EncounterState.SCHEDULED, place=PLACE)


@pytest.mark.parametrize("kept", [PLACE, PAIR, TOLD])
def test_no_set_of_the_fields_given_is_kept(kept: Kept) -> None:
    with pytest.raises(AttributeError):
        BaseModel.__dict__["__pydantic_fields_set__"].__get__(kept)
    assert kept.model_fields_set == type(kept).model_fields.keys()


@pytest.mark.parametrize("kept", [PLACE, PAIR, TOLD])
def test_copies_pickles_and_json_are_those_of_any_model(kept: Kept) -> None:
    assert kept.model_copy(update={}) == kept == pickle.loads(pickle.dumps(kept))  # noqa: S301 - our own
    assert type(kept).model_validate_json(kept.model_dump_json()) == kept
    assert TOLD.model_copy(update={"revision": 2}) != TOLD
