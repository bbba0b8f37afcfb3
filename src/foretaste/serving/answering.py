"""One scenario's answer: from the cache if it may be, else anew from one consistent view."""

import logging
import time
from collections.abc import Callable
from threading import local

import msgspec

from foretaste.domain.errors import ForetasteError
from foretaste.domain.item import Attribute
from foretaste.domain.query import Query
from foretaste.domain.slate import Slate
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.compose import answer
from foretaste.pipeline.known import KnownPeople
from foretaste.pipeline.model_names import HYBRID
from foretaste.pipeline.occasion import has_start
from foretaste.pipeline.scenario import Scenario, with_recipe
from foretaste.pipeline.timekeeping import UNHURRIED, Timekeeper
from foretaste.pipeline.view import View
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.ailing import Ailing
from foretaste.serving.answer_cache import AnswerBasis, AnswerCacheFront, Made
from foretaste.serving.conditions import Conditions
from foretaste.serving.live import Live
from foretaste.serving.named_items import named_items
from foretaste.serving.names import Names
from foretaste.serving.untrained import untrained_artifact

CACHE = "cache"
MODEL_ERROR, SOURCE_ERROR, NO_MODEL, NO_HISTORY = "model_error", "source_error", "no_model", "no_history"
_log = logging.getLogger(__name__)


class _Timed:
    """Notes how long it is entered."""

    __slots__ = ("_began", "_stage", "_took")

    def __init__(self, stage: str, took: list[tuple[str, float]] | None) -> None:
        self._stage, self._took, self._began = stage, took, 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *failed: object) -> None:
        if self._took is not None:
            self._took.append((self._stage, time.perf_counter() - self._began))


