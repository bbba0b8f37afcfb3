"""Operations declared where they are written: a handler, its route and, as its docstring, what it is for."""

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import cleandoc
from typing import Any, Generic, TypeAlias, TypeVar

from foretaste.app.http.asgi.exchange import Request, Response
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.asgi.routing import Route

Context = TypeVar("Context")
Answer: TypeAlias = Response | Awaitable[Response]
H = TypeVar("H", bound=Callable[..., Answer])


class Operations(Generic[Context]):
    """Collects operations of one tag; `bind` gives their routes once there is what they work on."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._declared: list[tuple[Callable[..., Route], Callable[[Context, Request], Answer]]] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters[Any] | None = None,
        body: Any = None,
        answer: Any = None,
        status: int = 200,
        refusals: tuple[int, ...] = (),
        media: str = "application/json",
        legacy: bool = False,
    ) -> Callable[[H], H]:
        """Declare the decorated handler; the arguments are those of `Route`, its docstring says the rest."""

        def declare(handler: H) -> H:
            summary, _, description = cleandoc(handler.__doc__ or "").partition("\n")
            route = partial(
                Route,
                method=method,
                path=path,
                summary=summary.rstrip("."),
                description=" ".join(description.split()),
                tag=self._tag,
                parameters=parameters,
                body=body,
                answer=answer,
                status=status,
                refusals=refusals,
                media=media,
                legacy=legacy,
            )
            self._declared.append((route, handler))
            return handler

        return declare

    def bind(self, context: Context) -> list[Route]:
        """Return the routes, their handlers working on `context`."""
        return [route(handler=partial(handler, context)) for route, handler in self._declared]
