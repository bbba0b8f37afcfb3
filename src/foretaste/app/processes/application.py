"""What a reader answers itself, and what it lets the keeper answer."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from inspect import iscoroutinefunction

from foretaste.app.home import Home
from foretaste.app.http.asgi.exchange import Message, Request, Response
from foretaste.app.http.asgi.routing import Handler, Route
from foretaste.app.http.routes.health import METRICS, measures_response
from foretaste.app.http.shop_metrics import SHOP
from foretaste.app.processes.link import Call, Line
from foretaste.app.processes.measures import Gathering
from foretaste.domain.errors import UnavailableError

FORWARD_SECONDS = 60.0
"""How long the keeper may take to answer what was forwarded."""

READ: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/recommend/{user_id}"),
        ("GET", "/recommend"),
        ("POST", "/recommend"),
        ("GET", "/items/{item_id}/similar"),
        ("GET", "/users/{user_id}/profile"),
        ("GET", "/recommendations/{recommendation_id}"),
        ("POST", "/recommend/batch"),
        ("POST", "/personalize"),
        ("GET", "/items/{item_id}"),
        ("GET", "/users/{user_id}"),
        ("GET", "/users"),
        ("GET", "/models"),
        ("GET", "/scenarios"),
        ("GET", "/scenarios/{name}"),
        ("GET", "/catalog"),
        ("GET", "/catalog/search"),
        ("GET", "/health"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/metrics"),
        ("GET", "/api/recommendations"),
        ("GET", "/api/recommendations/{user_id}"),
        ("GET", "/api/recommendations_with_cold_start"),
        ("GET", "/api/models"),
        ("GET", "/profile/{user_id}"),
        ("GET", "/metrics/models"),
        ("GET", "/evaluation/metrics"),
        ("GET", "/scenarios"),
        ("GET", "/scenarios/{name}"),
        ("POST", "/scenarios/{name}/preview"),
    }
)
"""What every reader answers; pages too. All else goes to the keeper, which can answer everything."""

METRICS_PATH = "/metrics"
_PAGE = b"page_id="
_KEPT_BACK = frozenset({b"origin", b"connection", b"host"})
"""Headers that are not forwarded: the reader has looked at the page's origin already."""
_MADE_HERE = frozenset({b"content-length", b"x-content-type-options"})
"""Headers of the keeper's answers that the reader writes itself."""


def reader_routes(home: Home, keeper: Line, gathering: Gathering) -> Callable[[Route], Route]:
    """Return what turns the routes of `create_app` into those of a reader."""

    async def forward(request: Request) -> Response:
        return await forwarded(request, await request.body(), keeper)

    def adapted(route: Route) -> Route:
        if route.path == METRICS_PATH:
            return replace(route, handler=totals(route.handler, gathering))
        if not route.hidden and (route.method, route.path) not in READ:
            return replace(route, handler=forward)
        own = current(route.handler, home)
        remembered = not route.hidden and not home.settings.redis_url
        return replace(route, handler=paged(own, keeper, route.method) if remembered else own)

    return adapted


def replica_routes(gathering: Gathering) -> Callable[[Route], Route]:
    """Return what turns the routes of `create_app` into those of one of several replicas."""

    def adapted(route: Route) -> Route:
        is_metrics = route.path == METRICS_PATH
        return replace(route, handler=totals(route.handler, gathering)) if is_metrics else route

    return adapted


def current(handler: Handler, home: Home) -> Handler:
    """Return `handler` for a process that first learns what others were told."""

    def now(request: Request) -> Response | Awaitable[Response]:
        home.catch_up(None)
        return handler(request)

    async def later(request: Request) -> Response:
        home.catch_up(None)
        return await answered(handler, request)

    return later if iscoroutinefunction(handler) else now


def paged(handler: Handler, keeper: Line, method: str) -> Handler:
    """Return `handler`, where the boxes of one page, which must not repeat each other, are the keeper's.

    While the keeper is away they are answered here, as far as is known here.
    """

    async def box(request: Request, body: bytes) -> Response:
        try:
            return await forwarded(request, body, keeper)
        except UnavailableError:
            return await answered(handler, again(request, body))

    def asked(request: Request) -> Response | Awaitable[Response]:
        return box(request, b"") if b"page_id=" in request.query else handler(request)

    async def sent(request: Request) -> Response:
        body = await request.body()
        if b'"page_id"' in body:
            return await box(request, body)
        return await answered(handler, again(request, body))

    return asked if method == "GET" else sent


def again(request: Request, body: bytes) -> Request:
    """Return a request whose body, which was read, is read once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return replace(request, receive=receive)


async def forwarded(request: Request, body: bytes, keeper: Line) -> Response:
    """Return what the keeper answers to a request; raise `UnavailableError` (503) where it is away."""
    scope = request.scope
    headers = [(bytes(name), bytes(value)) for name, value in scope["headers"] if name not in _KEPT_BACK]
    call = Call(
        number=0,
        method=scope["method"],
        path=scope.get("raw_path") or scope["path"].encode(),
        query=scope["query_string"],
        headers=tuple(headers),
        body=body,
    )
    reply = await keeper.ask(call, FORWARD_SECONDS)
    written = tuple([header for header in reply.headers if header[0] not in _MADE_HERE])
    return Response(reply.body, reply.status, written)


def totals(handler: Handler, gathering: Gathering) -> Handler:
    """Return `handler` of `/metrics` for a service of several processes: the sums of all of them."""

    async def metrics(request: Request) -> Response:
        profile = METRICS.read(request.query).profile
        if profile not in {"", SHOP}:
            return await answered(handler, request)
        return measures_response(await gathering.exposition(), profile)

    return metrics


async def answered(handler: Handler, request: Request) -> Response:
    """Return what `handler` answers, whether it is a coroutine or not."""
    response = handler(request)
    return response if isinstance(response, Response) else await response
