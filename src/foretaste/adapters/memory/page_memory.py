"""What pages have shown, in memory; the page that was added to longest ago is given up first."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from time import monotonic

PAGE_SECONDS = 1800.0
MOST_PAGES, MOST_ITEMS = 10_000, 1000


class MemoryPageMemory:
    """`PageMemory` that ends with the process; `clock` reads seconds."""

    def __init__(
        self,
        *,
        ttl_seconds: float = PAGE_SECONDS,
        most_pages: int = MOST_PAGES,
        most_items: int = MOST_ITEMS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._ttl = ttl_seconds
        self._most_pages = most_pages
        self._most_items = most_items
        self._clock = clock
        self._lock = Lock()
        self._pages: OrderedDict[str, tuple[float, tuple[str, ...]]] = OrderedDict()

    def shown(self, page_id: str) -> tuple[str, ...]:
        """Return what the page has shown, in order."""
        with self._lock:
            return self._held(page_id)

    def add(self, page_id: str, item_ids: Sequence[str], after: int) -> bool:
        """Take in what a box shows, unless the page does not hold `after` items any more."""
        with self._lock:
            held = self._held(page_id)
            if len(held) != after:
                return False
            kept = (*held, *item_ids)[: self._most_items]
            self._pages[page_id] = (self._clock() + self._ttl, kept)
            self._pages.move_to_end(page_id)
            if len(self._pages) > self._most_pages:
                self._pages.popitem(last=False)
            return True

    def close(self) -> None:
        """Nothing is held but memory."""

    def _held(self, page_id: str) -> tuple[str, ...]:
        until, held = self._pages.get(page_id, (0.0, ()))
        if held and self._clock() >= until:
            del self._pages[page_id]
            return ()
        return held
