"""The request path: a query in, a slate out, from one consistent view."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from foretaste.domain.errors import InvalidQueryError, UnknownItemError
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.domain.slate import Slate
from foretaste.features.expressions.limits import USUAL, Limits
from foretaste.pipeline.compose import answer, answer_among
from foretaste.pipeline.known import KnownPeople
from foretaste.pipeline.model_names import model_names
from foretaste.pipeline.scenario import SHIPPED, Scenario, find_scenario
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.answer_cache import AnswerCacheFront
from foretaste.serving.answering import MODEL_ERROR, Answering
from foretaste.serving.candidates import brought
from foretaste.serving.conditions import Conditions
from foretaste.serving.cursors import next_cursor, shown_before
from foretaste.serving.exposing import exposure_of
from foretaste.serving.live import Live
from foretaste.serving.measures import count_answer, count_filters, count_left_out
from foretaste.serving.names import Names
from foretaste.serving.pages import Pages
from foretaste.serving.ready import Part, Ready, made_ready
from foretaste.serving.rephrasing import TRENDING, for_trending, instead, without
from foretaste.serving.shadows import Shadows
from foretaste.serving.watching import Watch, keeping

SIMILAR, STALE = "similar", "stale"
COLD_USER, NOTHING_FOUND, TOO_SLOW = "cold_user", "nothing_found", "too_slow"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Reply:
    """A slate with the query and the scenario it is the answer to, and what was wrong on the way to it."""

    slate: Slate
    query: Query
    scenario: Scenario
    fallback: str | None


class Answerer:
    """Answers queries from `live`: the same query on the same state and versions gives the same slate.

    Any number of threads may ask. Every slate is recorded as an exposure and counted, unless `dry_run`.
    Without a published model, and where a model fails, the answer comes from what needs no training; where a
    scenario cannot answer, those that its recipe names do. `recommendation_fallback_total{reason}` counts
    these. Where there is a `cache`, an answer that nothing has changed since is given again: its source is
    `cache`, its id its own. `known` keeps what is worked out of people. `shadows` is
    shown each answer of a scenario that has a shadow; close it.
    """

    def __init__(
        self,
        live: Live,
        telemetry: Telemetry,
        *,
        namespace: str = "default",
        scenarios: Mapping[str, Scenario] = SHIPPED,
        cache: AnswerCacheFront | None = None,
        pages: Pages | None = None,
        limits: Limits = USUAL,
        known: KnownPeople | None = None,
    ) -> None:
        self.cache = cache
        self._pages = pages
        self.shadows = Shadows(self.tried_as, telemetry)
        self._live = live
        self._telemetry = telemetry
        self._ready: Mapping[str, Ready] = made_ready(scenarios)
        self.names = Names(live.id_map)
        self.conditions = Conditions(live, lambda: tuple(self.names.of("type")), limits)
        known = KnownPeople() if known is None else known
        self._answering = Answering(
            live, telemetry, self.names, self.conditions, namespace=namespace, known=known
        )

    @property
    def known(self) -> KnownPeople:
        """What is kept of people from one answer to the next; hold the state's lock to read or write it."""
        return self._answering.known

    def serve(self, scenarios: Mapping[str, Scenario]) -> None:
        """Let the next answers be by `scenarios`, which replace all there were: a swap of one reference."""
        self._ready = made_ready(scenarios)
        self.shadows.forget()

    def recommend(
        self,
        query: Query,
        *,
        dry_run: bool = False,
        cursor: str | None = None,
        page_id: str | None = None,
        seconds: float | None = None,
        watch: Watch | None = None,
    ) -> Slate:
        """Answer what to show to a person; unknown ones, and None, get what is trending.

        With a `cursor`, the `next_cursor` of the page before, it is the next page; that of the first page is
        empty. Nothing that other answers showed under the same `page_id` is in it. What does not fit into
        `seconds` from now is left out, and named in the answer. `watch` sees how it comes about.

        Raises `UnknownScenarioError`, `UnknownModelError`, and `InvalidQueryError` for a filter, a boost or a
        cursor that cannot be used, and for a scenario that needs items where there are none.
        """
        started = time.perf_counter()
        took: list[tuple[str, float]] | None = None if dry_run else []
        self._answering.note_stages(took, keeping(started, seconds, watch))
        try:
            return self._recommended(query, cursor, page_id, started, took)
        finally:
            self._answering.note_stages(None)

    def _recommended(
        self,
        query: Query,
        cursor: str | None,
        page_id: str | None,
        started: float,
        took: list[tuple[str, float]] | None,
    ) -> Slate:
        """Do as `recommend` since `started`; recorded and counted if its stages are noted in `took`."""
        ready, first = self._asked(query), query
        if cursor:
            query = self._continued(query, cursor)
        fresh = self._live.catch_up(query.user_id)
        query, user, known = self._addressed(query, ready.scenario)
        cache = self.cache if fresh and took is not None else None
        if page_id is None:
            reply = self._reply(query, ready, user, cache)
        else:
            reply = self._on_page(
                page_id,
                lambda shown: self._reply(without(query, shown), ready, user, cache),
                keep=took is not None,
            )
        slate = reply.slate if fresh else _stale(reply.slate)
        if cursor is not None:
            slate = self._with_next(slate, first, query)
        if took is not None:
            self._record(slate, reply)
            seconds = time.perf_counter() - started
            self._count_fallback(reply.fallback if known or reply.fallback else COLD_USER)
            count_answer(
                self._telemetry,
                reply.query,
                reply.scenario,
                slate,
                known=known,
                consumed=self._answering.consumed(user, reply.scenario) if known else 0,
                stages=took,
                seconds=seconds,
            )
            if ready.scenario.shadow:
                self.shadows.offer(query, ready.scenario.shadow, slate)
        return slate

    def prepare(self, query: Query) -> str | None:
        """See to it that the answer to `query` is in the cache; nothing is recorded or counted.

        Returns its source, `cache` where it was there already, None where it cannot be kept now. Raises as
        `recommend`.
        """
        ready = self._asked(query)
        if self.cache is None or not self._live.catch_up(query.user_id):
            return None
        query, user, _ = self._addressed(query, ready.scenario)
        reply = self._reply(query, ready, user, self.cache)
        return None if reply.fallback == MODEL_ERROR else reply.slate.source

    def tried(self, query: Query, ready: Ready) -> Slate:
        """Answer by a scenario that need not be one that serves; nothing is recorded, counted or kept."""
        query, user, _ = self._addressed(query, ready.scenario)
        return self._reply(query, ready, user, None).slate

    def tried_as(self, query: Query, name: str) -> Slate:
        """Answer by the scenario called `name` as `tried` does."""
        return self.tried(msgspec.structs.replace(query, scenario=name), self.ready(name))

    def ready(self, name: str) -> Ready:
        """Return the scenario called `name`; raise `UnknownScenarioError`."""
        return find_scenario(name, self._ready)

    def _asked(self, query: Query) -> Ready:
        """Return the scenario of a query, having checked that it can be asked so."""
        self.conditions.check(query)
        ready = self.ready(query.scenario)
        if ready.scenario.needs_items and not query.item_id and not query.item_ids:
            what = "puts items in order" if ready.scenario.candidates == "items" else "starts from items"
            raise InvalidQueryError(
                f"scenario {query.scenario!r} {what}: name one as item_id, or several as item_ids",
                field="item_ids",
            )
        return ready

    def _continued(self, query: Query, cursor: str) -> Query:
        """Return the question for the page that a cursor asks for."""
        return msgspec.structs.replace(query, shown_ids=shown_before(cursor, query, self.names.of("item")))

    def _on_page(
        self, page_id: str, reply: Callable[[tuple[str, ...]], _Reply], *, keep: bool = True
    ) -> _Reply:
        """Return what `reply` makes of the items that the page has shown."""
        if self._pages is None:
            return reply(())
        return self._pages.answered(page_id, reply, _items_of, keep=keep)

    def _with_next(self, slate: Slate, first: Query, query: Query) -> Slate:
        """Return a slate that says how to ask for the next page of `first`, of which it answers `query`."""
        shown = self.names.ordinals("item", query.shown_ids).tolist() if query.shown_ids else ()
        cursor = next_cursor(first, query.k, slate, query.shown_ids, shown)
        return msgspec.structs.replace(slate, next_cursor=cursor)

    def _addressed(self, query: Query, scenario: Scenario) -> tuple[Query, int, bool]:
        """Return the query to the person by their own id, their ordinal, and whether they have a history."""
        if not query.k:
            query = msgspec.structs.replace(query, k=scenario.k)
        with self._live.state.lock:
            user = -1 if query.user_id is None else self._person(query.user_id)
            if user >= 0:
                own = self.names.name("user", user)
                query = query if own == query.user_id else msgspec.structs.replace(query, user_id=own)
            return query, user, self._live.state.events_of(user) > 0

    def _reply(self, query: Query, ready: Ready, user: int, cache: AnswerCacheFront | None) -> _Reply:
        """Return the first answer that there is: the scenario's, or of those that answer instead."""
        trouble: str | None = None
        empty: _Reply | None = None
        for part in ready.parts:
            scenario, first = part.scenario, part is ready.parts[0]
            asked = query if first else instead(query, scenario)
            slate, why = self._timed(asked, part, user, cache)
            if why == MODEL_ERROR:
                return self._last_resort(query, user, why)
            trouble = trouble or why
            if slate is None:
                continue
            slate = slate if first else _in_its_stead(slate, query)
            reply = _Reply(slate, asked, scenario, trouble)
            if slate.items or not scenario.narrows:
                return reply
            empty, trouble = empty or reply, trouble or NOTHING_FOUND
        return empty or self._last_resort(query, user, trouble)

    def _timed(
        self, query: Query, part: Part, user: int, cache: AnswerCacheFront | None
    ) -> tuple[Slate | None, str | None]:
        """Answer by one scenario, unless it rests for having taken too long."""
        if part.pace is None:
            return self._answering.kept_or_new(query, part.scenario, user, cache)
        began = time.perf_counter()
        ticket = part.pace.begin(began)
        if ticket is None:
            return None, TOO_SLOW
        try:
            return self._answering.kept_or_new(query, part.scenario, user, cache)
        finally:
            part.pace.end(ticket, began, time.perf_counter())

    def _last_resort(self, query: Query, user: int, trouble: str | None) -> _Reply:
        """Answer what is trending, from what needs no training and no history."""
        plain, scenario = for_trending(query), SHIPPED[TRENDING]
        with self._live.state.lock:
            slate = answer(plain, self._answering.view(plain, scenario, user=user))
        return _Reply(_in_its_stead(slate, query), plain, scenario, trouble)

    def model_names(self) -> tuple[str, ...]:
        """Return the names that `Query.model` may be, of what serves now."""
        return model_names(self._answering.artifact)

    def personalize(self, query: Query, candidates: Sequence[Item], *, seconds: float | None = None) -> Slate:
        """Answer which of `candidates` are for a person, best first; ones not in the catalog are new items.

        A new item counts for this answer only: it has no `item_idx` (-1) and is in no exposure. `seconds` as
        in `recommend`. Raises `InvalidQueryError` for no candidates or too many.
        """
        self._answering.note_stages(None, keeping(time.perf_counter(), seconds))
        try:
            return self._personalized(query, candidates)
        finally:
            self._answering.note_stages(None)

    def _personalized(self, query: Query, candidates: Sequence[Item]) -> Slate:
        self.conditions.check(query)
        scenario = self.ready(query.scenario).scenario
        fresh = self._live.catch_up(query.user_id)
        with self._live.state.lock:
            user = -1 if query.user_id is None else self._person(query.user_id)
            view = self._answering.view(query, scenario, self._live.artifact, user=user)
            known = self._live.id_map.find("item", [item.item_id for item in candidates])
            own = brought(view, candidates, known, query.now)
            slate = answer_among(query, own.view, own.items, own.shown)
        kept = [item for item in slate.items if item.item_idx < own.first_new]
        self._live.exposures.record(exposure_of(msgspec.structs.replace(slate, items=tuple(kept))))
        items = [
            item if item.item_idx < own.first_new else msgspec.structs.replace(item, item_idx=-1)
            for item in slate.items
        ]
        slate = slate if fresh else _stale(slate)
        count_left_out(self._telemetry, slate)
        return msgspec.structs.replace(slate, items=tuple(items), filtered=own.left_out + slate.filtered)

    def knows(self, user_id: str) -> bool:
        """Return whether a person has any event."""
        with self._live.state.lock:
            return self._live.state.summary(self._person(user_id)).events > 0

    def _person(self, user_id: str) -> int:
        """Return the ordinal of who this is now, -1 if unknown; the caller holds the state's lock."""
        return self._live.state.person(self.names.ordinal("user", user_id))

    def similar(self, query: Query, *, page_id: str | None = None, seconds: float | None = None) -> Slate:
        """Answer which items are like `query.item_id`; raise `UnknownItemError` if there is none such.

        Nothing that other answers showed under the same `page_id` is in it; `seconds` as in `recommend`.
        """
        self._answering.note_stages(None, keeping(time.perf_counter(), seconds))
        try:
            return self._similar(query, page_id)
        finally:
            self._answering.note_stages(None)

    def _similar(self, query: Query, page_id: str | None) -> Slate:
        ready = self.ready(SIMILAR)
        query = msgspec.structs.replace(query, scenario=SIMILAR, k=query.k or ready.scenario.k)
        self.conditions.check(query)
        fresh = self._live.catch_up(query.user_id)
        with self._live.state.lock:
            item = -1 if query.item_id is None else self.names.ordinal("item", query.item_id)
            if item < 0 or self._deleted(item):
                self._telemetry.count("similar_items_requests_total", status="not_found")
                raise UnknownItemError(f"no item is called {query.item_id!r}", field="item_id")
            query = msgspec.structs.replace(query, item_id=self.names.name("item", item))
        if page_id is None:
            reply = self._reply(query, ready, -1, None)
        else:
            reply = self._on_page(page_id, lambda shown: self._reply(without(query, shown), ready, -1, None))
        slate = reply.slate if fresh else _stale(reply.slate)
        self._record(slate, reply)
        self._count_fallback(reply.fallback)
        self._telemetry.count("similar_items_requests_total", status="ok" if slate.items else "empty")
        count_filters(self._telemetry, query)
        count_left_out(self._telemetry, slate)
        return slate

    def _count_fallback(self, reason: str | None) -> None:
        if reason is not None:
            self._telemetry.count("recommendation_fallback_total", reason=reason)

    def _record(self, slate: Slate, reply: _Reply) -> None:
        """Record a slate with what it depended on."""
        recorded = exposure_of(
            slate,
            query=reply.query,
            circumstances=self._live.circumstances_of(reply.query.user_id),
            person=self._answering.told(reply.query, reply.scenario),
        )
        self._live.exposures.record(recorded)

    def _deleted(self, item: int) -> bool:
        catalog = self._live.catalog_columns
        return item < catalog.n_items and bool(catalog.deleted[item])


def _items_of(reply: _Reply) -> list[str]:
    return [item.item_id for item in reply.slate.items]


def _in_its_stead(slate: Slate, query: Query) -> Slate:
    """Return an answer that says which scenario was asked for."""
    return msgspec.structs.replace(slate, instead_of=query.scenario)


def _stale(slate: Slate) -> Slate:
    """Return an answer that says that it may not know the latest."""
    return msgspec.structs.replace(slate, source=STALE)
