"""The ASGI application: finds the route, calls its handler, turns every error into a problem document."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Collection, Iterable
from inspect import iscoroutinefunction
from urllib.parse import urlsplit

import msgspec

from foretaste.app.http.asgi.cross_origin import allowed
from foretaste.app.http.asgi.exchange import (
    ARRIVED,
    PRIORITY,
    TIME_LEFT,
    BodyLimits,
    ClientGoneError,
    Receive,
    Request,
    Response,
    Scope,
    Send,
)
from foretaste.app.http.asgi.problems import PROBLEM_JSON, HttpError, extra_headers, problem_of
from foretaste.app.http.asgi.refusals import REFUSAL
from foretaste.app.http.asgi.routing import Route, RouteTable
from foretaste.app.http.asgi.turns import Turns
from foretaste.domain.errors import ForetasteError
from foretaste.serving.admission import Admission

ROUTE = "route"
"""Under this name the scope says which route answers."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_log = logging.getLogger(__name__)


class Application:
    """An ASGI 3 application over a table of routes.

    Handlers that are no coroutines run where they are called; with `waits` in threads, because they may
    wait for other servers. Pages of `origins` may write, as the service's own do. Requests that `admission`
    let in begin in turns (see `Turns`), unless they waited too long for that.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        limits: BodyLimits | None = None,
        *,
        waits: bool = False,
        origins: Collection[str] = (),
        admission: Admission | None = None,
    ) -> None:
        self.table = RouteTable(routes)
        self._limits = limits or BodyLimits()
        self._waits = waits
        self._origins = frozenset(origins)
        self._admission = admission
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection of ASGI: HTTP, or the server's start and end."""
        if scope["type"] == "http":
            try:
                response = await self._answered(scope, receive)
            except ClientGoneError:
                return
            await response.send(send, with_body=scope["method"] != "HEAD")
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answered(self, scope: Scope, receive: Receive) -> Response:
        legacy = False
        try:
            route, path = self.table.find(scope["method"], _raw_path(scope))
            legacy = route.legacy
            scope[ROUTE] = route.path
            request = Request(scope, receive, path, self._limits)
            if scope["method"] not in SAFE_METHODS:
                _refuse_other_sites(request, self._origins)
            if PRIORITY in scope:
                await self._turns.take(scope[PRIORITY])
            if self._waits and not iscoroutinefunction(route.handler):
                response = await asyncio.to_thread(self._begun, route, request)
            else:
                response = self._begun(route, request)
            return response if isinstance(response, Response) else await response
        except (ForetasteError, HttpError) as error:
            return refusal(error, legacy=legacy)
        except ClientGoneError:
            raise
        except Exception:  # noqa: BLE001 - the last boundary: whatever fails, the client gets a problem document
            _log.exception("%s %s failed", scope["method"], scope.get(ROUTE, "of no route"))  # no ids
            return refusal(HttpError(500, ""), legacy=legacy)

    def _begun(self, route: Route, request: Request) -> Response | Awaitable[Response]:
        """Begin work on a request, unless the client will not wait for it any more."""
        now = time.perf_counter()
        waited = now - request.scope.get(ARRIVED, now)
        priority = request.scope.get(PRIORITY)
        if self._admission is not None and priority and not self._admission.begin(priority, waited):
            return REFUSAL
        refuse_late(request, waited)
        return route.handler(request)


def refuse_late(request: Request, waited: float) -> None:
    """Refuse what its client gave less time than it has waited already; note how much is left of the time.

    Raises `HttpError`: 503 for that, 400 for a header `X-Request-Timeout` that is no number of seconds.
    """
    given = request.header(b"x-request-timeout")
    if given is None:
        return
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds < math.inf:
        raise HttpError(400, f"X-Request-Timeout is a number of seconds over 0, not {given[:50]!r}")
    if waited > seconds:
        raise HttpError(
            503,
            f"the request waited {waited:.3f} s, longer than its X-Request-Timeout; try again, or allow more",
            kind="too-late",
            retry_after=1,
        )
    request.scope[TIME_LEFT] = seconds - waited


def refusal(error: ForetasteError | HttpError, *, legacy: bool = False) -> Response:
    """Return the problem document of `error`."""
    problem = problem_of(error, legacy=legacy)
    if problem.status == 500 and isinstance(error, ForetasteError):
        _log.error("%s: %s", type(error).__name__, error.message)
    headers = ((b"content-type", PROBLEM_JSON), (b"cache-control", b"no-store"), *extra_headers(error))
    return Response(msgspec.json.encode(problem), problem.status, headers)


def _raw_path(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    root: bytes = scope.get("root_path", "").encode()
    return raw.partition(b"?")[0].removeprefix(root)


def _refuse_other_sites(request: Request, origins: Collection[str]) -> None:
    """Refuse what a page of another site makes a browser send: browsers name the page's origin."""
    origin = request.header(b"origin")
    if origin is None or urlsplit(origin).netloc == request.header(b"host") or allowed(origin, origins):
        return
    raise HttpError(
        403, "pages of other sites may not write here; the setting allowed_origins lets them", hang_up=True
    )


async def _live(receive: Receive, send: Send) -> None:
    """Take part in the server's start and end; what there is to open and close, the caller does."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
