"""An application behind its real HTTP server, in a thread of this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from foretaste.app.home import Home
from foretaste.app.http.application import create_app
from foretaste.app.http.asgi.cross_origin import Asgi
from foretaste.app.http.asgi.exchange import Receive, Scope, Send
from foretaste.app.http.server import admission_of, server_config
from foretaste.serving.admission import Admission

_PATIENCE = 20.0


async def silent(_scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing but start and end: an application for those who look at connections alone."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


@contextmanager
def served(app: Asgi, admission: Admission | None = None, **more: int) -> Iterator[str]:
    """Serve an ASGI application on a free port of this machine; yield its address.

    `admission` and `more` are those of `server_config`.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(server_config(app, admission, **more))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_PATIENCE)


@contextmanager
def served_home(home: Home) -> Iterator[str]:
    """Serve a home on a free port of this machine; yield its address.

    Answers take as long as they take, so that a slow machine leaves nothing out.
    """
    admission = admission_of(home)
    app = create_app(home, answer_seconds=0.0, admission=admission)
    with served(app, admission, most_connections=home.settings.connections) as address:
        yield address
