"""Calls of registration's API by commands, with an operator's key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from tertulia.output import stop

if TYPE_CHECKING:
    import httpx

Edition = Annotated[str, typer.Argument(help="The edition's id.")]
Address = Annotated[
    str, typer.Option("--registration", envvar="TERTULIA_REGISTRATION_URL", help="Address of registration.")
]
Key = Annotated[str, typer.Option(envvar="TERTULIA_API_KEY", help="An API key of the operator.")]
HERE = "http://127.0.0.1:8000"
errors = Console(stderr=True)
_SECONDS = 30.0
_PROBLEM = "urn:tertulia:problem:"


def client_of(registration: str, key: str) -> httpx.Client:
    """Return a client with the operator's key; end the command without a key."""
    import httpx  # noqa: PLC0415 - only with a command that calls

    if not key:
        stop(errors, "set TERTULIA_API_KEY to an API key of the edition's operator (`tertulia key add`)")
    return httpx.Client(
        base_url=f"{registration.rstrip('/')}/v1",
        headers={"Authorization": f"Bearer {key}"},
        timeout=_SECONDS,
    )


def answer_of(
    client: httpx.Client,
    method: str,
    path: str,
    body: Any = None,  # noqa: ANN401 - JSON
    query: dict[str, str] | None = None,
    on_problem: Callable[[str, dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Return the answer of registration; end the command if there is none, or a problem.

    `on_problem` gets the slug and the body of a problem first.
    """
    response = _response(client, method, path, query, on_problem, json=body)
    try:
        answer: dict[str, Any] = response.json()
    except ValueError:
        stop(errors, f"{client.base_url} answers without JSON: is it the address of registration?")
    return answer


def made_change(
    client: httpx.Client,
    method: str,
    path: str,
    body: Any,  # noqa: ANN401 - JSON
    token: str,
    on_problem: Callable[[str, dict[str, Any]], None],
) -> tuple[dict[str, Any], str]:
    """Make a change that its token confirms; return the answer and the amendment that undoes it, if there is one."""
    response = _response(client, method, path, {"token": token}, on_problem, json=body)
    answer: dict[str, Any] = response.json()
    return answer, response.headers.get("Tertulia-Amendment", "")


def sent_file(client: httpx.Client, path: str, query: dict[str, str], content: bytes, accept: str) -> httpx.Response:
    """Post a file, and return the answer; end the command if there is none, or a problem."""
    headers = {"Content-Type": "application/octet-stream", "Accept": f"{accept}, application/problem+json"}
    return _response(client, "POST", path, query, None, content=content, headers=headers)


def file_at(client: httpx.Client, path: str, query: dict[str, str]) -> httpx.Response:
    """Return the answer with a file; end the command if there is none, or a problem."""
    return _response(client, "GET", path, query, None)


def _response(
    client: httpx.Client,
    method: str,
    path: str,
    query: dict[str, str] | None,
    on_problem: Callable[[str, dict[str, Any]], None] | None,
    headers: dict[str, str] | None = None,
    **body: Any,  # noqa: ANN401 - of httpx
) -> httpx.Response:
    import httpx  # noqa: PLC0415 - only with a command that calls

    # The token of a change covers the revision that the preview was made for.
    revision = {} if method == "GET" else {"If-Match": "*"}
    try:
        response = client.request(method, path, params=query or {}, headers=revision | (headers or {}), **body)
    except httpx.HTTPError as error:
        stop(errors, f"registration does not answer at {client.base_url}: {str(error) or type(error).__name__}")
    if not response.is_success:
        _end_by(response, on_problem)
    return response


def _end_by(response: httpx.Response, on_problem: Callable[[str, dict[str, Any]], None] | None) -> NoReturn:
    try:
        problem: dict[str, Any] = response.json()
    except ValueError:
        stop(errors, f"{response.url} answers {response.status_code}: is it the address of registration?")
    slug = str(problem.get("type", "")).removeprefix(_PROBLEM)
    if on_problem is not None:
        on_problem(slug, problem)
    _end(problem, slug, response.status_code)


def pages_of(client: httpx.Client, path: str, query: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the pages of a list, with `next` of a page as `after` of the following page."""
    after: str | None = ""
    while after is not None:
        page = answer_of(client, "GET", path, query=(query or {}) | ({"after": after} if after else {}))
        yield page
        after = page["next"]


def _end(problem: dict[str, Any], slug: str, status: int) -> NoReturn:
    faults = "".join(f"\n{fault['pointer'] or '/'}: {fault['detail']}" for fault in problem.get("errors", ()))
    if status == HTTPStatus.UNAUTHORIZED:
        stop(errors, "registration refuses the key: set TERTULIA_API_KEY to an API key of the edition's operator")
    stop(errors, f"{status} {slug}: {problem.get('detail', '')}{faults}")
