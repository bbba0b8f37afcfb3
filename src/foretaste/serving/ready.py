"""Scenarios made ready to be asked: once, when they are loaded."""

from collections.abc import Mapping
from dataclasses import dataclass

from foretaste.pipeline.scenario import Scenario, chain_of
from foretaste.serving.breaker import Breaker

_TOO_SLOW = 5
"""After so many answers in a row beyond its budget a scenario rests."""
_LEAST_REST, _LONGEST_REST = 1.0, 30.0
MILLISECONDS = 1000.0


class Pace:
    """Keeps a scenario to its budget: one that takes too long rests for seconds, and is then tried again."""

    def __init__(self, budget_ms: float) -> None:
        self._budget = budget_ms / MILLISECONDS
        self._breaker = Breaker(
            random=lambda: 1.0,  # nobody else comes back at that moment
            failures=_TOO_SLOW,
            first_seconds=_LEAST_REST,
            longest_seconds=_LONGEST_REST,
        )

    def begin(self, now: float) -> int | None:
        """Return what to hand to `end`, None while the scenario rests; `now` in seconds."""
        return self._breaker.begin(now)

    def end(self, ticket: int, began: float, now: float) -> None:
        """Take note of an answer that took from `began` to `now`."""
        self._breaker.end(ticket, now, ok=now - began <= self._budget)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A scenario as it is tried; without `pace` it has no budget."""

    scenario: Scenario
    pace: Pace | None


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A scenario and those that answer instead, in their order."""

    parts: tuple[Part, ...]

    @property
    def scenario(self) -> Scenario:
        """The scenario itself."""
        return self.parts[0].scenario


def made_ready(scenarios: Mapping[str, Scenario]) -> dict[str, Ready]:
    """Return the scenarios ready to be asked, by name; names that others speak of must be among them."""
    parts = {
        name: Part(scenario, Pace(scenario.budget_ms) if scenario.budget_ms else None)
        for name, scenario in scenarios.items()
    }
    return {
        name: Ready((parts[name], *(parts[other] for other in chain_of(name, scenarios))))
        for name in scenarios
    }
