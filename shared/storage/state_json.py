"""JSON of large states, written and read in pieces.

Pydantic holds the interpreter lock for the whole of a call: no thread runs for a second if
a state has 40 MB. Here a call takes `_ITEMS` items of a dictionary at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel

State = TypeVar("State", bound=BaseModel)

_ITEMS = 200


def dump_in_pieces(state: BaseModel) -> bytes:
    """Return what `state.model_dump_json()` returns, as bytes. The state must have no computed fields."""
    stored = (name for name, field in type(state).model_fields.items() if not field.exclude)
    return b"{" + b",".join(_field_json(state, name) for name in stored) + b"}"


def load_in_pieces(state_type: type[State], text: bytes) -> State:
    """Return what `state_type.model_validate_json(text)` returns. Dictionary fields must have a default."""
    values: dict[str, Any] = orjson.loads(text)
    large = {
        key: (name, values.pop(key))
        for name, field in state_type.model_fields.items()
        if isinstance(field.get_default(call_default_factory=True), dict)
        and len(values.get(key := field.alias or name, ())) > _ITEMS
    }
    state = state_type.model_validate_json(orjson.dumps(values))
    required = {name: values[name] for name, field in state_type.model_fields.items() if field.is_required()}
    for key, (name, items) in large.items():
        setattr(state, name, read := {})
        for piece in _pieces(items):
            part = state_type.model_validate_json(orjson.dumps({**required, key: piece}))
            read.update(getattr(part, name))
    return state


def _field_json(state: BaseModel, name: str) -> bytes:
    """Return a field as `"key":value`."""
    value = getattr(state, name)
    if not isinstance(value, dict) or len(value) <= _ITEMS:
        return state.model_dump_json(include={name}).encode()[1:-1]
    texts = [_with(state, name, piece).model_dump_json(include={name}).encode()[1:-1] for piece in _pieces(value)]
    start = texts[0].index(b"{")
    return texts[0][:start] + b"{" + b",".join(text[start + 1 : -1] for text in texts) + b"}"


def _with(state: BaseModel, name: str, value: Any) -> BaseModel:  # noqa: ANN401 - a field of any type
    return type(state).model_construct(None, **{name: value})


def _pieces(items: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
    rest = iter(items.items())
    while piece := dict(islice(rest, _ITEMS)):
        yield piece
