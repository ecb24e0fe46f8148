"""Compact models: they take less memory, and otherwise behave like pydantic models."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from services.scheduler.domain.snapshots import PairSnapshot, PublishedEncounter
from shared.contract.events import CompactModel, Consent, EncounterState, Place

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


@pytest.mark.parametrize("model", [PLACE, PAIR, TOLD])
def test_the_names_of_set_fields_are_not_stored(model: CompactModel) -> None:
    with pytest.raises(AttributeError):
        BaseModel.__dict__["__pydantic_fields_set__"].__get__(model)
    assert model.model_fields_set == type(model).model_fields.keys()


@pytest.mark.parametrize("model", [PLACE, PAIR, TOLD])
def test_copies_pickles_and_json_are_those_of_any_model(model: CompactModel) -> None:
    assert model.model_copy(update={}) == model == pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    assert type(model).model_validate_json(model.model_dump_json()) == model
    assert TOLD.model_copy(update={"revision": 2}) != TOLD
