"""A change of a scenario, tried on the latest requests: what would be shown, beside what is shown now."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
import numpy as np

from foretaste.app.home import Home
from foretaste.domain.clock import Clock, system_clock
from foretaste.domain.errors import ForetasteError, UnavailableError
from foretaste.domain.query import Query
from foretaste.domain.slate import Exposure, Slate
from foretaste.evaluation.slate_change import Change, change_of
from foretaste.pipeline.scenario import Scenario
from foretaste.serving.ready import Ready, made_ready

MOST_REQUESTS = 5_000
SCANNED = 20
"""So many times as many records are looked through for requests of the scenario."""
MILLISECONDS = 1000.0


class PreviewedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a list. `was` is its place in the other list, None where it is not there."""

    item_id: str
    title: str
    score: float
    was: int | None


class Milliseconds(msgspec.Struct, frozen=True, kw_only=True):
    """How long answers took: the median, and what 95 % of them stay below."""

    median: float
    p95: float


class PreviewedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, with what it is answered now and what it would be answered."""

    user_id: str | None
    item_ids: tuple[str, ...]
    k: int
    times: int
    overlap: float
    before: tuple[PreviewedItem, ...]
    after: tuple[PreviewedItem, ...]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of a scenario would do to the latest requests, asked as of now.

    `requests` were found, `failed` of them cannot be answered any more. `changed` lists would be others;
    `overlap` is the mean part of the items that stay, `rank_shift` by how many places those move on average.
    `examples` are the requests that change most.
    """

    scenario: str
    compared_with: str
    version_before: str
    version_after: str
    requests: int
    failed: int
    changed: int
    overlap: float
    rank_shift: float
    empty_before: int
    empty_after: int
    milliseconds_before: Milliseconds
    milliseconds_after: Milliseconds
    examples: tuple[PreviewedRequest, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both answers to a question that was asked so many `times`."""

    query: Query
    times: int
    before: Slate
    after: Slate
    change: Change


def previewed(
    home: Home,
    changed: Scenario,
    *,
    of: str | None = None,
    requests: int = 1_000,
    examples: int = 10,
    rest: float = 0.0,
    beside: Mapping[str, Scenario] = MappingProxyType({}),
    clock: Clock = system_clock,
) -> Preview:
    """Return what `changed` would do to the latest `requests` of the scenario of its name, or of `of`.

    `beside` are others that change with it. Nothing is recorded. One preview at a time; it rests `rest`
    times as long as each answer takes. Raises `UnavailableError` where another one runs,
    `UnknownScenarioError` where there is none to compare with.
    """
    name = changed.name if of is None and changed.name in home.scenarios else of or "home"
    before = home.answerer.ready(name)
    after = made_ready({**home.scenarios, **beside, changed.name: changed})[changed.name]
    if not home.scenario_book.previewing.acquire(blocking=False):
        raise UnavailableError("another preview runs; try again when it is done", retry_after=5.0)
    try:
        return _preview(home, before, after, requests, examples, rest, clock())
    finally:
        home.scenario_book.previewing.release()


def latest_requests(home: Home, scenario: str, most: int) -> list[Query]:
    """Return the latest requests of a scenario, those that another one answered in its stead included."""
    home.exposures.flush()
    asked = (_asked(exposure) for exposure in home.exposures.read(SCANNED * most))
    found = [query for query in asked if query is not None and query.scenario == scenario]
    return found[-most:]


def _asked(exposure: Exposure) -> Query | None:
    query = exposure.query
    if query is None or not exposure.instead_of:
        return query
    return msgspec.structs.replace(query, scenario=exposure.instead_of)


def _preview(
    home: Home, before: Ready, after: Ready, requests: int, examples: int, rest: float, now: int
) -> Preview:
    asked = latest_requests(home, before.scenario.name, requests)
    times: tuple[list[float], list[float]] = [], []
    pairs = list(_pairs(home, before, after, _counted(asked, now), times, rest))
    known = sum(pair.times for pair in pairs)
    n = max(1, known)
    strongest = sorted(pairs, key=lambda pair: (pair.change.overlap, -pair.change.rank_shift))
    return Preview(
        scenario=after.scenario.name,
        compared_with=before.scenario.name,
        version_before=before.scenario.version,
        version_after=after.scenario.version,
        requests=len(asked),
        failed=len(asked) - known,
        changed=sum(pair.times for pair in pairs if pair.change.is_changed),
        overlap=sum(pair.times * pair.change.overlap for pair in pairs) / n if known else 1.0,
        rank_shift=sum(pair.times * pair.change.rank_shift for pair in pairs) / n,
        empty_before=sum(pair.times for pair in pairs if not pair.before.items),
        empty_after=sum(pair.times for pair in pairs if not pair.after.items),
        milliseconds_before=_spread(times[0]),
        milliseconds_after=_spread(times[1]),
        examples=tuple(_shown(pair) for pair in strongest if pair.change.is_changed)[:examples],
    )


def _counted(asked: Sequence[Query], now: int) -> Mapping[bytes, tuple[Query, int]]:
    """Return the different questions, all asked now, with how often each was asked."""
    found: dict[bytes, tuple[Query, int]] = {}
    for query in asked:
        plain = msgspec.structs.replace(query, now=now, seed=0, explain=False)
        key = msgspec.msgpack.encode(plain)
        found[key] = (plain, found.get(key, (plain, 0))[1] + 1)
    return found


def _pairs(
    home: Home,
    before: Ready,
    after: Ready,
    asked: Mapping[bytes, tuple[Query, int]],
    times: tuple[list[float], list[float]],
    rest: float,
) -> Iterator[_Pair]:
    """Yield both answers to each question; who answers second finds things ready, so they take turns."""
    both = (before, after)
    for number, (query, count) in enumerate(asked.values()):
        slates: dict[int, Slate] = {}
        try:
            for side in (0, 1) if number % 2 else (1, 0):
                mine = msgspec.structs.replace(query, scenario=both[side].scenario.name)
                began = time.perf_counter()
                slates[side] = home.answerer.tried(mine, both[side])
                took = time.perf_counter() - began
                times[side].append(took)
                time.sleep(rest * took)
        except ForetasteError:
            continue
        change = change_of(*([item.item_id for item in slates[side].items] for side in (0, 1)))
        yield _Pair(query, count, slates[0], slates[1], change)


def _spread(seconds: list[float]) -> Milliseconds:
    median, slow = (MILLISECONDS * np.percentile(seconds or [0.0], [50, 95])).tolist()
    return Milliseconds(median=round(median, 3), p95=round(slow, 3))


def _shown(pair: _Pair) -> PreviewedRequest:
    return PreviewedRequest(
        user_id=pair.query.user_id,
        item_ids=pair.query.start_ids,
        k=pair.query.k,
        times=pair.times,
        overlap=pair.change.overlap,
        before=_items(pair.before, pair.after),
        after=_items(pair.after, pair.before),
    )


def _items(own: Slate, other: Slate) -> tuple[PreviewedItem, ...]:
    was = {item.item_id: item.rank for item in other.items}
    return tuple(
        PreviewedItem(item_id=item.item_id, title=item.title, score=item.score, was=was.get(item.item_id))
        for item in own.items
    )
