from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.instances.agendas import agenda_of
from bench.instances.editions import Size, synthetic
from bench.instances.stream import published
from services.scheduler.aggregate import announcing, publishing
from services.scheduler.domain.state import AgendaState
from shared.storage import state_json
from shared.storage.state_json import dump_in_pieces, load_in_pieces
from tests.support.scheduler_editions import NOW


class Inventory(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    owner: str
    prices: dict[str, float] = Field(default_factory=dict, alias="old_prices")
    tags: dict[int, tuple[str, ...]] = {}
    seen: set[str] = set()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_json, "_ITEMS", 7)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 50])
def test_the_json_in_pieces_is_the_json(count: int) -> None:
    names = [f'na:"{{m}}é{number}' for number in range(count)]
    prices = {name: number / 3 for number, name in enumerate(names)}
    state = Inventory(owner="me", prices=prices, tags=dict.fromkeys(range(count), ("a", "b")), seen={"x"})
    text = state.model_dump_json().encode()
    assert dump_in_pieces(state) == text
    assert load_in_pieces(Inventory, text) == state


def test_the_state_of_an_agenda_is_the_same_after_a_round_trip() -> None:
    instance = synthetic(Size("small", 20, 40, 60, 8, 6), 1)
    state = agenda_of((*instance.events, published(instance)))
    publishing(state, NOW)
    announcing(state, NOW)
    text = dump_in_pieces(state)
    assert text == state.model_dump_json().encode()
    assert load_in_pieces(AgendaState, text) == AgendaState.model_validate_json(text)
    assert len(state.participants) > 7


def test_a_wrong_item_is_found_in_every_piece() -> None:
    text = b'{"owner":"me","tags":{' + b",".join(b'"%d":["a"]' % number for number in range(20)) + b',"x":1}}'
    with pytest.raises(ValidationError):
        load_in_pieces(Inventory, text)
