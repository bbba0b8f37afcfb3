"""What every handler works on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from foretaste.app.home import Home
from foretaste.app.http.asgi.exchange import TIME_LEFT, Request
from foretaste.app.retraining.retraining import Retraining
from foretaste.domain.clock import Clock, system_clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """A home, what trains beside it, and the clock of every request in microseconds UTC."""

    home: Home
    retraining: Retraining
    clock: Clock = system_clock
    answer_seconds: float = 0.0
    """How long an answer may be worked on where the client does not say; 0: as long as it takes."""

    def seconds_for(self, request: Request) -> float | None:
        """Return how long the answer to a request may be worked on, None for as long as it takes."""
        left: float | None = request.scope.get(TIME_LEFT)
        return left if left is not None else self.answer_seconds or None

    async def answered(self, call: Callable[[], T]) -> T:
        """Return what `call` gives: in a thread where an answer may wait for other servers."""
        return await asyncio.to_thread(call) if self.home.waits else call()
