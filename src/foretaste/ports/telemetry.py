"""Telemetry: counters, gauges and durations, by the names that dashboards use."""

from typing import Protocol

MOST_SERIES = 256
"""How many combinations of labels one name may have; what comes after is counted under `other`."""

OTHER = "other"

DURATION_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
VALUE_BUCKETS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 2.0, 5.0, 10.0, 100.0, 1000.0)


class Telemetry(Protocol):
    """Takes measurements without ever raising or waiting.

    Promises (`foretaste.testing.contracts.telemetry`): a counter's value is the sum of what was
    counted, by name and labels; unknown names are created on first use; label values are bounded (the
    first `MOST_SERIES` combinations of a name are kept apart); what cannot be counted, because the name
    was used otherwise before or the amount is no number, is counted in `telemetry_dropped_total`.
    """

    def count(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        """Add to a counter; its name ends in `_total`, its amount is not negative."""
        ...

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add one value to a histogram: seconds where the name ends in `_seconds`."""
        ...

    def gauge(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        ...

    def exposition(self) -> bytes:
        """Return all of it in Prometheus text format."""
        ...


def buckets_of(name: str) -> tuple[float, ...]:
    """Return the upper bounds of a histogram's buckets, without infinity."""
    return DURATION_BUCKETS if name.endswith("_seconds") else VALUE_BUCKETS
