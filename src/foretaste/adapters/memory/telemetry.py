"""Telemetry in the process, written as Prometheus text: what there is without `prometheus-client`."""

import math
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from foretaste.ports.telemetry import MOST_SERIES, OTHER, buckets_of

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]
DROPPED = "telemetry_dropped_total"
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(slots=True)
class _Family:
    """All series of one name: a number each, or a histogram's counts per bucket and, last, the sum."""

    kind: Kind
    label_names: tuple[str, ...]
    buckets: tuple[float, ...] = ()
    series: dict[Labels, list[float]] = field(default_factory=dict)

    def of(self, labels: Labels) -> list[float]:
        """Return the series of `labels`, or of `other` past the bound."""
        if labels not in self.series and len(self.series) >= MOST_SERIES:
            labels = tuple((name, OTHER) for name, _ in labels)
        return self.series.setdefault(labels, [0.0] * (len(self.buckets) + 2 if self.buckets else 1))


class MemoryTelemetry:
    """`Telemetry` that ends with the process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._families: dict[str, _Family] = {}

    def count(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            family = self._family(name, "counter", labels)
            if family is None or not 0.0 <= amount < math.inf:
                self._drop()
                return
            family.of(_sorted(labels))[0] += amount

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add one value to a histogram."""
        with self._lock:
            family = self._family(name, "histogram", labels)
            if family is None or not math.isfinite(value):
                self._drop()
                return
            series = family.of(_sorted(labels))
            series[bisect_left(family.buckets, value)] += 1.0
            series[-1] += value

    def gauge(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            family = self._family(name, "gauge", labels)
            if family is None or not math.isfinite(value):
                self._drop()
                return
            family.of(_sorted(labels))[0] = value

    def exposition(self) -> bytes:
        """Return all of it in Prometheus text format."""
        with self._lock:
            lines: list[str] = []
            for name, family in sorted(self._families.items()):
                lines.append(f"# TYPE {name} {family.kind}")
                for labels, series in family.series.items():
                    lines += _histogram(name, family, labels, series) if family.buckets else [
                        f"{name}{_written(labels)} {series[0]}"
                    ]  # fmt: skip
        return ("\n".join(lines) + "\n").encode()

    def _family(self, name: str, kind: Kind, labels: dict[str, str]) -> _Family | None:
        family = self._families.get(name)
        label_names = tuple(sorted(labels))
        if family is None:
            if not _NAME.fullmatch(name) or (kind == "counter") != name.endswith("_total"):
                return None
            buckets = buckets_of(name) if kind == "histogram" else ()
            family = self._families[name] = _Family(kind, label_names, buckets)
        return family if family.kind == kind and family.label_names == label_names else None

    def _drop(self) -> None:
        self._families.setdefault(DROPPED, _Family("counter", ())).of(())[0] += 1.0


def _sorted(labels: dict[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _written(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels) + "}"


def _histogram(name: str, family: _Family, labels: Labels, series: list[float]) -> list[str]:
    lines, total = [], 0.0
    for bound, count in zip((*family.buckets, math.inf), series, strict=False):
        total += count
        written = "+Inf" if math.isinf(bound) else str(bound)
        lines.append(f"{name}_bucket{_written((*labels, ('le', written)))} {total}")
    return [*lines, f"{name}_count{_written(labels)} {total}", f"{name}_sum{_written(labels)} {series[-1]}"]
