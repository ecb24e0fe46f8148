"""Query parameters: a parameter that an endpoint does not have is refused, for its sender believes that it counts."""

from __future__ import annotations

import difflib
from typing import Final

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path
from fastapi.routing import APIRoute

from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.parsing import MOST_FAULTS

#: Parameters that stand in another part of the request. Fields of a model of parameters are not among them.
_ELSEWHERE: Final = (Cookie, Header, Path)
_LONGEST_NAME: Final = 50
_CANNOT_BE_TRIED: Final = "this request cannot be tried: it has no dry run"


def must_know_query(request: Request) -> None:
    """Raise `Invalid` if the query has a parameter that the endpoint does not take, or a parameter twice."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = {field.alias for field in get_flat_params(route.dependant) if not isinstance(field.field_info, _ELSEWHERE)}
    names = [name for name, _ in request.query_params.multi_items()]
    faults = [_unknown(name, known) for name in dict.fromkeys(names) if name not in known]
    faults += [_repeated(name) for name in dict.fromkeys(names) if name in known and names.count(name) > 1]
    if faults:
        raise Invalid(*faults[:MOST_FAULTS])


def _unknown(name: str, known: set[str]) -> FieldError:
    shown = name[:_LONGEST_NAME]
    if name == "dry_run":
        return FieldError("/query/dry_run", _CANNOT_BE_TRIED, "unknown-parameter")
    alike = difflib.get_close_matches(shown, known, 1)
    takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
    meant = f"; is {alike[0]} meant?" if alike else ""
    return FieldError(f"/query/{shown}", f"this request has no such parameter: {takes}{meant}", "unknown-parameter")


def _repeated(name: str) -> FieldError:
    return FieldError(f"/query/{name}", "the parameter is given twice: send it once", "repeated-parameter")
