"""The actions of the routes, and the check that the principal of a request may do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request
from starlette.routing import BaseRoute

from services.registration.api.sight import grant
from shared.access import Action, Principal, require

AnyEndpoint = TypeVar("AnyEndpoint", bound=Callable[..., Any])
_ACTION: Final = "__action__"
_OPEN: Final = "__open_to_all__"


def needs(action: Action) -> Callable[[AnyEndpoint], AnyEndpoint]:
    """Return the decorator, below that of the router, with which an endpoint names its action."""

    def name_action(endpoint: AnyEndpoint) -> AnyEndpoint:
        setattr(endpoint, _ACTION, action)
        return endpoint

    return name_action


def open_to_all(endpoint: AnyEndpoint) -> AnyEndpoint:
    """Mark an endpoint, below the decorator of the router, that needs no credential."""
    setattr(endpoint, _OPEN, True)
    return endpoint


def is_open_to_all(route: BaseRoute) -> bool:
    """Tell whether the endpoint of a route needs no credential."""
    return bool(getattr(getattr(route, "endpoint", None), _OPEN, False))


def action_of(route: BaseRoute) -> Action | None:
    """Return the action that the endpoint of a route names; None if it names none."""
    found: Action | None = getattr(getattr(route, "endpoint", None), _ACTION, None)
    return found


def operations_of(app: FastAPI) -> Iterator[tuple[str, str, APIRoute]]:
    """Yield method, path as in OpenAPI, and route of all operations of the API."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            for method in sorted(context.methods or ()):
                yield method, context.path_format or "", context.original_route


def must_be_allowed(principal: Principal, request: Request) -> None:
    """Return if the principal may do what the route of the request does, and grant the request its sight.

    Raises:
        NotVisible: the edition or the participant in the path is not the principal's.
        MissingRight: the principal has no right to the action.
    """
    action = action_of(request.scope["route"])
    if action is None:
        raise RuntimeError(f"the route of {request.url.path} names no action")
    path = request.path_params
    require(principal, action, path.get("edition_id"), path.get("participant_id"))
    grant(principal.sight)
