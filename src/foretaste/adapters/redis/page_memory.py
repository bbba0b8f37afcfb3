"""What pages have shown, in Redis or Valkey: one list for each page, for all replicas."""

from collections.abc import Sequence
from importlib.resources import files

from foretaste.adapters.redis.connection import TIMEOUT_SECONDS, Connections, refusal
from foretaste.adapters.redis.line import Script
from foretaste.domain.errors import UnavailableError
from foretaste.ports.telemetry import Telemetry

PAGE_SECONDS = 1800.0
MOST_ITEMS = 1000


class RedisPageMemory:
    """`PageMemory` under the keys `ft:<namespace>:page:<page_id>`.

    A page ends `ttl_seconds` after the last that was added. How much all of them take is bounded by the
    server's `maxmemory` with an eviction policy.
    """

    def __init__(
        self,
        url: str,
        telemetry: Telemetry,
        *,
        namespace: str = "default",
        ttl_seconds: float = PAGE_SECONDS,
        most_items: int = MOST_ITEMS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._connections = Connections(url, telemetry, timeout_seconds=timeout_seconds)
        self._prefix = f"ft:{namespace}:page:"
        self._ttl = max(1, round(1000 * ttl_seconds))
        self._most_items = most_items
        self._add = Script(files(__package__).joinpath("add_to_page.lua").read_bytes())

    def shown(self, page_id: str) -> tuple[str, ...]:
        """Return what the page has shown, in order."""
        with self._connections.lent("page_shown") as line:
            replies = line.exchange((("LRANGE", self._prefix + page_id, 0, -1),))
        refused = refusal(replies)
        if refused is not None:
            raise UnavailableError(f"Redis refuses to read: {refused}", field="redis_url")
        return tuple([item_id.decode() for item_id in replies[0]])

    def add(self, page_id: str, item_ids: Sequence[str], after: int) -> bool:
        """Take in what a box shows, unless the page does not hold `after` items any more."""
        command = self._add.call(
            self._prefix + page_id, after, self._ttl, self._most_items, *(name.encode() for name in item_ids)
        )
        with self._connections.lent("page_add") as line:
            replies = line.run(self._add, (command,))
        refused = refusal(replies)
        if refused is not None:
            raise UnavailableError(f"Redis refuses to write: {refused}", field="redis_url")
        return bool(replies[0])

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()
