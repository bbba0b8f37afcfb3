"""`/health` and `/metrics`."""

import asyncio

from foretaste import __version__
from foretaste.app.condition import MOST_LAG_SECONDS
from foretaste.app.home import Home
from foretaste.app.http.answers import Alive, Health
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.routes.models import serving_version
from foretaste.app.http.service import Service
from foretaste.domain.errors import UnavailableError
from foretaste.serving.answerer import STALE

operations: Operations[Service] = Operations("Operation")
METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


@operations.route("GET", "/health/live", answer=Alive)
def live(_: Service, __: Request) -> Response:
    """Say that the process answers."""
    return json_response(Alive())


@operations.route("GET", "/health/ready", answer=Health, refusals=(503,))
async def ready(service: Service, _: Request) -> Response:
    """Say whether the service answers as it should.

    503 while the state is behind the log that this process has, and where the setting `ready_lag_seconds`
    says for how long a shared log may be out of sight. Without that it stays ready while a server that it
    shares with others is away, because it answers from what it knows: `status` then begins with `stale`, and
    `wrong` names each server. Without a trained model it is ready: it answers what is trending.
    """
    return json_response(await asyncio.to_thread(health_of, service.home))


@operations.route("GET", "/health", answer=Health, refusals=(503,))
async def health(service: Service, request: Request) -> Response:
    """Say how the service is; the same as `/health/ready`."""
    return await ready(service, request)


@operations.route("GET", "/metrics", media="text/plain")
def metrics(service: Service, _: Request) -> Response:
    """Give all measures in Prometheus text format."""
    service.home.measure()
    return Response(service.home.telemetry.exposition(), headers=((b"content-type", METRICS_TYPE),))


def health_of(home: Home) -> Health:
    """Return the state of health; raise `UnavailableError` if the service cannot answer as it should."""
    behind = home.log.last_seq() - home.state.seq
    if behind > 0:
        raise UnavailableError(f"the state is {behind} events behind the log", retry_after=1.0)
    lag, wrong, most = home.lag_seconds(), home.condition.wrong(), home.settings.ready_lag_seconds
    if most is not None and lag > most:
        raise UnavailableError("; ".join(wrong) or f"the log was last seen {lag:.0f} s ago", retry_after=1.0)
    return Health(
        status="ready" if lag <= MOST_LAG_SECONDS else f"{STALE}: the log was last seen {lag:.0f} s ago",
        version=__version__,
        model=serving_version(home),
        events=home.state.seq,
        users=home.state.n_users,
        items=max(home.catalog_columns.n_items, home.state.items.n_items),
        catalog_version=home.catalog_columns.version,
        exposures_dropped=home.exposures.dropped(),
        lag_seconds=round(lag, 3),
        wrong=wrong,
    )
