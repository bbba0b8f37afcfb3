"""The request path: a query in, a slate out, from one consistent view."""

import logging
import time
from collections.abc import Mapping, Sequence

import msgspec

from foretaste.domain.errors import ForetasteError, InvalidQueryError, UnknownItemError
from foretaste.domain.item import Attribute, Item
from foretaste.domain.query import Query
from foretaste.domain.slate import Exposure, Slate
from foretaste.features.expressions.limits import USUAL, Limits
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.compose import answer, answer_among
from foretaste.pipeline.known import KnownPeople
from foretaste.pipeline.model_names import model_names
from foretaste.pipeline.scenario import SHIPPED, Scenario, find_scenario
from foretaste.pipeline.view import NOTHING, View
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.answer_cache import AnswerBasis, AnswerCacheFront
from foretaste.serving.candidates import brought
from foretaste.serving.conditions import Conditions
from foretaste.serving.live import Live
from foretaste.serving.measures import count_answer, count_filters
from foretaste.serving.names import Names
from foretaste.serving.reproduction import recipe_of
from foretaste.serving.untrained import untrained_artifact

SIMILAR, TRENDING, STALE, CACHE = "similar", "trending", "stale", "cache"
MODEL_ERROR = "model_error"
_log = logging.getLogger(__name__)


