"""Telemetry through `prometheus-client`."""

import math
import re
from threading import Lock
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from foretaste.ports.telemetry import MOST_SERIES, OTHER, buckets_of

DROPPED = "telemetry_dropped_total"
Metric = Counter | Gauge | Histogram
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_Child = Any  # prometheus-client gives a metric and its labelled children the same type


class PrometheusTelemetry:
    """`Telemetry` in a registry of its own, beside measures of the process: CPU time, memory, open files."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._creating = Lock()
        self._metrics: dict[str, tuple[Metric, tuple[str, ...]]] = {}
        self._series: dict[str, int] = {}
        self._children: dict[tuple[Any, ...], _Child | None] = {}
        self._dropped = Counter(DROPPED, "Measurements that could not be counted", registry=self._registry)

    def count(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        """Add to a counter."""
        child = self._child(Counter, name, labels)
        if child is None or not 0.0 <= amount < math.inf:
            self._dropped.inc()
        else:
            child.inc(amount)

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add one value to a histogram."""
        child = self._child(Histogram, name, labels)
        if child is None or not math.isfinite(value):
            self._dropped.inc()
        else:
            child.observe(value)

    def gauge(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        child = self._child(Gauge, name, labels)
        if child is None or not math.isfinite(value):
            self._dropped.inc()
        else:
            child.set(value)

    def exposition(self) -> bytes:
        """Return all of it in Prometheus text format."""
        return generate_latest(self._registry)

    def _child(self, kind: type[Metric], name: str, labels: dict[str, str]) -> _Child | None:
        key = (kind, name, *labels.items())
        child = self._children.get(key)
        if child is not None:
            return child
        with self._creating:
            return self._children.get(key) or self._created(key, kind, name, labels)

    def _created(
        self, key: tuple[Any, ...], kind: type[Metric], name: str, labels: dict[str, str]
    ) -> _Child | None:
        metric, label_names = self._metrics.get(name, (None, ()))
        if metric is None:
            metric, label_names = self._new(kind, name, tuple(sorted(labels))), tuple(sorted(labels))
        if not isinstance(metric, kind) or label_names != tuple(sorted(labels)):
            return None
        if not labels:
            self._children[key] = metric
            return metric
        if self._series.get(name, 0) >= MOST_SERIES:
            return metric.labels(**dict.fromkeys(labels, OTHER))
        self._series[name] = self._series.get(name, 0) + 1
        child = self._children[key] = metric.labels(**labels)
        return child

    def _new(self, kind: type[Metric], name: str, label_names: tuple[str, ...]) -> Metric | None:
        """Return a new metric, or None for a name that is none."""
        if not _NAME.fullmatch(name) or (kind is Counter) != name.endswith("_total"):
            return None
        about = name.replace("_", " ")
        metric: Metric
        if kind is Histogram:
            buckets = buckets_of(name)
            metric = Histogram(name, about, label_names, buckets=buckets, registry=self._registry)
        else:
            metric = kind(name, about, label_names, registry=self._registry)
        self._metrics[name] = (metric, label_names)
        return metric
