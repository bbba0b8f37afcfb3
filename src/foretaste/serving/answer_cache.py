"""Answers given again: what a kept one must agree on, and how it answers the present question."""

import time
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeVar

import msgspec
import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.errors import UnavailableError
from foretaste.domain.item import Attribute
from foretaste.domain.query import Query
from foretaste.domain.slate import Slate
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.pipeline.identity import make_id
from foretaste.pipeline.model_names import HYBRID
from foretaste.ports.answer_cache import AnswerCache, Lookup
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.breaker import Breaker, asked
from foretaste.serving.flights import Flights

ITEM_STATE_SECONDS = 60.0
_LAYOUT = 3
_DIGEST_BYTES = 16
T = TypeVar("T")


class AnswerBasis(msgspec.Struct, frozen=True, kw_only=True):
    """All that an answer depends on beside the question and the moment.

    `user_events` is how many events the person has, which is the same in every process.
    `scenario` is the version of the recipe; `circumstances` and `person` as in `pipeline.view.View`. Recipe
    and `person`, which is what it and the question ask of them, differ between questions of one moment.
    """

    user_events: int
    catalog_version: int
    artifact: str
    blend: str
    scenario: str
    circumstances: tuple[str, ...] = ()
    person: tuple[tuple[str, Attribute], ...] = ()
    namespace: str = "default"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """An answer made anew under `basis`, or none; `fallback` says why not, or what was wrong on the way."""

    slate: Slate | None
    fallback: str | None
    basis: AnswerBasis


