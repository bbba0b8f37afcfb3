"""What filters and boosts cost: at any selectivity, compiled or not, kept or not, at 10^5 and 10^6 items.

    python benchmarks/filters.py [--items 100000 1000000] [--rounds 30]

Times are medians of CPU time of one thread. Filters that speak of items alone are found as masks that
the catalog keeps; the others depend on the person or the moment and are evaluated anew each time.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.item import CatalogEntry, Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.expressions.asked import Asked
from foretaste.features.expressions.columns import Columns
from foretaste.features.expressions.compiled import compiled_boost, compiled_filter
from foretaste.features.expressions.parsing import parse
from foretaste.features.state import Tally

SELECTIVITIES = (0.0001, 0.001, 0.01, 0.1, 0.5, 1.0)
NOW = 1_709_900_000 * MICROS_PER_SECOND
DAY = 86_400 * MICROS_PER_SECOND
BRIEF = 'price < 20 and category in ("a","b") and not purchased within 30d'
FILTERS = {
    "one number": "u < {bound}",
    "two numbers and a list": 'u < {bound} and price < 1e9 and not "nothing" in category',
    "with what was purchased": "u < {bound} and not purchased within 30d",
    "with an attribute of the person": "u < user.bound",
    "with the moment": "u < {bound} and published < now()",
}
BOOSTS = {
    "a condition": "price < 20 : 1.5",
    "recency": "0.2 * recency(published, 7d)",
    "a condition on the person": "not purchased within 30d : 2",
}


def a_catalog(n_items: int) -> CatalogColumns:
    """Return a catalog with four attributes; `u` is uniform on [0, 1)."""
    draw = np.random.default_rng(1)
    u, price = draw.random(n_items).tolist(), (100 * draw.random(n_items)).round(2).tolist()
    days, kind = draw.integers(0, 365, n_items).tolist(), draw.integers(0, 40, n_items).tolist()
    return CatalogColumns.of(
        [
            Item(
                item_id=str(at),
                categories=(chr(97 + kind[at] % 26),),
                attributes={
                    "u": u[at],
                    "price": price[at],
                    "brand": f"brand {kind[at]}",
                    "published": NOW / MICROS_PER_SECOND - 86_400.0 * days[at],
                },
            )
            for at in range(n_items)
        ]
    )


def somebody(n_items: int, bound: float) -> Asked:
    """Return a request of a person who purchased 200 items."""
    item = np.sort(np.random.default_rng(2).choice(n_items, 200, replace=False)).astype(np.int32)
    tally = Tally(item, np.zeros(200, np.int16), np.ones(200, np.int64), np.full(200, NOW - DAY))
    return Asked(now=NOW, person={"bound": bound}, tally=tally, type_names=("purchase",))


def median_micros(work: Callable[[], object], rounds: int) -> float:
    """Return the median time of `work` in microseconds, after one call that does not count."""
    work()
    taken = []
    for _ in range(rounds):
        begun = time.thread_time_ns()
        work()
        taken.append((time.thread_time_ns() - begun) / 1_000)
    return statistics.median(taken)


def time_filters(catalog: CatalogColumns, rounds: int) -> None:
    """Print a line for each filter: the time at each selectivity."""
    n_items = catalog.n_items
    print(f"| {n_items:,} items, µs | " + " | ".join(f"{100 * one:g} %" for one in SELECTIVITIES) + " |")
    print("|---|" + "---:|" * len(SELECTIVITIES))
    for name, form in FILTERS.items():
        cells = []
        for bound in SELECTIVITIES:
            ready = compiled_filter(form.format(bound=bound))
            asked = somebody(n_items, bound)
            columns = Columns(catalog, n_items)
            cells.append(median_micros(lambda: ready.where(columns, asked), rounds))  # noqa: B023 - called now
        print(f"| {name} | " + " | ".join(f"{cell:,.0f}" for cell in cells) + " |")


def time_first(catalog: CatalogColumns, rounds: int) -> None:
    """Print what compiling costs, and a filter's first evaluation after a change of the catalog."""
    n_items, asked = catalog.n_items, somebody(catalog.n_items, 0.1)
    print(
        f"parse and compile: {median_micros(lambda: compiled_filter.__wrapped__(BRIEF), rounds):,.0f} µs, ",
        end="",
    )
    print(f"of which parse {median_micros(lambda: parse(BRIEF), rounds):,.0f} µs; ", end="")
    print(f"found compiled: {median_micros(lambda: compiled_filter(BRIEF), rounds):,.1f} µs")
    ready = compiled_filter(BRIEF)
    begun = time.thread_time_ns()
    ready.where(Columns(catalog, n_items), asked)
    print(f"first ever, columns included: {(time.thread_time_ns() - begun) / 1e6:,.1f} ms", end="")
    changed = []
    for version in range(5):
        item = Item(item_id="0", attributes={"price": float(version)})
        catalog = catalog.apply([CatalogEntry(ordinal=0, version=catalog.version + 1, item=item)])
        begun = time.thread_time_ns()
        ready.where(Columns(catalog, n_items), asked)
        changed.append((time.thread_time_ns() - begun) / 1_000)
    print(f"; after an item changed: {statistics.median(changed):,.0f} µs; ", end="")
    print(f"then: {median_micros(lambda: ready.where(Columns(catalog, n_items), asked), rounds):,.0f} µs")


def time_boosts(catalog: CatalogColumns, rounds: int) -> None:
    """Print what boosts cost over the whole catalog and on 400 candidates."""
    asked = somebody(catalog.n_items, 0.1)
    whole = Columns(catalog, catalog.n_items)
    few = Columns(catalog, 400, np.arange(0, catalog.n_items, catalog.n_items // 400, dtype=np.int32)[:400])
    for name, text in BOOSTS.items():
        ready = compiled_boost(text)
        over_all = median_micros(lambda: ready.added(whole, asked), rounds)  # noqa: B023 - called now
        over_few = median_micros(lambda: ready.added(few, asked), rounds)  # noqa: B023 - called now
        print(f"boost by {name}: all items {over_all:,.0f} µs, 400 candidates {over_few:,.0f} µs")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    for n_items in given.items:
        catalog = a_catalog(n_items)
        time_first(catalog, given.rounds)
        time_filters(catalog, given.rounds)
        time_boosts(catalog, given.rounds)


if __name__ == "__main__":
    main()
