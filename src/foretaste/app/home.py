"""A home, open: stores, state, catalog and the model that serves, of one moment each."""

import logging
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from foretaste.app.blend_learning import BlendLearning
from foretaste.app.click_following import ClickFollowing
from foretaste.app.condition import Condition
from foretaste.app.grievance import Grievance
from foretaste.app.scenario_wiring import scenario_book
from foretaste.app.settings import Settings, expression_limits
from foretaste.app.stores import Stores, models_directory, state_config
from foretaste.app.switched_off import without_switched_off
from foretaste.app.text_vectors import TextVectors
from foretaste.app.told_people import ToldPeople
from foretaste.app.untaken import Untaken
from foretaste.domain.errors import UnavailableError
from foretaste.domain.item import Attribute, CatalogEntry, Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_vectors import require_one_dim
from foretaste.features.state import State
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.fresh_clicks import FreshClicks
from foretaste.pipeline.known import KnownPeople
from foretaste.pipeline.scenario import Scenario
from foretaste.ports.blend_store import BlendStore
from foretaste.ports.catalog import Catalog
from foretaste.ports.catalog_past import CatalogPast
from foretaste.ports.event_log import EventLog
from foretaste.ports.event_stream import EventSink
from foretaste.ports.exposure_log import ExposureLog
from foretaste.ports.freshness import Freshness, Head
from foretaste.ports.id_map import IdMap
from foretaste.ports.model_registry import ModelRegistry
from foretaste.ports.profiles import Attributes, Profiles
from foretaste.ports.scenario_store import ScenarioStore
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.answer_cache import AnswerCacheFront
from foretaste.serving.answerer import Answerer
from foretaste.serving.pages import Pages
from foretaste.serving.profile import Profiler
from foretaste.serving.recorder import Recorder
from foretaste.serving.search import Search

CHAMPION = "champion"
FOLLOW_SECONDS = 2.0
CHANGE_SECONDS = 1.0
"""How long an answer waits for a change that is under way."""
_log = logging.getLogger(__name__)


