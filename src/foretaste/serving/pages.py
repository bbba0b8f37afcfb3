"""Boxes of one page: each is answered knowing what those before it show."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from foretaste.ports.page_memory import PageMemory
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.breaker import Breaker, asked

MOST_TRIES = 32
"""So many boxes of one page may be answered at the very same time."""


B = TypeVar("B")
T = TypeVar("T")


class Pages:
    """Answers boxes by what `memory` says of their page; while it is away, by what `own` says.

    `memory` is what all processes share, `own` this process's. Errors break no answer: they are counted as
    `recommendation_page_errors_total`, and after several the breaker leaves `memory` alone. `clock` counts
    seconds as the breaker does.
    """

    def __init__(
        self,
        own: PageMemory,
        telemetry: Telemetry,
        *,
        breaker: Breaker,
        memory: PageMemory | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._memory = memory
        self._telemetry = telemetry
        self._breaker = breaker
        self._clock = clock

    def answered(
        self,
        page_id: str,
        answer: Callable[[tuple[str, ...]], B],
        items_of: Callable[[B], Sequence[str]],
        *,
        keep: bool,
    ) -> B:
        """Return what `answer` makes of the items that the page has shown.

        The ids that `items_of` says of it are remembered, if `keep`. Where another box came in between, it is
        answered again: so no two of them show the same.
        """
        shown, memory = self._shown(page_id)
        box = answer(shown)
        for _ in range(MOST_TRIES if keep else 0):
            if self._added(memory, page_id, items_of(box), len(shown)):
                break
            shown, memory = self._shown(page_id)
            box = answer(shown)
        return box

    def close(self) -> None:
        """Release the memories."""
        self._own.close()
        if self._memory is not None:
            self._memory.close()

    def _shown(self, page_id: str) -> tuple[tuple[str, ...], PageMemory]:
        if self._memory is not None:
            memory = self._memory
            found = self._asked(lambda: memory.shown(page_id))
            if found is not None:
                return found, memory
        return self._own.shown(page_id), self._own

    def _added(self, memory: PageMemory, page_id: str, item_ids: Sequence[str], after: int) -> bool:
        """Return whether a box may be shown; where the memory is gone since, nothing better can be known."""
        if memory is self._own:
            return memory.add(page_id, item_ids, after)
        return self._asked(lambda: memory.add(page_id, item_ids, after)) is not False

    def _asked(self, call: Callable[[], T]) -> T | None:
        return asked(
            self._breaker,
            call,
            clock=self._clock,
            failed=lambda _: self._telemetry.count("recommendation_page_errors_total"),
        )
