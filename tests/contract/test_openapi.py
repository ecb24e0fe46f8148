"""The HTTP contract that clients are generated from: paths, methods, parameters, operation ids and schema names.

`openapi/` holds the OpenAPI document of a service without its prose (titles, summaries, descriptions).
`TERTULIA_WRITE_OPENAPI=1 pytest tests/contract/test_openapi.py` writes the files anew: look at the difference before
it is committed, because every line of it is a change for clients.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.authenticator import Authenticator
from services.registration.memory_store import InMemoryOperators, InMemoryStore
from services.registration.settings import Settings
from shared.runtime.clock import utc_now

FOLDER = Path(__file__).parent / "openapi"
PROSE = {"title", "summary", "description"}


def without_prose(node: Any, *, is_names: bool = False) -> Any:
    """The document without its prose; the keys of `properties`, `schemas` and `paths` are names and stay."""
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_prose(value, is_names=key in {"properties", "schemas", "paths"} and not is_names)
        for key, value in node.items()
        if is_names or key not in PROSE
    }


def test_the_openapi_of_registration_keeps_its_names() -> None:
    context = ApiContext(InMemoryStore(), Authenticator(InMemoryOperators({}), 5), Settings(), utc_now)
    document = without_prose(make_api(context).openapi())
    file = FOLDER / "registration.json"
    if os.environ.get("TERTULIA_WRITE_OPENAPI"):
        file.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert document == json.loads(file.read_text(encoding="utf-8"))
