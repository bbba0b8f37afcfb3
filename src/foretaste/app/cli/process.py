"""The processes of `foretaste serve --workers N`: keeper, readers, replicas."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

import uvloop

from foretaste.adapters.prometheus.telemetry import PrometheusTelemetry
from foretaste.app.cli.console import Screen
from foretaste.app.cli.serve import take_model
from foretaste.app.home import Home
from foretaste.app.http.application import create_app
from foretaste.app.http.asgi.cross_origin import Asgi
from foretaste.app.http.asgi.exchange import Message, Receive, Scope, Send
from foretaste.app.http.asgi.routing import Route
from foretaste.app.http.routes.health import exposition_of
from foretaste.app.http.server import admission_of, server_config, settle_memory, settle_threads
from foretaste.app.processes.accepting import SharingServer
from foretaste.app.processes.application import reader_routes, replica_routes
from foretaste.app.processes.link import Call, Line, Listening, Reply, asgi_answer
from foretaste.app.processes.measures import METRICS_PATH, PROCESS, Gathering
from foretaste.app.processes.order import Order, Role
from foretaste.app.processes.page import SharedPage
from foretaste.app.processes.wiring import Meeting, open_keeper, open_reader
from foretaste.app.retraining.retraining import Retraining
from foretaste.app.settings_loading import load_settings
from foretaste.app.warming import warm
from foretaste.app.wiring import open_home
from foretaste.app.worker_wiring import streams_beside
from foretaste.domain.clock import system_clock

ANSWER_SECONDS = 10.0
"""How long the keeper may take to answer what it took, when the service ends."""


def run(*, order: Order, as_json: bool) -> None:
    """Be the process that `order` says, until SIGTERM or until who started it is no more."""
    screen = Screen(as_json=as_json)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    Thread(target=_end_with, args=(order.lifeline,), daemon=True).start()
    page, meeting = SharedPage(Path(order.folder) / "page"), Meeting(Path(order.folder))
    with suppress(KeyboardInterrupt):
        ROLES[order.role](order, page, meeting, screen)


def _keep(order: Order, page: SharedPage, meeting: Meeting, screen: Screen) -> None:
    settings, telemetry = load_settings(order.directory), PrometheusTelemetry()
    with (
        open_keeper(order.directory, settings, telemetry, page, meeting) as home,
        streams_beside(home, worker=order.worker),
        Retraining(home) as retraining,
    ):
        take_model(home, screen)
        warm(home)
        home.follow()
        retraining.follow()
        settle_memory()
        settle_threads()
        gathering = Gathering(meeting.folder, order.name, lambda: exposition_of(home, system_clock()))
        answer = asgi_answer(create_app(home, retraining=retraining))

        async def answered(call: Call) -> Reply:
            if call.path == METRICS_PATH:
                return gathering.told(call)
            reply = await answer(call)
            home.publish_changes()
            return reply

        uvloop.run(_listen(Listening(order.socket, answered), page))


async def _listen(listening: Listening, page: SharedPage) -> None:
    """Take calls until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await listening.open()
    page.keeper = os.getpid()
    await ended.wait()
    page.keeper = 0
    await listening.close(ANSWER_SECONDS)


def _read(order: Order, page: SharedPage, meeting: Meeting, screen: Screen) -> None:
    del screen
    settings, telemetry = load_settings(order.directory), PrometheusTelemetry()
    with open_reader(order.directory, settings, telemetry, page, meeting, order.slot) as home:
        home.take_place()
        keeper = Line(meeting.keeper, "the keeper, which takes all that is written,")
        home.condition.watch(keeper.complaint)
        gathering = Gathering(meeting.folder, order.name, lambda: exposition_of(home, system_clock()))
        adapted = reader_routes(home, keeper, gathering)
        _serve(home, Answering(order, page, gathering, adapted, (keeper,)))


def _replicate(order: Order, page: SharedPage, meeting: Meeting, screen: Screen) -> None:
    settings, telemetry = load_settings(order.directory), PrometheusTelemetry()
    beside = order.slot > 0
    with (
        open_home(
            order.directory,
            settings=settings,
            create=True,
            beside=beside,
            with_model=False,
            telemetry=telemetry,
        ) as home,
        streams_beside(home, worker=order.worker),
        Retraining(home) as retraining,
    ):
        take_model(home, screen)
        if not beside:
            retraining.follow()
        gathering = Gathering(meeting.folder, order.name, lambda: exposition_of(home, system_clock()))
        _serve(home, Answering(order, page, gathering, replica_routes(gathering)), retraining)


@dataclass(frozen=True, slots=True)
class Answering:
    """How a process answers at the shared address, and tells its measures to the others meanwhile.

    `lines` lead to other processes, and end with it.
    """

    order: Order
    page: SharedPage
    gathering: Gathering
    adapted: Callable[[Route], Route]
    lines: tuple[Line, ...] = ()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take requests as long as this is open."""

        async def told(call: Call) -> Reply:
            return self.gathering.told(call)

        listening = Listening(self.order.socket, told)
        await listening.open()
        self.page.answer(self.order.slot)
        try:
            yield
        finally:
            self.gathering.tell()
            await listening.close(0.0)
            await self.gathering.close()
            for line in self.lines:
                await line.close()


def _serve(home: Home, answering: Answering, retraining: Retraining | None = None) -> None:
    """Answer at the shared address until SIGTERM."""
    order = answering.order
    warm(home)
    home.follow()
    settle_memory()
    settle_threads()
    admission = admission_of(home)
    app = create_app(home, retraining=retraining, admission=admission, adapted=answering.adapted)
    config = server_config(
        while_open(app, answering.open), admission, most_connections=home.settings.connections
    )
    config.headers.append((PROCESS.decode(), answering.gathering.process))
    page = answering.page
    server = SharingServer(config, partial(page.answer, order.slot), page.fewest_connections)
    server.run(sockets=[socket.socket(fileno=order.listener)])


def while_open(app: Asgi, opened: Callable[[], AbstractAsyncContextManager[None]]) -> Asgi:
    """Return `app` with `opened` around it: closed before the server is told that `app` has ended."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(opened())

            async def closed_first(message: Message) -> None:
                if message["type"].startswith("lifespan.shutdown"):
                    await stack.aclose()
                await send(message)

            await app(scope, receive, closed_first)

    return served


def _end_with(lifeline: int) -> None:
    """End this process when the one that started it is no more."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


ROLES: dict[Role, Callable[[Order, SharedPage, Meeting, Screen], None]] = {
    "keeper": _keep,
    "reader": _read,
    "replica": _replicate,
}
