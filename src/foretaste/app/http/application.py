"""The HTTP service over a home."""

from collections.abc import Callable, Sequence
from typing import Any

from foretaste import __version__
from foretaste.app.home import Home
from foretaste.app.http.asgi.application import Application
from foretaste.app.http.asgi.cross_origin import Asgi, CrossOrigin
from foretaste.app.http.asgi.examples import read_examples
from foretaste.app.http.asgi.exchange import BodyLimits, Request, Response, json_response
from foretaste.app.http.asgi.openapi import document
from foretaste.app.http.asgi.routing import Route
from foretaste.app.http.json_log import RequestLog
from foretaste.app.http.pages import page_routes
from foretaste.app.http.routes import (
    aliases,
    browse,
    content_aliases,
    events,
    health,
    items,
    jobs,
    models,
    personalize,
    recommend,
    recommend_many,
    recommendations,
    scenarios,
    users,
)
from foretaste.app.http.service import Service
from foretaste.app.retraining.retraining import Retraining
from foretaste.domain.clock import Clock, system_clock
from foretaste.serving.admission import Admission

TITLE = "Foretaste"
ABOUT = "Real-time recommendations that learn from the very last click, and say why."
MODULES = (
    recommend,
    recommend_many,
    recommendations,
    personalize,
    scenarios,
    events,
    items,
    users,
    models,
    jobs,
    browse,
    health,
    aliases,
    content_aliases,
)


def create_app(
    home: Home,
    *,
    clock: Clock = system_clock,
    answer_seconds: float | None = None,
    limits: BodyLimits | None = None,
    retraining: Retraining | None = None,
    admission: Admission | None = None,
    adapted: Callable[[Route], Route] = lambda route: route,
) -> Asgi:
    """Return the ASGI application that serves `home`; opening and closing the home is the caller's.

    `clock` gives the time of every request in microseconds UTC. `answer_seconds` is the setting of that name,
    by default as the home has it. `limits` bound bodies; by default as the
    home's settings say. `retraining` trains; by default in processes that end with this one. `admission`
    is told how long requests waited; where it is given, clients are answered, and their requests logged as
    the settings say. `adapted` returns the route to take in place of one, for a process that does not answer
    everything itself.
    """
    routes = api_routes(home, clock, retraining, answer_seconds)
    described = json_response(openapi_document(routes))

    def openapi(_: Request) -> Response:
        return described

    own = Route(method="GET", path="/openapi.json", handler=openapi, hidden=True)
    origins = home.settings.allowed_origins
    app = Application(
        [adapted(route) for route in (*routes, own, *page_routes())],
        limits or BodyLimits(size=home.settings.body_limit_bytes),
        waits=home.waits,
        origins=origins,
        admission=admission,
    )
    answering: Asgi = CrossOrigin(app, origins) if origins else app
    if admission is None or home.settings.log_format != "json":
        return answering
    return RequestLog(answering, personal=home.settings.log_personal)


def api_routes(
    home: Home,
    clock: Clock = system_clock,
    retraining: Retraining | None = None,
    answer_seconds: float | None = None,
) -> list[Route]:
    """Return the routes of the interface, without pages; see `create_app`."""
    allowed = home.settings.answer_seconds if answer_seconds is None else answer_seconds
    service = Service(home, retraining or Retraining(home, clock=clock), clock, allowed)
    return [route for module in MODULES for route in module.operations.bind(service)]


def openapi_document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the OpenAPI document of the interface."""
    return document(routes, title=TITLE, version=__version__, about=ABOUT, examples=read_examples())
