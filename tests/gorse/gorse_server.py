"""A server that answers as Gorse's REST API does: pages with a cursor, a key in `X-API-Key`."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEYS = {"users": "Users", "items": "Items", "feedback": "Feedback"}
PAGE = 2


@contextmanager
def gorse(records, api_key="", failures=()):
    """Serve `records` by kind, two to a page whatever is asked for; answer `failures` first."""
    waiting = list(failures)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            address = urlsplit(self.path)
            kind = address.path.removeprefix("/api/")
            cursor = int(parse_qs(address.query).get("cursor", ["0"])[0] or 0)
            if waiting:
                self.answer(waiting.pop(0), {})
            elif self.headers["X-API-Key"] != api_key:
                self.answer(401, "unauthorized")
            elif kind not in KEYS:
                self.answer(404, "not found")
            else:
                found = records.get(kind, [])
                more = str(cursor + PAGE) if cursor + PAGE < len(found) else ""
                self.answer(200, {"Cursor": more, KEYS[kind]: found[cursor : cursor + PAGE] or None})

        def answer(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
