"""What every handler works on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from foretaste.app.home import Home
from foretaste.app.retraining.retraining import Retraining
from foretaste.domain.clock import Clock, system_clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """A home, what trains beside it, and the clock of every request in microseconds UTC."""

    home: Home
    retraining: Retraining
    clock: Clock = system_clock

    async def answered(self, call: Callable[[], T]) -> T:
        """Return what `call` gives: in a thread where an answer may wait for other servers."""
        return await asyncio.to_thread(call) if self.home.waits else call()