class Answerer:
    """Answers queries from `live`: the same query on the same state and versions gives the same slate.

    Any number of threads may ask. Every slate is recorded as an exposure and counted, unless `dry_run`.
    Without a published model, and where a model fails, the answer comes from what needs no training;
    `recommendation_fallback_total{reason}` counts these. Where there is a `cache`, an answer that nothing has
    changed since is given again: its source is `cache`, its id its own.
    """

    def __init__(
        self,
        live: Live,
        telemetry: Telemetry,
        *,
        namespace: str = "default",
        scenarios: Mapping[str, Scenario] = SHIPPED,
        cache: AnswerCacheFront | None = None,
        limits: Limits = USUAL,
    ) -> None:
        self.cache = cache
        self._live = live
        self._telemetry = telemetry
        self._namespace = namespace
        self._scenarios = scenarios
        self._untrained = untrained_artifact()
        self._known, self._known_by = KnownPeople(), ""
        self._recipes = {name: recipe_of(scenario) for name, scenario in scenarios.items()}
        self.names = Names(live.id_map)
        self._conditions = Conditions(live, lambda: tuple(self.names.of("type")), limits)

    def recommend(self, query: Query, *, dry_run: bool = False) -> Slate:
        """Answer what to show to a person; unknown ones, and None, get what is trending.

        Raises `UnknownScenarioError`, `UnknownModelError`, and `InvalidQueryError` for a filter or a boost
        that cannot be used.
        """
        started = time.perf_counter()
        scenario = self._for_people(query)
        fresh = self._live.catch_up(query.user_id)
        query, user, known = self._addressed(query)
        cache = self.cache if fresh and not dry_run else None
        slate, fallback = self._kept_or_new(query, scenario, user, cache)
        slate = slate if fresh else _stale(slate)
        if not dry_run:
            self._record(slate, query, fallback)
            seconds = time.perf_counter() - started
            self._count_fallback(fallback if known or fallback else "cold_user")
            count_answer(self._telemetry, query, scenario, slate, known=known, seconds=seconds)
        return slate

    def prepare(self, query: Query) -> str | None:
        """See to it that the answer to `query` is in the cache; nothing is recorded or counted.

        Returns its source, `cache` where it was there already, None where it cannot be kept now. Raises as
        `recommend`.
        """
        scenario = self._for_people(query)
        if self.cache is None or not self._live.catch_up(query.user_id):
            return None
        query, user, _ = self._addressed(query)
        slate, fallback = self._kept_or_new(query, scenario, user, self.cache)
        return None if fallback == MODEL_ERROR else slate.source

    def _for_people(self, query: Query) -> Scenario:
        """Return the scenario of a query, which must start from a person; check its expressions."""
        self._conditions.check(query)
        scenario = find_scenario(query.scenario, self._scenarios)
        if scenario.history == "item":
            raise InvalidQueryError(
                f"scenario {query.scenario!r} starts from an item; ask /items/{{item_id}}/similar",
                field="scenario",
            )
        return scenario

    def _addressed(self, query: Query) -> tuple[Query, int, bool]:
        """Return the query to the person by their own id, their ordinal, and whether they have a history."""
        with self._live.state.lock:
            user = -1 if query.user_id is None else self._person(query.user_id)
            if user >= 0:
                own = self.names.of("user")[user]
                query = query if own == query.user_id else msgspec.structs.replace(query, user_id=own)
            return query, user, self._live.state.events_of(user) > 0

    def _kept_or_new(
        self, query: Query, scenario: Scenario, user: int, cache: AnswerCacheFront | None
    ) -> tuple[Slate, str | None]:
        """Answer from the cache if it may be, else anew; or without the model and why."""
        if cache is None:
            with self._live.state.lock:
                return self._answered(query, scenario, user=user)
        with self._live.state.lock:
            basis, catalog = self._basis(query, scenario, user), self._live.catalog_columns
        kept = cache.find(query, basis, catalog)
        if kept is not None:
            return msgspec.structs.replace(kept, source=CACHE), None
        with self._live.state.lock:
            basis = self._basis(query, scenario, user)
            slate, fallback = self._answered(query, scenario, user=user)
        if fallback != MODEL_ERROR:
            cache.keep(query, basis, slate)
        return slate, fallback

    def _basis(self, query: Query, scenario: Scenario, user: int) -> AnswerBasis:
        """Return what an answer now depends on; the caller holds the state's lock."""
        artifact = self._live.artifact or self._untrained
        return AnswerBasis(
            user_events=self._live.state.summary(user).events,
            catalog_version=self._live.catalog_columns.version,
            artifact=artifact.version,
            blend=artifact.blend_version,
            scenario=scenario,
            circumstances=self._live.circumstances_of(query.user_id),
            person=tuple(self._conditions.told_of_person(query).items()),
            namespace=self._namespace,
        )

    def model_names(self) -> tuple[str, ...]:
        """Return the names that `Query.model` may be, of what serves now."""
        return model_names(self._live.artifact or self._untrained)

    def personalize(self, query: Query, candidates: Sequence[Item]) -> Slate:
        """Answer which of `candidates` are for a person, best first; ones not in the catalog are new items.

        A new item counts for this answer only: it has no `item_idx` (-1) and is in no exposure. Raises
        `InvalidQueryError` for no candidates or too many.
        """
        scenario = find_scenario(query.scenario, self._scenarios)
        self._conditions.check(query)
        fresh = self._live.catch_up(query.user_id)
        with self._live.state.lock:
            user = -1 if query.user_id is None else self._person(query.user_id)
            view = self._view(query, scenario, self._live.artifact or self._untrained, user=user, item=-1)
            known = self._live.id_map.find("item", [item.item_id for item in candidates])
            own = brought(view, candidates, known, query.now)
            slate = answer_among(query, own.view, own.items)
        kept = [item for item in slate.items if item.item_idx < own.first_new]
        self._live.exposures.record(exposure_of(msgspec.structs.replace(slate, items=tuple(kept))))
        items = [
            item if item.item_idx < own.first_new else msgspec.structs.replace(item, item_idx=-1)
            for item in slate.items
        ]
        slate = slate if fresh else _stale(slate)
        return msgspec.structs.replace(slate, items=tuple(items), filtered=own.left_out + slate.filtered)

    def knows(self, user_id: str) -> bool:
        """Return whether a person has any event."""
        with self._live.state.lock:
            return self._live.state.summary(self._person(user_id)).events > 0

    def _person(self, user_id: str) -> int:
        """Return the ordinal of who this is now, -1 if unknown; the caller holds the state's lock."""
        return self._live.state.person(self.names.ordinal("user", user_id))

    def similar(self, query: Query) -> Slate:
        """Answer which items are like `query.item_id`; raise `UnknownItemError` if there is none such."""
        query = msgspec.structs.replace(query, scenario=SIMILAR)
        self._conditions.check(query)
        fresh = self._live.catch_up(query.user_id)
        with self._live.state.lock:
            item = -1 if query.item_id is None else self.names.ordinal("item", query.item_id)
            if item < 0 or self._deleted(item):
                self._telemetry.count("similar_items_requests_total", status="not_found")
                raise UnknownItemError(f"no item is called {query.item_id!r}", field="item_id")
            query = msgspec.structs.replace(query, item_id=self.names.of("item")[item])
            slate, fallback = self._answered(query, find_scenario(SIMILAR, self._scenarios), item=item)
        slate = slate if fresh else _stale(slate)
        self._record(slate, query, fallback)
        self._count_fallback(fallback)
        self._telemetry.count("similar_items_requests_total", status="ok" if slate.items else "empty")
        count_filters(self._telemetry, query)
        return slate

    def _answered(
        self, query: Query, scenario: Scenario, *, user: int = -1, item: int = -1
    ) -> tuple[Slate, str | None]:
        """Answer with the model that serves, or without it and why; the caller holds the state's lock."""
        artifact = self._live.artifact
        if artifact is None:
            slate = answer(query, self._view(query, scenario, self._untrained, user=user, item=item))
            return slate, "no_model"
        try:
            return answer(query, self._view(query, scenario, artifact, user=user, item=item)), None
        except ForetasteError:
            raise
        except Exception:  # noqa: BLE001 - however a model fails, the person is answered
            _log.exception("model %s failed; the answer is what is trending", artifact.version)
            self._telemetry.count("recommendation_errors_total")
            return self._trending(query, user=user), MODEL_ERROR

    def _count_fallback(self, reason: str | None) -> None:
        if reason is not None:
            self._telemetry.count("recommendation_fallback_total", reason=reason)

    def _record(self, slate: Slate, query: Query, fallback: str | None) -> None:
        """Record a slate with what it depended on."""
        recorded = exposure_of(
            slate,
            query=_plain(query) if fallback == MODEL_ERROR else query,
            circumstances=self._live.circumstances_of(query.user_id),
            person=self._conditions.told_of_person(query),
            recipe=self._recipes.get(slate.scenario),
        )
        self._live.exposures.record(recorded)

    def _trending(self, query: Query, *, user: int) -> Slate:
        plain = _plain(query)
        scenario = find_scenario(TRENDING, self._scenarios)
        return answer(plain, self._view(plain, scenario, self._untrained, user=user, item=-1))

    def _view(self, query: Query, scenario: Scenario, artifact: Artifact, *, user: int, item: int) -> View:
        excluded = self.names.ordinals("item", query.exclude_ids) if query.exclude_ids else NOTHING
        if artifact.version != self._known_by:
            self._known.forget()
            self._known_by = artifact.version
        return View(
            state=self._live.state,
            catalog=self._live.catalog_columns,
            artifact=artifact,
            scenario=scenario,
            item_names=self.names.of("item"),
            type_names=self.names.of("type"),
            user=user,
            seed_item=item,
            excluded=excluded,
            namespace=self._namespace,
            circumstances=self._live.circumstances_of(query.user_id),
            known=self._known,
            person=self._conditions.told_of_person(query),
        )

    def _deleted(self, item: int) -> bool:
        catalog = self._live.catalog_columns
        return item < catalog.n_items and bool(catalog.deleted[item])


def _plain(query: Query) -> Query:
    """Return the question for what is trending, which is asked where a model fails."""
    return msgspec.structs.replace(query, scenario=TRENDING, model=None, explain=False)


def _stale(slate: Slate) -> Slate:
    """Return an answer that says that it may not know the latest."""
    return msgspec.structs.replace(slate, source=STALE)


def exposure_of(
    slate: Slate,
    *,
    query: Query | None = None,
    circumstances: tuple[str, ...] = (),
    person: dict[str, Attribute] | None = None,
    recipe: dict[str, object] | None = None,
) -> Exposure:
    """Return the record that `slate` was shown, with what it depended on (see `Exposure`)."""
    return Exposure(
        recommendation_id=slate.recommendation_id,
        user_id=slate.user_id,
        scenario=slate.scenario,
        source=slate.source,
        time=slate.generated_at if query is None else query.now,
        made_at=slate.generated_at,
        items=tuple([item.item_idx for item in slate.items]),
        scores=tuple([item.score for item in slate.items]),
        propensities=tuple([item.propensity for item in slate.items]),
        versions=slate.versions,
        query=query,
        circumstances=circumstances,
        person=person or {},
        recipe=recipe,
    )
