"""A worker on a stream, in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from foretaste.app.home import Home
from foretaste.app.worker import Worker
from foretaste.app.worker_wiring import Streams, open_worker

_PATIENCE = 60.0


@contextmanager
def working(home: Home, streams: Streams | None = None) -> Iterator[Worker]:
    """Run a worker on `streams`, or on those of the home's settings; end it with the block."""
    with open_worker(home, streams) as worker:
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield worker
        finally:
            worker.stop.set()
            thread.join(_PATIENCE)
            assert not thread.is_alive()
