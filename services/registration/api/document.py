"""The OpenAPI document of registration, as FastAPI makes it, with the parts that FastAPI does not know."""

from __future__ import annotations

import functools
import json
import re
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from services.registration.api.bodies import body_schemas
from services.registration.api.rights import action_of, is_open_to_all, operations_of
from shared.contract.json_schema import readable

ABOUT: Final = """Organisations, participants, profiles, editions and match requests of business-matchmaking editions.

Every request carries an operator's API key: `Authorization: Bearer <operator id>.<secret>`. Errors are problem details
(RFC 9457). Every `POST` that creates an entity takes an `Idempotency-Key`; all other requests are idempotent by nature.
`ETag` is the revision of an entity. Every `PATCH` needs it as `If-Match`, so that no change overwrites a concurrent
change unseen: without it, 428; with another revision, 412. Both name the present `ETag`. A member of a list (a zone, a
table, a session, a block) is put or deleted at its own address, without `If-Match`: concurrent changes all count."""
_INFO: Final = {
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "contact": {"name": "The operator of this installation"},
}
_SERVERS: Final = [{"url": "/", "description": "This installation."}]
_REFERENCE: Final = re.compile(r'"#/components/schemas/([^"]+)"')
#: Groups of operations.
TAGS: Final = {
    "match requests": "A participant asks to meet another, or for proposals; answers.",
    "editions": "Editions: days, zones, phases, rules.",
    "affinities": "Scores of pairs with their reasons, and proposals.",
    "organisations": "The organisations of an edition.",
    "participants": "The participants of an edition.",
    "own facts": "A participant's own part, by the link of a mail.",
    "members": "Members of lists, at addresses of their own: zones, tables, sessions, blocks.",
    "corrections": "Merges of duplicates.",
    "amendments": "Changes that can be undone.",
    "privacy": "Consents, export of a person's data, erasure, retention.",
    "imports": "Lists in files.",
    "exports": "Lists for spreadsheets.",
    "the day": "Check-in and attendance.",
    "events": "Change feeds and streams.",
    "webhooks": "Events sent to an operator's own addresses.",
    "agenda": "Encounters, edits by hand, goals, what-if questions.",
    "profile help": "Codes for a text about needs and offers.",
    "observatory": "Capacities and needs of an edition, in counts.",
    "external ids": "Organisations and participants by their ids in the operator's own system.",
    "search": "People and organisations by name, address or id.",
    "access": "Rights, staff accounts, sign-in.",
    "keys": "API keys.",
    "history": "The authors of changes.",
}


def describe(app: FastAPI) -> None:
    """Let the application describe itself by this document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's guide says


def serve(app: FastAPI) -> None:
    """Serve the document. It is written once: strangers may ask for it as often as they like."""

    @functools.cache
    def written() -> bytes:
        return to_json(app.openapi())

    async def document(_: Request) -> Response:
        return Response(written(), media_type="application/json")

    app.add_route("/openapi.json", document, include_in_schema=False)


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["info"] |= _INFO
    document["servers"] = _SERVERS
    document["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(body_schemas())
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    _name_actions(document, app)
    _require_if_match(document)
    _leave_out_unused(components["schemas"], document["paths"])
    return readable(document)


def _leave_out_unused(schemas: dict[str, Any], paths: dict[str, Any]) -> None:
    """Remove the schemas to which no operation leads: of some bodies, the operations take the patch alone."""
    used, waiting = set[str](), [paths]
    while waiting:
        found = {name for name in _REFERENCE.findall(json.dumps(waiting.pop())) if name not in used}
        used |= found
        waiting += [schemas[name] for name in found]
    for name in schemas.keys() - used:
        del schemas[name]


def _name_actions(document: dict[str, Any], app: FastAPI) -> None:
    """Add the action that an operation needs: `docs/access.md` has the scopes and roles that hold it."""
    for method, path, route in operations_of(app):
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            continue
        if is_open_to_all(route):
            operation["security"] = []
        else:
            operation["x-action"] = action_of(route)


def _require_if_match(document: dict[str, Any]) -> None:
    """Mark `If-Match` of every PATCH as required: the routes read it as optional, to answer 428 with the ETag."""
    for operations in document["paths"].values():
        for parameter in operations.get("patch", {}).get("parameters", ()):
            if parameter["name"] == "if-match":
                parameter |= {"required": True, "schema": {"type": "string", "maxLength": 200, "title": "If-Match"}}
