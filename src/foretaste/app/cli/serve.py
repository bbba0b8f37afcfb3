"""`foretaste serve`: the HTTP service."""

import errno
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec

from foretaste.adapters.prometheus.telemetry import PrometheusTelemetry
from foretaste.app.cli.console import Screen, log_line
from foretaste.app.compiling import compiling_beside
from foretaste.app.home import Home
from foretaste.app.http.accepting import AcceptingServer
from foretaste.app.http.application import create_app
from foretaste.app.http.json_log import JsonLines
from foretaste.app.http.server import admission_of, server_config, settle_memory, settle_threads
from foretaste.app.processes.supervisor import Plan
from foretaste.app.retraining.retraining import Retraining
from foretaste.app.settings import Settings
from foretaste.app.settings_loading import load_settings, unbuilt_variables
from foretaste.app.warming import warm
from foretaste.app.wiring import open_home
from foretaste.app.worker_wiring import streams_beside
from foretaste.domain.errors import CorruptDataError, UnavailableError

BACKLOG = 2048


def run(
    *,
    home: Path,
    host: str | None,
    port: int | None,
    workers: int | None,
    worker: bool | None,
    as_json: bool,
) -> None:
    """Answer until interrupted, in as many processes as `workers` says.

    `worker` is whether a worker for Kafka runs beside, None for where it must.
    """
    screen = Screen(as_json=as_json)
    settings = load_settings(home)
    heed(settings, screen)
    address = host or settings.host, settings.port if port is None else port
    if (workers or settings.workers) > 1:
        listener = bind(*address)
        plan = Plan(
            home=str(home),
            listener=listener.fileno(),
            workers=workers or settings.workers,
            address=address_of(listener),
            shared=bool(settings.database_url),
            worker=worker,
            as_json=as_json,
        )
        _become_supervisor(plan, listener)
    with (
        bind(*address) as listener,
        open_home(
            home, settings=settings, create=True, with_model=False, telemetry=PrometheusTelemetry()
        ) as opened,
        streams_beside(opened, worker=worker),
    ):
        take_model(opened, screen)
        announce(screen, listener)
        serve_until_stopped(opened, listener)


def heed(settings: Settings, screen: Screen) -> None:
    """Log as much as the settings say, and say of what is set and has no effect that it has none."""
    if settings.log_format == "json":
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.basicConfig(handlers=[handler])
    if settings.debug:
        logging.basicConfig()
        logging.getLogger("foretaste").setLevel(logging.DEBUG)
    for words in unbuilt_variables():
        screen.say(words)


def take_model(home: Home, screen: Screen) -> None:
    """Let the champion serve; without one, or with a damaged one, say so and go on without."""
    try:
        home.refresh()
    except CorruptDataError as error:
        screen.say(f"{error.message}. Until then, answers come without a trained model")
        return
    if home.artifact is None:
        screen.say("no model is trained yet, so everyone gets what is trending: foretaste train")


def _become_supervisor(plan: Plan, listener: socket.socket) -> NoReturn:
    """Let this process start those that serve: it needs nothing of what it has loaded."""
    listener.set_inheritable(True)
    written = msgspec.json.encode(plan).decode()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "foretaste.app.processes", written])  # noqa: S606 # this very package


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens: who connects now is answered once the service runs.

    Raises `UnavailableError` where the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def _cannot_listen(host: str, port: int, error: OSError | OverflowError) -> UnavailableError:
    words = f"cannot listen on {host}:{port} ({error})"
    if isinstance(error, socket.gaierror) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
        return UnavailableError(
            f"{words}; choose an address of this machine with --host, 0.0.0.0 means all", field="host"
        )
    return UnavailableError(f"{words}; choose another with --port, 0 takes a free one", field="port")


def address_of(listener: socket.socket) -> str:
    """Return the address of a listening socket for a browser."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 # compared, not bound
    return f"http://{shown}:{port}"


def announce(screen: Screen, listener: socket.socket) -> None:
    """Say where the service answers."""
    address = address_of(listener)
    if screen.as_json:
        log_line(step="serving", address=address)
    else:
        screen.say(f"serving on {address} (storefront at /, interface at /docs); Ctrl-C stops it")


def serve_until_stopped(home: Home, listener: socket.socket) -> None:
    """Run the HTTP service on `listener` until SIGINT, SIGTERM or SIGHUP; new champions are taken meanwhile.

    Returns after a signal, so that the caller closes the home: uvicorn raises the signal again once it
    has stopped, which would end the process otherwise.
    """
    with compiling_beside():
        warm(home)
    home.follow()
    settle_memory()
    settle_threads()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt), Retraining(home) as retraining:
            retraining.follow()
            admission = admission_of(home)
            app = create_app(home, retraining=retraining, admission=admission)
            config = server_config(app, admission, most_connections=home.settings.connections)
            AcceptingServer(config).run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)
