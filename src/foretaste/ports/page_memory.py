"""Page memory: what the boxes of one page have shown, so that the next one shows something else."""

from collections.abc import Sequence
from typing import Protocol


class PageMemory(Protocol):
    """Item ids by page; a page is whatever name a client gave it.

    Promises (`foretaste.testing.contracts.page_memory`):

    - **No box unseen.** `add` takes what a box shows only if the page holds as many items as the box was
      told of. So of boxes that are answered at once each knows all that were before it.
    - **Bounded.** A page ends at most the TTL after the last that was added to it. It holds so many items and
      no more: what is beyond is not remembered. Memory as a whole is bounded, the oldest pages go first.

    Both raise `UnavailableError` where the memory does not answer in time.
    """

    def shown(self, page_id: str) -> tuple[str, ...]:
        """Return what the page has shown, in order."""
        ...

    def add(self, page_id: str, item_ids: Sequence[str], after: int) -> bool:
        """Take in what a box shows, unless the page does not hold `after` items any more; return whether."""
        ...

    def close(self) -> None:
        """Release everything. Closing twice is fine."""
        ...
