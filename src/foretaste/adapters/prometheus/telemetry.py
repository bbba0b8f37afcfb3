"""Telemetry in Prometheus's format: counted here, written out by `prometheus-client`."""

import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from threading import Lock
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from foretaste.ports.telemetry import MOST_SERIES, OTHER, buckets_of

DROPPED = "telemetry_dropped_total"
Kind = Literal["counter", "histogram", "gauge"]
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


@dataclass(slots=True, eq=False)
class _Series:
    """What was measured under one name and labels; a histogram has its values by bucket."""

    value: float = 0.0
    bounds: tuple[float, ...] = ()
    counts: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Named:
    """All series of a name, by the values of its labels."""

    kind: Kind
    labels: tuple[str, ...]
    series: dict[tuple[str, ...], _Series] = field(default_factory=dict)


class PrometheusTelemetry:
    """`Telemetry`, beside measures of the process: CPU time, memory, open files.

    Measuring is one addition under a lock: the library's own measures cost five times as much, and there are
    some ten in every answer.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._lock = Lock()
        self._named: dict[str, _Named] = {DROPPED: _Named("counter", (), {(): _Series()})}
        self._series: dict[tuple[object, ...], _Series] = {}
        self._registry.register(_Measures(self))

    def count(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        """Add to a counter."""
        key = ("counter", name, *labels.items()) if labels else ("counter", name)
        with self._lock:
            series = self._series.get(key) or self._created(key, "counter", name, labels)
            if series is None or not 0.0 <= amount < math.inf:
                self._drop()
            else:
                series.value += amount

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add one value to a histogram."""
        key = ("histogram", name, *labels.items()) if labels else ("histogram", name)
        with self._lock:
            series = self._series.get(key) or self._created(key, "histogram", name, labels)
            if series is None or not math.isfinite(value):
                self._drop()
            else:
                series.value += value
                series.counts[bisect_left(series.bounds, value)] += 1

    def gauge(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        key = ("gauge", name, *labels.items()) if labels else ("gauge", name)
        with self._lock:
            series = self._series.get(key) or self._created(key, "gauge", name, labels)
            if series is None or not math.isfinite(value):
                self._drop()
            else:
                series.value = float(value)

    def exposition(self) -> bytes:
        """Return all of it in Prometheus text format."""
        return generate_latest(self._registry)

    def families(self) -> list[Metric]:
        """Return what was measured so far."""
        with self._lock:
            return [_family(name, named) for name, named in self._named.items() if named.series]

    def _drop(self) -> None:
        self._named[DROPPED].series[()].value += 1.0

    def _created(
        self, key: tuple[object, ...], kind: Kind, name: str, labels: dict[str, str]
    ) -> _Series | None:
        """Return the series of a key seen for the first time, None for what cannot be measured so."""
        label_names = tuple(sorted(labels))
        named = self._named.get(name)
        if named is None:
            if not _NAME.fullmatch(name) or (kind == "counter") != name.endswith("_total"):
                return None
            named = self._named[name] = _Named(kind, label_names)
        if named.kind != kind or named.labels != label_names:
            return None
        values = tuple(labels[label] for label in label_names)
        if values not in named.series and len(named.series) >= MOST_SERIES:
            return named.series.setdefault((OTHER,) * len(values), _new(kind, name))
        series = self._series[key] = named.series.setdefault(values, _new(kind, name))
        return series


class _Measures:
    """What a registry collects from."""

    def __init__(self, telemetry: PrometheusTelemetry) -> None:
        self._telemetry = telemetry

    def collect(self) -> Iterator[Metric]:
        """Return the families of measures."""
        return iter(self._telemetry.families())


def _new(kind: Kind, name: str) -> _Series:
    bounds = buckets_of(name) if kind == "histogram" else ()
    return _Series(bounds=bounds, counts=[0] * (len(bounds) + 1))


def _family(name: str, named: _Named) -> Metric:
    about = name.replace("_", " ")
    if named.kind == "histogram":
        histogram = HistogramMetricFamily(name, about, labels=named.labels)
        for values, series in named.series.items():
            bounds = [*map(floatToGoString, series.bounds), "+Inf"]
            buckets = list(zip(bounds, map(float, accumulate(series.counts)), strict=True))
            histogram.add_metric(values, buckets=buckets, sum_value=series.value)
        return histogram
    kind = CounterMetricFamily if named.kind == "counter" else GaugeMetricFamily
    family = kind(name, about, labels=named.labels)
    for values, series in named.series.items():
        family.add_metric(values, series.value)
    return family
