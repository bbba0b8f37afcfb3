"""`/health` and `/metrics`."""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste import __version__
from foretaste.app.condition import MOST_LAG_SECONDS
from foretaste.app.home import Home
from foretaste.app.http.answers import Alive, Health
from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.asgi.parameters import Parameters
from foretaste.app.http.routes.models import serving_version
from foretaste.app.http.service import Service
from foretaste.app.http.shop_metrics import SHOP, shop_metrics
from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.errors import InvalidQueryError, UnavailableError
from foretaste.serving.answerer import STALE

operations: Operations[Service] = Operations("Operation")
ACTIVE_MICROS = 3_600 * MICROS_PER_SECOND
"""Who did something in the last hour is active."""


class MetricsParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Which measures."""

    profile: Annotated[
        str, Meta(description="`shop`: those of the shop tutorial alone, summed up over their labels.")
    ] = ""


METRICS = Parameters(MetricsParameters)
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
    shares with others is away, because it answers from what it knows: `status` begins with `stale` where the
    log is out of sight, and `wrong` names each server, that of the answer cache too. Without a trained model
    it is ready: it answers what is trending.
    """
    return json_response(await asyncio.to_thread(health_of, service.home))


@operations.route("GET", "/health", answer=Health, refusals=(503,))
async def health(service: Service, request: Request) -> Response:
    """Say how the service is; the same as `/health/ready`."""
    return await ready(service, request)


@operations.route("GET", "/metrics", parameters=METRICS, media="text/plain", refusals=(400,))
def metrics(service: Service, request: Request) -> Response:
    """Give all measures in Prometheus text format."""
    profile = METRICS.read(request.query).profile
    if profile not in {"", SHOP}:
        raise InvalidQueryError(f"profile must be {SHOP}, or left out for all measures", field="profile")
    return measures_response(exposition_of(service.home, service.clock()), profile)


def measures_response(exposition: bytes, profile: str) -> Response:
    """Return measures as they are answered."""
    shown = shop_metrics(exposition) if profile == SHOP else exposition
    return Response(shown, headers=((b"content-type", METRICS_TYPE),))


def exposition_of(home: Home, now: int) -> bytes:
    """Return all measures of this process at a moment (microseconds UTC), in Prometheus text format."""
    home.measure()
    home.telemetry.gauge("personalization_active_users", home.state.active_since(now - ACTIVE_MICROS))
    return home.telemetry.exposition()


def health_of(home: Home) -> Health:
    """Return the state of health; raise `UnavailableError` if the service cannot answer as it should."""
    behind = home.log.last_seq() - home.state.seq
    if behind > 0:
        raise UnavailableError(f"the state is {behind} events behind the log", retry_after=1.0)
    lag, wrong, most = home.lag_seconds(), _wrong(home), home.settings.ready_lag_seconds
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
        environment=home.settings.environment,
    )


def _wrong(home: Home) -> tuple[str, ...]:
    """Return what is wrong with the parts of a home, and with its answer cache, without which it answers."""
    cache = home.answerer.cache
    away = None if cache is None else cache.complaint()
    return (*home.condition.wrong(), *([away] if away else []))
