"""`/metrics?profile=shop`: the shop tutorial's measures without labels, so that its queries hold."""

import re
from collections.abc import Iterator

SHOP = "shop"
COUNTERS = (
    "recommendation_requests_total",
    "recommendation_cache_hits_total",
    "recommendation_errors_total",
)
LATENCY = "recommendation_latency_seconds"
_SAMPLE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)", re.ASCII)
_BOUND = re.compile(r'\ble="([^"]+)"')


def shop_metrics(exposition: bytes) -> bytes:
    """Return the tutorial's measures from an exposition in Prometheus text format.

    Counters that were never counted are 0: a rate over something absent would be no number at all.
    """
    totals = dict.fromkeys(COUNTERS, 0.0)
    buckets: dict[str, float] = {}
    rest = {f"{LATENCY}_count": 0.0, f"{LATENCY}_sum": 0.0}
    for name, bound, value in _samples(exposition.decode()):
        if name == f"{LATENCY}_bucket":
            buckets[bound] = buckets.get(bound, 0.0) + value
        else:
            into = totals if name in totals else rest
            if name in into:
                into[name] += value
    lines = [line for name, value in totals.items() for line in (f"# TYPE {name} counter", f"{name} {value}")]
    lines.append(f"# TYPE {LATENCY} histogram")
    found = buckets or {"+Inf": 0.0}
    lines += [f'{LATENCY}_bucket{{le="{bound}"}} {value}' for bound, value in found.items()]
    lines += [f"{name} {value}" for name, value in rest.items()]
    return "\n".join([*lines, ""]).encode()


def _samples(text: str) -> Iterator[tuple[str, str, float]]:
    """Yield name, upper bound (of buckets) and value of the samples that have a number."""
    for line in text.splitlines():
        found = None if line.startswith("#") else _SAMPLE.match(line)
        if found:
            bound = _BOUND.search(found["labels"] or "")
            yield found["name"], bound[1] if bound else "", float(found["value"])
