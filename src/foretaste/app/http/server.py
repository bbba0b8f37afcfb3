"""The HTTP server: uvicorn with httptools, bounds on connections and on how much is under way."""

import gc
import sys
from collections.abc import Callable
from functools import partial

import uvicorn

from foretaste.app.home import Home
from foretaste.app.http.admitting import AdmittingProtocol
from foretaste.app.http.asgi.cross_origin import Asgi
from foretaste.app.http.bounded import BoundedProtocol
from foretaste.domain.freed_memory import COMPILER, give_back_code, give_back_freed
from foretaste.serving.admission import Admission, AdmissionLimits

MOST_CONNECTIONS = 4096
SHUTDOWN_SECONDS = 10
KEEP_ALIVE_SECONDS = 75
SWITCH_SECONDS = 0.00005
COLLECT_AFTER = (50_000, 20, 100)
"""New objects until the young ones are looked through, and how many times the middle, the old ones less."""


def settle_memory() -> None:
    """Take what lives as long as the process out of garbage collection, and collect the rest more rarely.

    Requests leave no cycles behind, so that collecting after every 700 new objects, over all that was
    loaded at the start, finds nothing; measured on MovieLens-100K, it takes an eighth of an answer's CPU.
    What loading took for a moment goes back to the system.
    """
    gc.collect()
    give_back_freed()
    give_back_code(COMPILER)
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def settle_threads() -> None:
    """Let threads that compute hand over after 50 microseconds instead of five milliseconds.

    An event's way to the disk lets go of Python's lock at every statement and waits to have it back while
    answers are computed, and answers wait for events alike. Whoever waits asks for the lock only after it was
    not let go of for so long; each time it is, they are woken, and mostly find it taken again. Answers let go
    of it every tenth of a millisecond or so: with a longer patience, waiting would cost more than the work.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def admission_of(home: Home) -> Admission:
    """Return what lets requests to the service of `home` in."""
    given = home.settings
    limits = AdmissionLimits(most=given.requests_at_once, wait_seconds=given.wait_seconds)
    return Admission(limits, home.telemetry)


def server_config(
    app: Asgi, admission: Admission | None = None, *, most_connections: int = MOST_CONNECTIONS
) -> uvicorn.Config:
    """Return how the service is run: one process, no access log, no server header.

    Without `admission` everything is let in.
    """
    protocol: Callable[..., BoundedProtocol] = BoundedProtocol
    if admission is not None:
        protocol = partial(AdmittingProtocol, admission=admission, most_connections=most_connections)
    return uvicorn.Config(
        app,
        http=protocol,  # type: ignore[arg-type]  # whatever makes a protocol will do
        ws="none",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