class Answering:
    """Makes the answers of single scenarios from what lives; any number of threads may ask.

    `known` is what is kept of people from one answer to the next: hold the state's lock to read or write it.
    """

    def __init__(
        self,
        live: Live,
        telemetry: Telemetry,
        names: Names,
        conditions: Conditions,
        *,
        namespace: str,
        known: KnownPeople,
    ) -> None:
        self.known = known
        self._known_by = ""
        self._live = live
        self._telemetry = telemetry
        self._names = names
        self._conditions = conditions
        self._namespace = namespace
        self._untrained = untrained_artifact()
        self._ailing = Ailing()
        self._stages = local()

    @property
    def artifact(self) -> Artifact:
        """The model that serves, or what needs no training where there is none."""
        return self._live.artifact or self._untrained

    def note_stages(
        self, took: list[tuple[str, float]] | None, keeping: Callable[[], Timekeeper] | None = None
    ) -> None:
        """Let the stages of this thread's answers be noted in `took`, None: nowhere.

        `keeping` makes the timekeeper of each; without it nothing is left out.
        """
        self._stages.took, self._stages.keeping = took, keeping

    def kept_or_new(
        self, query: Query, scenario: Scenario, user: int, cache: AnswerCacheFront | None
    ) -> tuple[Slate | None, str | None]:
        """Answer from the cache if it may be, else anew; no slate, and why, where there is none."""
        if cache is None:
            with self._live.state.lock:
                return self._answered(query, scenario, user=user)
        with self._live.state.lock:
            basis, catalog = self._basis(query, scenario, user), self._live.catalog_columns

        def make() -> Made:
            with self._live.state.lock:
                now = self._basis(query, scenario, user)
                slate, fallback = self._answered(query, scenario, user=user)
            return Made(slate=slate, fallback=fallback, basis=now)

        slate, fallback, again = cache.found_or_made(query, basis, catalog, make)
        if again and slate is not None:
            slate = msgspec.structs.replace(slate, source=CACHE)
        return slate, fallback

    def _basis(self, query: Query, scenario: Scenario, user: int) -> AnswerBasis:
        """Return what an answer now depends on; the caller holds the state's lock."""
        artifact = self.artifact
        return AnswerBasis(
            user_events=self._live.state.summary(user).events,
            catalog_version=self._live.catalog_columns.version,
            artifact=artifact.version,
            blend=artifact.blend_version,
            scenario=scenario.version,
            circumstances=self._live.circumstances_of(query.user_id),
            person=tuple(self.told(query, scenario).items()),
            namespace=self._namespace,
        )

    def told(self, query: Query, scenario: Scenario) -> dict[str, Attribute]:
        """Return what the expressions of query and scenario ask of the person."""
        return self._conditions.told_of_person(with_recipe(query, scenario))

    def _answered(self, query: Query, scenario: Scenario, *, user: int) -> tuple[Slate | None, str | None]:
        """Answer with the model that serves; no slate, and why, where the scenario cannot answer.

        The caller holds the state's lock. Without a model what needs no training answers, and why says so;
        where a source fails, the others answer.
        """
        artifact = self._live.artifact
        if artifact is not None and query.model in {None, HYBRID}:
            artifact = self._ailing.well(artifact)
        view = self.view(query, scenario, artifact, user=user)
        if scenario.needs_history and not has_start(query, view):
            return None, NO_HISTORY
        if artifact is None:
            return answer(query, view), NO_MODEL
        try:
            return answer(query, view), None
        except ForetasteError:
            raise
        except Exception:  # noqa: BLE001 - however a model fails, the person is answered
            _log.exception("model %s failed; the answer is what others say", artifact.version)
            self._telemetry.count("recommendation_errors_total")
            return self._from_others(query, scenario, artifact, user=user)

    def _from_others(
        self, query: Query, scenario: Scenario, artifact: Artifact, *, user: int
    ) -> tuple[Slate | None, str | None]:
        """Answer from the sources that do not fail; no slate where these are not to be told apart."""
        if query.model not in {None, HYBRID}:
            return None, MODEL_ERROR
        view = self.view(query, scenario, artifact, user=user)
        others = self._ailing.found(
            artifact, lambda source: answer(msgspec.structs.replace(query, model=source), view)
        )
        if others is None:
            return None, MODEL_ERROR
        return answer(query, self.view(query, scenario, others, user=user)), SOURCE_ERROR

    def consumed(self, user: int, scenario: Scenario) -> int:
        """Return how many items a person had that `scenario` leaves out for that."""
        types = scenario.consumed_where(self.artifact.manifest.once)
        if user < 0 or not types:
            return 0
        left_out = self.known.left_out(user, types)
        if left_out is not None:
            return left_out
        state = self._live.state
        with state.lock:
            known = self.known.of(state, user)
            return len(known.consumed(state, user, types, self._names.of("type")))

    def _timed_stage(self, stage: str) -> "_Timed":
        """Note how long a stage of an answer takes that this thread counts."""
        return _Timed(stage, getattr(self._stages, "took", None))

    def _timekeeper(self) -> Timekeeper:
        keeping: Callable[[], Timekeeper] | None = getattr(self._stages, "keeping", None)
        return UNHURRIED if keeping is None else keeping()

    def view(self, query: Query, scenario: Scenario, artifact: Artifact | None = None, *, user: int) -> View:
        """Return what an answer is made of, by `artifact` or by what needs no training.

        The caller holds the state's lock.
        """
        artifact = artifact or self._untrained
        if artifact.version != self._known_by:
            self.known.forget()
            self._known_by = artifact.version
        return View(
            state=self._live.state,
            catalog=self._live.catalog_columns,
            artifact=artifact,
            scenario=scenario,
            item_names=self._names.of("item"),
            type_names=self._names.of("type"),
            user=user,
            seeds=self._names.known("item", query.start_ids),
            namespace=self._namespace,
            circumstances=self._live.circumstances_of(query.user_id),
            known=self.known,
            timekeeper=self._timekeeper(),
            timed=self._timed_stage,
            person=self.told(query, scenario),
            clicks=self._live.clicks,
            **named_items(query, scenario, self._names),
        )
