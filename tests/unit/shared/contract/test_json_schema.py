"""Schemas as code generators of other languages read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.contract.json_schema import readable

DOCUMENTS = ("docs/openapi.json", "docs/asyncapi/public.json", "docs/asyncapi/tertulia.json")


def test_an_array_of_equal_items_has_plain_items() -> None:
    text = {"type": "string"}
    pair: dict[str, Any] = {"type": "array", "prefixItems": [text, dict(text)], "minItems": 2, "maxItems": 2}
    assert readable(pair) == {"type": "array", "items": text, "minItems": 2, "maxItems": 2}


def test_an_array_of_different_items_names_them_all() -> None:
    kinds: list[Any] = [{"type": "string"}, {"type": "integer"}]
    row = readable({"type": "array", "prefixItems": kinds})
    assert row == {"type": "array", "prefixItems": kinds, "items": {"anyOf": kinds}}


def test_a_time_of_the_day_asks_for_no_zone() -> None:
    schema = readable({"properties": {"starts": {"type": "string", "format": "time"}}})["properties"]["starts"]
    assert "format" not in schema
    assert schema["pattern"].startswith("^")


def test_the_property_that_tells_kinds_apart_is_required() -> None:
    cat: dict[str, Any] = {"properties": {"type": {"const": "cat", "default": "cat"}}}
    document = {
        "schemas": {"Cat": cat},
        "pet": {"discriminator": {"propertyName": "type", "mapping": {"cat": "#/schemas/Cat"}}},
    }
    assert readable(readable(document))["schemas"]["Cat"]["required"] == ["type"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents_have_no_array_without_items(path: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    document = json.loads(text)
    assert '"format": "time"' not in text

    def arrays(node: Any) -> list[Any]:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        own = [node] if isinstance(node, dict) and node.get("type") == "array" else []
        return own + [array for child in children for array in arrays(child)]

    assert [array for array in arrays(document) if "items" not in array] == []
