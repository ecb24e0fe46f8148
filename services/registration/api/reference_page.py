"""The first page of the service and the reference page of its API, served from the package.

The reference is Swagger UI, from `fastapi-offline`. No page asks another host, and none has a script in its HTML.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_DAY = {"Cache-Control": "public, max-age=86400"}
#: Files of Swagger UI by name, with their media types.
_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon.png": "image/png",
}


def head(title: str) -> str:
    """Return the beginning of a page, up to the end of its head."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
"""


_REFERENCE = (
    head("Tertulia: the HTTP API")
    + """<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon.png">
</head>
<body>
<noscript>This page needs JavaScript. The document behind it is <a href="openapi.json">openapi.json</a>.</noscript>
<div id="reference"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
)
# The validator would send the document to another host; a key that is entered stays in the page.
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  persistAuthorization: false,
});
"""
_LINKS = {
    "docs": "every operation of the API, to read and to try",
    "openapi.json": "the same for programs (OpenAPI 3.1)",
}


def add_pages(app: FastAPI, *, has_reference: bool) -> None:
    """Add `GET /`, and with `has_reference` the reference at `GET /docs`."""
    shown = _LINKS if has_reference else {}

    async def first(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"service": app.title, "links": {name: f"/{name}" for name in shown}})
        return HTMLResponse(_first_page(app.title, shown), headers=POLICY)

    app.router.routes.append(Route("/", first))
    if has_reference:
        app.router.routes.extend(_reference_routes())


def _first_page(title: str, shown: dict[str, str]) -> str:
    items = "\n".join(f'<li><a href="{name}">{name}</a>: {text}</li>' for name, text in shown.items())
    return (
        f"{head(title)}</head>\n<body>\n<h1>{title}</h1>\n"
        "<p>Registrations and match requests of business meetings. The API is below <code>/v1</code>.</p>\n"
        f"<ul>\n{items}\n</ul>\n</body>\n</html>\n"
    )


def _reference_routes() -> list[Route]:
    folder = files("fastapi_offline") / "static"

    async def page(_: Request) -> Response:
        return HTMLResponse(_REFERENCE, headers=POLICY)

    async def start(_: Request) -> Response:
        return Response(_START, media_type="text/javascript", headers=_DAY)

    async def file(request: Request) -> Response:
        name = request.url.path.rpartition("/")[2]
        return FileResponse(str(folder / name), media_type=_FILES[name], headers=_DAY)

    return [
        Route("/docs", page),
        Route("/docs/start.js", start),
        *(Route(f"/docs/{name}", file) for name in _FILES),
    ]
