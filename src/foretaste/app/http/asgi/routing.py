"""Routes: which handler answers a method at an address."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

from foretaste.app.http.asgi.exchange import Request, Response
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.asgi.problems import HttpError

Handler: TypeAlias = Callable[[Request], Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. What is only said of it (from `summary` on) becomes the OpenAPI document.

    `path` has parameters in braces, each a whole segment. `legacy` marks a path of another system, whose
    problem documents carry `error` too. `body` and `answer` are the types of the JSON sent and answered;
    `hidden` keeps pages out of the document.
    """

    method: str
    path: str
    handler: Handler
    summary: str = ""
    description: str = ""
    tag: str = ""
    parameters: Parameters[Any] | None = None
    body: Any = None
    answer: Any = None
    status: int = 200
    refusals: tuple[int, ...] = ()
    media: str = "application/json"
    legacy: bool = False
    hidden: bool = False

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The names in braces."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


@dataclass(slots=True)
class _Node:
    literal: dict[bytes, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The path parameters of each of `routes`, looked up once."""


class RouteTable:
    """Finds routes by the address *before* percent-decoding, so that ids may hold slashes (`%2F`).

    A literal segment goes before a parameter, where it has the method asked for.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._root = _Node()
        for route in self.routes:
            node = self._root
            for part in route.path.split("/")[1:]:
                node = _child(node, part)
            if route.method in node.routes:
                raise ValueError(f"two routes answer {route.method} {route.path}")
            node.routes[route.method] = route
            node.names[route.method] = route.path_parameters

    def find(self, method: str, raw_path: bytes) -> tuple[Route, dict[str, str]]:
        """Return the route and its decoded parameters; raise `HttpError` (404, 405, 400)."""
        parts = raw_path.split(b"/")[1:]
        wanted = "GET" if method == "HEAD" else method
        found = _find(self._root, parts, 0, wanted) or _find(self._root, parts, 0, None)
        if found is None:
            shown = raw_path[:200].decode("ascii", "replace")
            raise HttpError(404, f"there is nothing at {shown}; /docs lists what there is")
        node, values = found
        route = node.routes.get(wanted)
        if route is None:
            allowed = ", ".join(sorted(node.routes))
            legacy = all(route.legacy for route in node.routes.values())
            detail = f"{method[:20]} is not possible here; {allowed} is"
            raise HttpError(405, detail, allow=allowed, legacy=legacy)
        return route, dict(zip(node.names[route.method], map(_decoded, values), strict=True))


def _child(node: _Node, part: str) -> _Node:
    if not part.startswith("{"):
        return node.literal.setdefault(part.encode(), _Node())
    if node.parameter is None:
        node.parameter = _Node()
    return node.parameter


def _find(node: _Node, parts: list[bytes], at: int, method: str | None) -> tuple[_Node, list[bytes]] | None:
    """Return the node of an address that has `method`, or for None any, and its parameters."""
    if at == len(parts):
        return (node, []) if (node.routes if method is None else method in node.routes) else None
    literal = node.literal.get(parts[at])
    if literal is not None:
        found = _find(literal, parts, at + 1, method)
        if found is not None:
            return found
    if node.parameter is None or not parts[at]:
        return None
    found = _find(node.parameter, parts, at + 1, method)
    return None if found is None else (found[0], [parts[at], *found[1]])


def _decoded(part: bytes) -> str:
    if b"%" not in part and part.isascii():
        return part.decode("ascii")
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError as error:
        raise HttpError(400, "an id in the address is not UTF-8; percent-encode its UTF-8 bytes") from error