class Home:
    """The parts of one running Foretaste, as `foretaste.app.wiring` assembles them.

    `catalog_columns` and `artifact` are replaced as one reference while `state.lock` is held, so that
    who holds the lock sees state, catalog and model of one moment. `artifact` is None until a model is
    published. `answerer`, `recorder`, `profiler` and `search` work on them; `condition` says what is wrong.
    Close it when done; it is a context manager too.
    """

    def __init__(
        self,
        *,
        directory: Path | None,
        settings: Settings,
        stores: Stores,
        registry: ModelRegistry | None,
        load: Callable[[Path], Artifact],
        telemetry: Telemetry,
        text_vectors: TextVectors | None = None,
        cache: AnswerCacheFront | None = None,
        pages: Pages | None = None,
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.registry = registry
        self._cache = cache
        self._pages = pages
        self._text_vectors = text_vectors
        folder = None if directory is None else models_directory(directory, settings).parent
        self.learning = BlendLearning(stores, folder, per_second=settings.blend_questions)
        self.catalog_columns = self.columns_of(stores.catalog.changes(0))
        self.artifact: Artifact | None = None
        self._stores = stores
        self._untaken = Untaken()
        self.condition = Condition((*stores.complaints, self._untaken.complaint))
        self._people_version = 0
        self._told = ToldPeople(stores.profiles.all())
        self.load = load
        self._changing = Lock()
        self._closing = Event()
        self._follower: Thread | None = None
        self.telemetry = telemetry
        self.answerer = Answerer(
            self,
            telemetry,
            namespace=settings.namespace,
            cache=cache,
            pages=pages,
            limits=expression_limits(settings),
            known=KnownPeople(settings.people_mb * 1_000_000),
        )
        weights = state_config(settings).weights
        self.click_following = ClickFollowing(self, seconds=settings.click_rates_seconds, weights=weights)
        self.scenario_book = scenario_book(self, stores.scenarios, folder, writable=stores.writable)
        self.condition.watch(self.scenario_book.complaint)
        self.recorder = Recorder(self, telemetry)
        self.profiler = Profiler(self, self.answerer.names, telemetry)
        self.search = Search(self, self.answerer.names)

    @property
    def state(self) -> State:
        """All that is known of users and items."""
        return self._stores.keeper.state

    @property
    def log(self) -> EventLog:
        """The event log; what is appended is in `state` before the acknowledgement."""
        return self._stores.log

    @property
    def id_map(self) -> IdMap:
        """Ids and their ordinals."""
        return self._stores.id_map

    @property
    def catalog(self) -> Catalog:
        """The catalog, for reading; `put_items` and `delete_items` change it for the next answer."""
        return self._stores.catalog

    @property
    def catalog_past(self) -> CatalogPast:
        """Earlier versions of the catalog."""
        return self._stores.catalog_past

    @property
    def exposures(self) -> ExposureLog:
        """What was shown."""
        return self._stores.exposures

    @property
    def clicks(self) -> FreshClicks | None:
        """What was shown and clicked since a model learnt, where that is followed."""
        return self.click_following.fresh

    @property
    def blends(self) -> BlendStore:
        """Every blend that models served with."""
        return self._stores.blends

    @property
    def scenarios(self) -> Mapping[str, Scenario]:
        """All scenarios that serve, by name."""
        return self.scenario_book.scenarios

    @property
    def scenario_records(self) -> ScenarioStore:
        """Every recipe that answered."""
        return self._stores.scenarios

    @property
    def profiles(self) -> Profiles:
        """What is known of people, for reading; `put_people` changes it for the next answer."""
        return self._stores.profiles

    def send_events_to(self, sink: EventSink) -> None:
        """Let `recorder` send events to a stream instead of the log: a worker brings them there."""
        self.recorder = Recorder(self, self.telemetry, sink=sink)

    def put_people(self, people: Mapping[str, Attributes]) -> None:
        """Insert or replace the attributes of people, durably and for the next answer.

        Raises `UnavailableError` in a home that was opened for reading.
        """
        if people and not self._stores.writable:
            raise UnavailableError(
                "this home was opened for reading; what is known of people cannot be changed"
            )
        with self._changing:
            self._stores.profiles.put(people)
            self._told.put(people)
        self._settle()

    def circumstances_of(self, user_id: str | None) -> tuple[str, ...]:
        """Return what is known of a person, as circumstances; nothing for a stranger."""
        return self._told.circumstances_of(user_id)

    def attributes_of(self, user_id: str | None) -> Mapping[str, Attribute]:
        """Return what was told of a person, as it was told; nothing for a stranger."""
        return self._told.attributes_of(user_id)

    @property
    def attribute_names(self) -> AbstractSet[str]:
        """The names of all attributes that people have."""
        return self._told.names

    def columns_of(self, entries: Sequence[CatalogEntry]) -> CatalogColumns:
        """Return the catalog that `entries` make up, with the vectors of texts that are known."""
        columns = CatalogColumns.empty().apply(entries)
        return columns if self._text_vectors is None else self._text_vectors.filled(columns, encode=False)

    def catch_up(self, user_id: str | None) -> bool:
        """Learn what an answer for this person must know that others were told; return whether it does.

        False where that cannot be learnt in time: answers then come from what is known here.
        """
        freshness = self._stores.freshness
        if freshness is None:
            return True
        try:
            head = freshness.head_of(user_id)
            name = None if head.user_seq or user_id is None else self._name_of_index(user_id)
            if name is not None:
                head = freshness.head_of(name)
            freshness.catch_up(head.user_seq)
            for other in self._other_ids(user_id if name is None else name):
                freshness.catch_up(freshness.head_of(other).user_seq)
            self._follow(freshness, head)
            knows = self.learning.is_known()
        except UnavailableError:
            knows = False
        if not knows:
            self.telemetry.count("answers_stale_total")
        return knows

    def _other_ids(self, user_id: str | None) -> list[str]:
        """Return the ids that this person also has, by merges."""
        if user_id is None:
            return []
        with self.state.lock:
            user = self.id_map.ordinal("user", user_id)
            person = self.state.person(user)
            others = [other for other in (person, *self.state.merged_into(person)) if other != user]
            names = self.id_map.names("user") if others else []
        return [names[other] for other in others]

    def _settle(self) -> None:
        """Return when other processes' answers know what was just changed."""
        if self._stores.freshness is not None:
            self._stores.freshness.settle()

    @property
    def waits(self) -> bool:
        """Whether an answer may wait for other servers."""
        return self._stores.freshness is not None or self._cache is not None or bool(self.settings.redis_url)

    def lag_seconds(self) -> float:
        """Return for how long the end of the log has not been seen, 0 where nobody else writes it."""
        return 0.0 if self._stores.freshness is None else self._stores.freshness.lag_seconds()

    def measure(self) -> None:
        """Set the gauges of what changes without being asked; call it before measures are exported."""
        self.telemetry.gauge("state_seq", self.state.seq)
        self.telemetry.gauge("replica_lag_seconds", self.lag_seconds())
        self.telemetry.gauge("exposures_dropped", self.exposures.dropped())
        self.condition.measure()

    def put_items(self, items: Sequence[Item]) -> int:
        """Insert or replace items; return the catalog version that the next answer has at least.

        Raises `InvalidItemError` where vectors would differ in dimension.
        """
        with self._changing:
            require_one_dim(items, self.catalog_columns.items)
            before = self.catalog_columns.version
            version = self._stores.catalog.put(items) if items else self._stores.catalog.version()
            self._follow_catalog()
        if version != before:
            self._settle()
        return version

    def delete_items(self, item_ids: Sequence[str]) -> int:
        """Delete items; return the catalog version that the next answer has at least."""
        with self._changing:
            version = self._stores.catalog.delete(item_ids)
            self._follow_catalog()
        self._settle()
        return version

    def encode_texts(self, advance: Callable[[float], object] = lambda _share: None) -> None:
        """Give every item the vector of its text, where a text model is set; `advance` is told the share.

        Training does it for all items at once; while a model serves, new items get theirs as they are put.
        """
        if self._text_vectors is None:
            return
        with self._changing:
            columns = self._text_vectors.filled(self.catalog_columns, encode=True, advance=advance)
            with self.state.lock:
                self.catalog_columns = columns
            self._text_vectors.save()

    def serve_artifact(self, artifact: Artifact) -> None:
        """Let the next answers come from `artifact`; its blend goes on learning from the events to come.

        It answers without the sources that are switched off; raises `InvalidInputError` for one that there
        never is, or if none is left.
        """
        artifact = without_switched_off(artifact, self.settings.without_sources)
        begin = self.learning.prepared(artifact, lambda: self.catalog_columns, self._take_blend)
        with self.state.lock:
            self.artifact = begin()

    def refresh(self) -> bool:
        """Take the registry's champion if it is another one than serves; return whether it was."""
        if self.registry is None:
            return False
        champion = self.registry.aliases().get(CHAMPION)
        if champion is None or (self.artifact is not None and self.artifact.version == champion):
            self._untaken.forget()
            return False
        with self._untaken.told(champion):
            self.serve_artifact(self.load(self.registry.path(champion)))
        return True

    def follow(self, seconds: float = FOLLOW_SECONDS) -> None:
        """Look for a new champion every `seconds`, and for clicks, in the background, until closed."""
        self.click_following.follow()
        self._follower = Thread(target=self._run, args=(seconds,), name="foretaste-champion", daemon=True)
        self._follower.start()

    def close(self) -> None:
        """Save the state and release everything. Closing twice is fine."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._follower is not None:
            self._follower.join()
        self.click_following.close()
        self.answerer.shadows.close()
        if self._text_vectors is not None and self._stores.writable:
            self._text_vectors.save()
        if self._cache is not None:
            self._cache.close()
        if self._pages is not None:
            self._pages.close()
        self._stores.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_blend(self, artifact: Artifact) -> None:
        self.artifact = artifact

    def _follow_catalog(self) -> None:
        columns = self.catalog_columns.apply(self._stores.catalog.changes(self.catalog_columns.version))
        if self._text_vectors is not None:
            columns = self._text_vectors.filled(columns, encode=self.artifact is not None)
        with self.state.lock:
            self.catalog_columns = columns

    def _name_of_index(self, user_id: str) -> str | None:
        """Return the id of a person who was asked for by their dense index, None for any other text."""
        ordinal = self.answerer.names.ordinal("user", user_id)
        name = self.answerer.names.of("user")[ordinal] if ordinal >= 0 else user_id
        return None if name == user_id else name

    def _follow(self, freshness: Freshness, head: Head) -> None:
        """Take over what others changed of the catalog and of what is told of people."""
        if (
            head.catalog_version <= self.catalog_columns.version
            and head.people_version <= self._people_version
        ):
            return
        if not self._changing.acquire(timeout=CHANGE_SECONDS):
            raise UnavailableError("a change takes long; answers come from what is known")
        try:
            if head.catalog_version > self.catalog_columns.version:
                self._follow_catalog()
            if head.people_version > self._people_version:
                change = freshness.people_after(self._people_version)
                if change.is_all:
                    self._told = ToldPeople(change.people)
                else:
                    self._told.put(change.people)
                self._people_version = change.version
        finally:
            self._changing.release()

    def _run(self, seconds: float) -> None:
        models, recipes = Grievance(_log), Grievance(_log)
        while not self._closing.wait(seconds):
            with models.heard("the new model cannot be taken, the old one goes on"):
                if self.refresh() and self.artifact is not None:
                    _log.info("model %s serves now", self.artifact.version)
            with recipes.heard("the scenarios cannot be looked at, the old ones go on"):
                if self.scenario_book.refresh():
                    _log.info("the scenarios changed: %s serve now", ", ".join(self.scenarios))
