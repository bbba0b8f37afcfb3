"""What a reader answers itself, and what it lets the keeper answer."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from inspect import iscoroutinefunction

from foretaste.app.home import Home
from foretaste.app.http.asgi.exchange import Request, Response
from foretaste.app.http.asgi.routing import Handler, Route
from foretaste.app.http.routes.health import METRICS, measures_response
from foretaste.app.http.shop_metrics import SHOP
from foretaste.app.processes.link import Call, Line
from foretaste.app.processes.measures import Gathering

FORWARD_SECONDS = 60.0
"""How long the keeper may take to answer what was forwarded."""

READ: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/recommend/{user_id}"),
        ("GET", "/recommend"),
        ("GET", "/items/{item_id}/similar"),
        ("GET", "/users/{user_id}/profile"),
        ("GET", "/recommendations/{recommendation_id}"),
        ("POST", "/personalize"),
        ("GET", "/items/{item_id}"),
        ("GET", "/users/{user_id}"),
        ("GET", "/users"),
        ("GET", "/models"),
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
        return await forwarded(request, keeper)

    def adapted(route: Route) -> Route:
        if route.path == METRICS_PATH:
            return replace(route, handler=totals(route.handler, gathering))
        if route.hidden or (route.method, route.path) in READ:
            return replace(route, handler=unless_of_page(current(route.handler, home), forward))
        return replace(route, handler=forward)

    return adapted


def unless_of_page(handler: Handler, forward: Handler) -> Handler:
    """Return `handler`, or `forward` for the boxes of a page: one process knows what all of them showed."""

    def either(request: Request) -> Response | Awaitable[Response]:
        return forward(request) if _PAGE in request.query else handler(request)

    return either


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


async def forwarded(request: Request, keeper: Line) -> Response:
    """Return what the keeper answers to a request; raise `UnavailableError` (503) where it is away."""
    body = await request.body()
    scope = request.scope
    call = Call(
        number=0,
        method=scope["method"],
        path=scope.get("raw_path") or scope["path"].encode(),
        query=scope["query_string"],
        headers=tuple(
            [(bytes(name), bytes(value)) for name, value in scope["headers"] if name not in _KEPT_BACK]
        ),
        body=body,
    )
    reply = await keeper.ask(call, FORWARD_SECONDS)
    headers = tuple([header for header in reply.headers if header[0] not in _MADE_HERE])
    return Response(reply.body, reply.status, headers)


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
