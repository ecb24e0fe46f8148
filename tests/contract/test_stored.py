"""The shape of what the services keep: journal changes, snapshots, ledger lines, documents of registration.

`stored/` holds one JSON Schema of each, without the names of the Python classes. A new version reads what an old one
has written, so a field may be added here, with a default; a field that is renamed or removed loses stored data.
`TERTULIA_WRITE_STORED=1 pytest tests/contract/test_stored.py` writes the files anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.matching.aggregate import MatchingAggregate
from services.notify.aggregate import AudienceAggregate
from services.notify.domain.delivery import Delivery
from services.registration.store import KINDS
from services.scheduler.aggregate import AgendaAggregate

FOLDER = Path(__file__).parent / "stored"
AGGREGATES: dict[str, Any] = {
    "matching": MatchingAggregate,
    "scheduler": AgendaAggregate,
    "notify": AudienceAggregate,
}
SHAPES: dict[str, TypeAdapter[Any]] = {
    **{f"{name}-change": aggregate.change_type for name, aggregate in AGGREGATES.items()},
    **{f"{name}-snapshot": TypeAdapter(aggregate.state_type) for name, aggregate in AGGREGATES.items()},
    "notify-delivery": TypeAdapter(Delivery),
    **{f"registration-{kind.PREFIX}": TypeAdapter(kind) for kind in KINDS},
}


def shape_of(adapter: TypeAdapter[Any]) -> Any:
    """The JSON Schema with references replaced by their targets; no titles, no descriptions, no class names."""
    schema = adapter.json_schema(mode="validation")
    definitions = schema.pop("$defs", {})

    def inlined(node: Any, inside: tuple[str, ...] = ()) -> Any:
        if isinstance(node, list):
            return [inlined(item, inside) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            return "recursive" if name in inside else inlined(definitions[name], (*inside, name))
        return {
            key: _properties(value, inside)
            if key == "properties"
            else sorted(value)
            if key == "mapping"
            else inlined(value, inside)
            for key, value in node.items()
            if key not in {"title", "description"}
        }

    def _properties(properties: dict[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        return {name: inlined(value, inside) for name, value in properties.items()}

    return inlined(schema)


@pytest.mark.parametrize("name", SHAPES)
def test_stored_data_keeps_its_shape(name: str) -> None:
    file = FOLDER / f"{name}.json"
    shape = shape_of(SHAPES[name])
    if os.environ.get("TERTULIA_WRITE_STORED"):
        file.write_text(json.dumps(shape, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert shape == json.loads(file.read_text(encoding="utf-8"))
