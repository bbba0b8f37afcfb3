"""Reading the log while what was read before is folded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from foretaste.domain.event import EventColumns
from foretaste.ports.event_log import EventLog

CHUNK = 100_000


def read_ahead(log: EventLog, after: int, *, chunk: int = CHUNK) -> Iterator[EventColumns]:
    """Yield the events above number `after` in log order, up to the end that the log has by then.

    While one piece of `chunk` events is worked on, another thread reads the next one.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="foretaste-reader") as reader:
        reading = reader.submit(log.read, after, chunk)
        while len(events := reading.result()):
            reading = reader.submit(log.read, events.last_seq, chunk)
            yield events
