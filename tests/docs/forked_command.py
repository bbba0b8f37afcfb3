"""The side of a command that the shell sees: it hands itself over to `forking_server` and ends as it ends.

Run by `python -IS`, next to the server's socket; imports little, because it starts for every command.
"""

import json
import os
import signal
import socket
import sys


def main() -> int:
    server = socket.socket(socket.AF_UNIX)
    server.connect(os.path.join(os.path.dirname(os.path.abspath(__file__)), "socket"))  # noqa: PTH100, PTH118, PTH120 # pathlib takes long to import
    folder = os.getcwd()  # noqa: PTH109
    asked = json.dumps({"argv": sys.argv[1:], "folder": folder, "environment": dict(os.environ)}).encode()
    socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(asked)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: server.send(bytes([number])))
    code = int.from_bytes(server.recv(2), "big", signed=True)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main())
