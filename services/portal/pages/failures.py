"""Pages for requests that cannot be answered: not signed in, no such page, registration away."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from services.portal.pages.context import NoSuchPage, NotSignedIn, context_of
from services.portal.pages.forms import FormRefused
from services.portal.pages.languages import language_of
from services.portal.registration import RegistrationAway


def install(app: FastAPI) -> None:
    """Add a page for every kind of failure."""
    app.add_exception_handler(NotSignedIn, _ask_to_sign_in)
    app.add_exception_handler(NoSuchPage, _page_of("no_such_page", 404))
    app.add_exception_handler(FormRefused, _page_of("form_refused", 403))
    app.add_exception_handler(RegistrationAway, _page_of("away", 503))
    app.add_exception_handler(HTTPException, _on_http)


async def _ask_to_sign_in(request: Request, error: Exception) -> Response:
    if request.method == "GET" and str(error) == "staff":
        return RedirectResponse("/staff", 303)
    return _failure(request, "link_needed", 401)


async def _on_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _failure(request, "no_such_page", status)


def _page_of(kind: str, status: int):  # type: ignore[no-untyped-def] # noqa: ANN202
    async def answer(request: Request, _: Exception) -> Response:
        return _failure(request, kind, status)

    return answer


def _failure(request: Request, kind: str, status: int) -> Response:
    values = {"kind": kind, "path": request.url.path}
    return context_of(request).writer.page("failure.html.j2", language_of(request), values, status=status)
