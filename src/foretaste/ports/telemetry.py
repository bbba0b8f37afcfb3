"""Telemetry: counters, gauges and durations, by the names that dashboards use."""

from typing import Protocol


class Telemetry(Protocol):
    """Takes measurements without ever raising or waiting.

    Promise (`foretaste.testing.contracts.telemetry`): a counter's value is the sum of what was
    counted, by name and labels; unknown names are created on first use; label values are bounded.
    """

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add one value (seconds for durations) to a histogram."""
        ...

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        ...

    def exposition(self) -> bytes:
        """Return all of it in Prometheus text format."""
        ...
