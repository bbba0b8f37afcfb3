"""The answer cache: finished answers, kept for those who ask the same again while nothing has changed."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: an answer (`hit`), nothing (`absent`), or answers of another stamp (`stale`)."""

    answer: bytes | None
    outcome: Literal["hit", "absent", "stale"]


class AnswerCache(Protocol):
    """Answers by person; `user_id` is None for those that are nobody's.

    `stamp` names the state of everything that an answer depends on beside the question, `request` the
    question; both are short digests (see `serving.answer_cache`).

    Promises (`foretaste.testing.contracts.answer_cache`):

    - **Never old.** `get` gives only what was put under the very stamp and request. A person has answers of
      one stamp at a time: putting one of another stamp removes them all.
    - **Bounded.** Answers end at most the TTL after a person's first one of a stamp; a person has a bounded
      number of them, an answer that is too large is not kept, and memory as a whole is bounded.
    - **One person, one entry.** `forget` removes all that is kept for a person.

    All raise `UnavailableError` where the cache does not answer in time.
    """

    def get(self, user_id: str | None, stamp: bytes, request: bytes) -> Lookup:
        """Return what is kept for a request under a stamp."""
        ...

    def put(self, user_id: str | None, stamp: bytes, request: bytes, answer: bytes) -> bool:
        """Keep an answer; return whether it is kept."""
        ...

    def forget(self, user_ids: Sequence[str]) -> int:
        """Remove everything of people; return how many had any."""
        ...

    def close(self) -> None:
        """Release everything. Closing twice is fine."""
        ...
