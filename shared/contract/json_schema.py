"""JSON Schemas that code generators of other languages read: rewritten where generators know less than the standard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: Times of a day without a zone. `format: time` of JSON Schema (RFC 3339) asks for one.
_TIME_OF_DAY = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"}


def readable(document: dict[str, Any]) -> dict[str, Any]:
    """Rewrite the schemas of a document in place, and return it.

    - An array of a fixed length has `items` beside or instead of `prefixItems`, which generators read as `any[]`.
    - A time of a day has a pattern instead of `format: time`.
    - The property that tells the kinds of a union apart is required in all of them.
    """
    for node in list(_nodes(document)):
        if "prefixItems" in node:
            _name_items(node)
        if node.get("type") == "string" and node.get("format") == "time":
            del node["format"]
            node.update(_TIME_OF_DAY)
        if "mapping" in node.get("discriminator", {}):
            _require_discriminator(document, node["discriminator"])
    return document


def _nodes(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(child)


def _name_items(node: dict[str, Any]) -> None:
    kinds: list[Any] = []
    for kind in node["prefixItems"]:
        if kind not in kinds:
            kinds.append(kind)
    if len(kinds) == 1:
        del node["prefixItems"]
    node["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _require_discriminator(document: dict[str, Any], discriminator: dict[str, Any]) -> None:
    for reference in discriminator["mapping"].values():
        schema: Any = document
        for part in reference.removeprefix("#/").split("/"):
            schema = schema[part]
        required = schema.setdefault("required", [])
        if discriminator["propertyName"] not in required:
            required.append(discriminator["propertyName"])
