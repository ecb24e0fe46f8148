"""A byte search in the collections of a database in memory."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from tests.support.in_memory.mongo import InMemoryMongo


def found_in(mongo: InMemoryMongo, texts: Iterable[str]) -> list[str]:
    """Return the texts that a document holds in any letters, with the collections."""
    wanted = sorted(texts)
    found = {
        f"{text} in {collection}"
        for (_, collection), table in mongo.tables.items()
        for document in table.documents.values()
        for part in _parts(document)
        for text in wanted
        if text.casefold() in part
    }
    return sorted(found)


def _parts(document: dict[str, Any]) -> Iterator[str]:
    """Return all that a document holds as text, the state of a snapshot unpacked."""
    for name, value in document.items():
        text = zlib.decompress(value).decode() if isinstance(value, bytes) else json.dumps(value, default=str)
        yield f"{name} {text}".casefold()
        yield f"{name} {text}".encode().decode("unicode-escape", "replace").casefold()
