"""A home behind a real HTTP server, for tests of this folder."""

import socket
import threading
from contextlib import contextmanager

import uvicorn

from foretaste.app.http.application import create_app
from foretaste.app.http.server import server_config


@contextmanager
def service(home):
    """Serve a home on a free port of this machine, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(create_app(home)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
