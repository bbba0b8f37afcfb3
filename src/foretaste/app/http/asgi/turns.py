"""Whose turn it is: few requests begin at a time, and what comes in meanwhile is read in between."""

import asyncio
from collections import deque

from foretaste.serving.admission import Priority

A_ROUND = {Priority.EVENTS: 8, Priority.ANSWERS: 1, Priority.ADMIN: 1}
"""How many of each kind begin in one round of the event loop, in this order; health never waits."""


class Turns:
    """Lets few requests begin in each round of the event loop, events before answers, administrators last.

    Answers are computed where they are asked for, so that a round in which a hundred begin takes a hundred
    times as long as an answer. What arrives meanwhile lies in the operating system, where nobody knows how
    long it waits, and where it can neither be refused nor go first.
    """

    def __init__(self) -> None:
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {kind: deque() for kind in A_ROUND}
        self._is_taken = False
        """Whether somebody began in this round."""

    async def take(self, priority: Priority) -> None:
        """Return when it is the turn of a request of this kind."""
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
        self._is_taken = False
        for kind, waiting in self._waiting.items():
            left = A_ROUND[kind]
            while waiting and left:
                turn = waiting.popleft()
                if not turn.done():  # whom nobody waits for any more is cancelled
                    turn.set_result(None)
                    left -= 1
                    self._is_taken = True
        if self._is_taken:
            loop.call_soon(self._next_round, loop)
