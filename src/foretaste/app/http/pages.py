"""The pages and the module for other pages, read once, served from memory."""

import hashlib
from importlib.resources import files
from pathlib import PurePosixPath

from foretaste.app.http.asgi.exchange import Headers, Request, Response
from foretaste.app.http.asgi.problems import HttpError
from foretaste.app.http.asgi.routing import Route

TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFETY: Headers = (
    (b"content-security-policy", POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)


def page_routes() -> list[Route]:
    """Return the routes of the pages and their files."""
    storefront, reference, browser = _read("storefront"), _read("reference"), _read("browser")
    dashboard = _read("dashboard")
    return [
        _route("/", storefront, "index.html"),
        _route("/docs", reference, "index.html"),
        _route("/storefront/{file}", storefront),
        _route("/reference/{file}", reference),
        _route("/foretaste.js", browser, "foretaste.js"),
        _route("/dashboard", dashboard, "index.html"),
        _route("/api/monitoring/dashboard", dashboard, "index.html"),
        _route("/dashboard/{file}", dashboard),
    ]


def _read(folder: str) -> dict[str, Response]:
    """Return the files of a folder, by name, as finished responses."""
    found = files("foretaste.app.http").joinpath(folder)
    return {
        entry.name: _response(entry.name, entry.read_bytes())
        for entry in found.iterdir()
        if PurePosixPath(entry.name).suffix in TYPES
    }


def _response(name: str, body: bytes) -> Response:
    tag = b'"%s"' % hashlib.sha256(body).hexdigest()[:16].encode()
    headers = ((b"content-type", TYPES[PurePosixPath(name).suffix]), (b"etag", tag), *SAFETY)
    return Response(body, headers=headers)


def _route(path: str, pages: dict[str, Response], fixed: str | None = None) -> Route:
    def page(request: Request) -> Response:
        name = fixed or request.path["file"]
        found = pages.get(name)
        if found is None:
            raise HttpError(404, f"there is no page {name[:80]!r}")
        known = request.header(b"if-none-match")
        tag = dict(found.headers)[b"etag"].decode()
        return Response(b"", 304, found.headers) if known == tag else found

    return Route(method="GET", path=path, handler=page, hidden=True)