class AnswerCacheFront:
    """Keeps slates in `cache` and gives them again, each time under a new `recommendation_id`.

    A slate is given again only while its basis is the same, within one stretch of `item_state_seconds` (so
    long what happens to items, the hour and a session's end may go unnoticed; each person's stretches begin
    at a moment of their own), and only if all its items are still available. `generated_at` and `versions`
    stay those of the moment it was made at, which is how old it is. Errors of the cache break no answer:
    they count as misses, and after several the breaker leaves the cache alone. `clock` counts seconds as
    the breaker does. Who asks what somebody asks at the same moment, in this process, is given the same
    answer.
    """

    def __init__(
        self,
        cache: AnswerCache,
        telemetry: Telemetry,
        *,
        breaker: Breaker,
        item_state_seconds: float = ITEM_STATE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._telemetry = telemetry
        self._breaker = breaker
        self._stretch = max(1, round(item_state_seconds * MICROS_PER_SECOND))
        self._clock = clock
        self._trouble = ""
        self.unkept = 0
        """How many answers the cache did not keep: it was away, refused, or they were too large."""
        self.flights: Flights[tuple[Slate | None, str | None]] = Flights()

    def found_or_made(
        self, query: Query, basis: AnswerBasis, catalog: CatalogColumns, make: Callable[[], Made]
    ) -> tuple[Slate | None, str | None, bool]:
        """Return the answer to `query`, what was wrong on the way to it, and whether it is given again.

        What `make` makes is kept, unless there was no time for all of it. `catalog` is that of
        `basis.catalog_version`.
        """
        stamp, request = self._keys(query, basis)
        again = False

        def work() -> tuple[Slate | None, str | None]:
            nonlocal again
            kept = self._found(query, stamp, request, catalog)
            if kept is not None:
                again = True
                return kept, None
            made = make()
            if made.slate is not None and not made.slate.left_out:
                self.keep(query, made.basis, made.slate)
            return made.slate, made.fallback

        found, shared = self.flights.joined((query.user_id, stamp, request), work)
        if not shared and found is not None:
            return *found, again
        if found is not None and _may_be_given(found[0], query, catalog):
            self._telemetry.count("recommendation_cache_shared_total")
            slate = None if found[0] is None else self._again(query, found[0])
            return slate, found[1], True
        made = make()
        return made.slate, made.fallback, False

    def find(self, query: Query, basis: AnswerBasis, catalog: CatalogColumns) -> Slate | None:
        """Return the answer to `query` if one is kept; `catalog` is that of `basis.catalog_version`."""
        return self._found(query, *self._keys(query, basis), catalog)

    def _found(self, query: Query, stamp: bytes, request: bytes, catalog: CatalogColumns) -> Slate | None:
        lookup = self._asked(lambda: self._cache.get(query.user_id, stamp, request))
        slate, miss = _kept(lookup, query, catalog)
        if slate is None:
            self._telemetry.count("recommendation_cache_misses_total", reason=miss)
            return None
        return self._again(query, slate)

    def _again(self, query: Query, slate: Slate) -> Slate:
        """Return an answer under an id of its own, counted as a hit."""
        self._telemetry.count("recommendation_cache_hits_total")
        age = max(0, query.now - slate.generated_at) / MICROS_PER_SECOND
        self._telemetry.observe("recommendation_cache_age_seconds", age)
        return msgspec.structs.replace(slate, recommendation_id=make_id(query, slate.versions))

    def keep(self, query: Query, basis: AnswerBasis, slate: Slate) -> None:
        """Keep the answer to `query`."""
        stamp, request = self._keys(query, basis)
        answer = msgspec.msgpack.encode(slate)
        if not self._asked(lambda: self._cache.put(query.user_id, stamp, request, answer)):
            self.unkept += 1

    def complaint(self) -> str | None:
        """Say that the cache is away and what it said last, None where it answers now, or may again."""
        if self._asked(lambda: self._cache.get(None, b"", b"")) is not None:
            return None
        return f"the answer cache is away: every answer is worked out anew ({self._trouble})"

    def close(self) -> None:
        """Release the cache."""
        self._cache.close()

    def _keys(self, query: Query, basis: AnswerBasis) -> tuple[bytes, bytes]:
        """Return stamp and request: what differs between questions of one moment is of the request.

        Else the boxes of a page, each by a scenario of its own, would remove each other's answers.
        """
        offset = int.from_bytes(_digest(query.user_id)[:6], "big") % self._stretch
        of_all = msgspec.structs.replace(basis, scenario="", person=())
        stamp = _digest((_LAYOUT, of_all, (query.now + offset) // self._stretch))
        return stamp, _digest((request_of(query), basis.scenario, basis.person))

    def _asked(self, call: Callable[[], T]) -> T | None:
        """Return what the cache answers, None where it does not or is left alone."""
        return asked(
            self._breaker,
            call,
            clock=self._clock,
            failed=self._failed,
        )

    def _failed(self, error: UnavailableError) -> None:
        self._trouble = error.message
        self._telemetry.count("recommendation_cache_errors_total")


def request_of(query: Query) -> bytes:
    """Return a digest of what is asked: all of `query` but who, when and the seed, whatever the order.

    To name the model that is meant where none is named is the same question.
    """
    asked = msgspec.structs.replace(
        query,
        now=0,
        seed=0,
        user_id=None,
        model=None if query.model == HYBRID else query.model,
        filters={name: tuple(sorted(values)) for name, values in query.filters.items()},
        exclude={name: tuple(sorted(values)) for name, values in query.exclude.items()},
        exclude_ids=tuple(sorted(query.exclude_ids)),
    )
    return _digest(asked)


def _kept(lookup: Lookup | None, query: Query, catalog: CatalogColumns) -> tuple[Slate | None, str]:
    """Return the slate that was found, or why there is none."""
    if lookup is None:
        return None, "unavailable"
    if lookup.answer is None:
        return None, lookup.outcome
    try:
        slate = msgspec.msgpack.decode(lookup.answer, type=Slate)
    except msgspec.MsgspecError:
        return None, "unreadable"
    if not _all_available(slate, query.now, catalog):
        return None, "withdrawn"
    return slate, ""


def _may_be_given(slate: Slate | None, query: Query, catalog: CatalogColumns) -> bool:
    """Return whether somebody else's answer of this moment is one to `query` too."""
    return slate is None or (not slate.left_out and _all_available(slate, query.now, catalog))


def _all_available(slate: Slate, now: int, catalog: CatalogColumns) -> bool:
    """Return whether every item of a slate may be shown now; ordinals past the catalog's may."""
    item = np.array([item.item_idx for item in slate.items], np.int64)
    item = item[item < catalog.n_items]
    may = catalog.shown[item] & (catalog.available_from[item] <= now) & (now < catalog.available_until[item])
    return bool(may.all())


def _digest(content: object) -> bytes:
    encoded = msgspec.msgpack.encode(content, order="deterministic")
    return blake2b(encoded, digest_size=_DIGEST_BYTES).digest()
