"""Whose turn it is: requests begin one after the other, and what comes in meanwhile is read in between."""

import asyncio
from collections import deque

from foretaste.serving.admission import Priority


class Turns:
    """Lets one request begin in each round of the event loop, those of the most important kind first.

    Answers are computed where they are asked for, so that a round in which a hundred begin takes a hundred
    times as long as an answer. What arrives meanwhile lies in the operating system, where nobody knows how
    long it waits, and where it can neither be refused nor go first.
    """

    def __init__(self) -> None:
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {kind: deque() for kind in Priority}
        self._is_taken = False
        """Whether somebody began in this round."""

    async def take(self, priority: Priority) -> None:
        """Return when it is the turn of a request of this kind; health need not wait."""
        if priority is Priority.HEALTH:
            return
        loop = asyncio.get_running_loop()
        if not self._is_taken:
            self._is_taken = True
            loop.call_soon(self._next_round, loop)
            return
        turn = loop.create_future()
        self._waiting[priority].append(turn)
        await turn

    def _next_round(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._first()
        self._is_taken = turn is not None
        if turn is not None:
            turn.set_result(None)
            loop.call_soon(self._next_round, loop)

    def _first(self) -> asyncio.Future[None] | None:
        for waiting in self._waiting.values():
            while waiting:
                turn = waiting.popleft()
                if not turn.done():  # whom nobody waits for any more is cancelled
                    return turn
        return None
