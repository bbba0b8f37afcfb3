"""`make stack`: PostgreSQL, Redis and Kafka on this machine without containers, until interrupted.

What they hold stays in the folder, so that the next start goes on with it.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from foretaste.testing.servers.kafka import own_broker
from foretaste.testing.servers.postgres import own_postgres_in
from foretaste.testing.servers.process import MissingServerError
from foretaste.testing.servers.redis import redis_server, redis_url

POSTGRES_PORT, REDIS_PORT, KAFKA_PORT = 55432, 56379, 59092


@contextmanager
def stack(
    folder: Path,
    *,
    postgres: int | None = POSTGRES_PORT,
    redis: int | None = REDIS_PORT,
    kafka: int | None = KAFKA_PORT,
) -> Iterator[dict[str, str]]:
    """Start the servers, with data in `folder`; give our variables with the URLs.

    The numbers are ports, None leaves a server out. Raises `MissingServerError` where this machine cannot
    run one.
    """
    with ExitStack() as running:
        urls = {}
        if postgres is not None:
            server = running.enter_context(own_postgres_in(folder / "postgres", port=postgres))
            urls["FORETASTE_DATABASE_URL"] = server.url
        if redis is not None:
            running.enter_context(redis_server("redis", folder / "redis", redis, appendonly=True))
            urls["FORETASTE_REDIS_URL"] = redis_url(redis)
        if kafka is not None:
            (folder / "kafka").mkdir(parents=True, exist_ok=True)
            broker = running.enter_context(own_broker(folder / "kafka", port=kafka))
            urls["FORETASTE_KAFKA_URL"] = broker.url
        yield urls


def main() -> None:
    """Run the stack and print the variables, to be pasted into a shell."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".stack").resolve()
    interrupted = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    try:
        with stack(folder) as urls:
            for name, url in urls.items():
                sys.stdout.write(f"export {name}={url}\n")
            sys.stdout.flush()
            sys.stderr.write(f"stack: running, with data in {folder}; Ctrl-C ends it\n")
            interrupted.wait()
    except MissingServerError as error:
        sys.exit(f"stack: {error.message}")


if __name__ == "__main__":
    main()
