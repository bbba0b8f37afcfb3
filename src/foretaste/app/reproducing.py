"""Past answers of a home given again, and the home as of a past moment."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache

import msgspec

from foretaste.adapters.memory.exposure_log import MemoryExposureLog
from foretaste.app.blend_records import artifact_served
from foretaste.app.home import Home
from foretaste.app.reading_ahead import read_ahead
from foretaste.app.stores import state_config
from foretaste.domain.errors import NotFoundError
from foretaste.domain.item import Attribute
from foretaste.domain.slate import Exposure, Slate
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.identity import parse_id
from foretaste.pipeline.scenario import Scenario
from foretaste.serving.reproduction import Sources, fold_up_to, reproduced

CACHED = 4
"""Versions of catalog and model that are held while many answers are given again."""


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """A past answer given again. `identical`: the same items with the same scores and odds, under its id."""

    identical: bool
    slate: Slate


def recorded(home: Home, recommendation_id: str) -> Exposure:
    """Return the record of an answer.

    Raises `InvalidQueryError` for an id that is none of ours, `NotFoundError` where the record is not kept.
    """
    said = parse_id(recommendation_id)
    exposure = home.exposures.get(recommendation_id)
    if exposure is None:
        raise NotFoundError(
            f"no record of this answer is kept; its id says that it was made at event {said.state_seq} "
            f"of the log and version {said.catalog_version} of the catalog",
            field="recommendation_id",
        )
    return exposure


def given_again(home: Home, exposures: Iterable[Exposure]) -> Iterator[tuple[Exposure, Reproduction]]:
    """Yield each answer with its reproduction, in the order of the log; folds the log once from its start.

    Raises `NotFoundError` for an answer whose inputs are kept no more.
    """
    for exposure, slate in reproduced(exposures, _sources(home)):
        yield exposure, Reproduction(identical=_same(exposure, slate), slate=slate)


def fold_log(
    home: Home, *, time: int | None = None, advance: Callable[[int], object] = lambda _: None
) -> State:
    """Return the state that the log says, of events up to `time` (microseconds; None: all), folded anew.

    `advance` is told the sequence numbers as they are reached.
    """
    state = _new_state(home)
    for events in read_ahead(home.log, 0):
        state.apply(events if time is None else events.where(events.time <= time, state.seq))
        advance(events.last_seq)
    return state


def state_at(home: Home, seq: int) -> State:
    """Return the state after the event with number `seq`: the home's own, or else folded anew."""
    if home.state.seq == seq:
        return home.state
    state = _new_state(home)
    fold_up_to(state, home.log, seq)
    return state


def _sources(home: Home) -> Sources:
    return Sources(
        log=home.log,
        names=home.answerer.names,
        new_state=lambda: _new_state(home),
        catalog_at=lru_cache(CACHED)(lambda version: catalog_at(home, version)),
        artifact_of=lru_cache(CACHED)(lambda version, blend: artifact_with(home, version, blend)),
        clicks_of=lru_cache(CACHED)(home.click_following.past()),
        recipe_of=lambda version: recipe_with(home, version),
    )


def catalog_at(home: Home, version: int) -> CatalogColumns:
    """Return a version of the catalog; raise `NotFoundError` where it is kept no more."""
    if version == home.catalog_columns.version:
        return home.catalog_columns
    return home.columns_of(home.catalog_past.at(version))


def artifact_with(home: Home, version: str, blend_version: str) -> Artifact:
    """Return a model with one of the blends it served with; raise `NotFoundError` where either is gone."""
    serving = home.artifact
    if serving is not None and (serving.version, serving.blend_version) == (version, blend_version):
        return serving
    if home.registry is None:
        raise NotFoundError("a home in memory keeps no earlier model; open one in a directory", field="home")
    return artifact_served(home.blends, home.load(home.registry.path(version)), blend_version)


def recipe_with(home: Home, version: str) -> Scenario:
    """Return the recipe of a version; raise `NotFoundError` where none such is kept."""
    found = home.scenario_book.recipe(version)
    if found is None:
        raise NotFoundError(f"no recipe {version} of a scenario is kept here", field="scenario")
    return found


def _new_state(home: Home) -> State:
    return State(state_config(home.settings), lambda: home.id_map.names("type"))


def _same(exposure: Exposure, slate: Slate) -> bool:
    return (
        slate.recommendation_id == exposure.recommendation_id
        and tuple(item.item_idx for item in slate.items) == exposure.items
        and tuple(item.score for item in slate.items) == exposure.scores
        and tuple(item.propensity for item in slate.items) == exposure.propensities
    )


class HomeOfOneMoment:
    """What implementations of `serving.live.Live` share that answer as of one moment.

    What they answer is recorded nowhere. What is told of people is as of now: earlier versions are not kept.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self.log = home.log
        self.id_map = home.id_map
        self.exposures = MemoryExposureLog(most=1)

    def circumstances_of(self, user_id: str | None) -> tuple[str, ...]:
        """Return what is known of a person now."""
        return self._home.circumstances_of(user_id)

    def attributes_of(self, user_id: str | None) -> Mapping[str, Attribute]:
        """Return what is told of a person now."""
        return self._home.attributes_of(user_id)

    @property
    def attribute_names(self) -> AbstractSet[str]:
        """The names of all attributes that people have now."""
        return self._home.attribute_names

    def catch_up(self, user_id: str | None) -> bool:
        """Say that nothing is missing: the moment does not change."""
        del user_id
        return True


class PastHome(HomeOfOneMoment):
    """A home as of a moment: implements `serving.live.Live`; what it answers is recorded nowhere.

    It knows the events up to `time` (microseconds UTC, as they are dated), the catalog's version of then
    and the model and blend that served then (where that was not logged, the newest model trained by
    then). What is told of people is as of now: earlier versions are not kept.
    """

    def __init__(self, home: Home, time: int) -> None:
        super().__init__(home)
        self.time = time
        self.state = fold_log(home, time=time)
        self.catalog_columns = catalog_at(home, home.catalog_past.version_at(time))
        self.artifact = self._artifact()
        following = home.click_following
        self.clicks = following.at(self.artifact, following.edition(self.artifact, time))

    def _artifact(self) -> Artifact | None:
        home = self._home
        served = home.blends.serving_at(self.time)
        if served is not None:
            return artifact_with(home, served.artifact, served.blend_version)
        if home.registry is None:
            return home.artifact
        trained = [one.version for one in home.registry.versions() if one.created_at <= self.time]
        return home.load(home.registry.path(trained[-1])) if trained else None
