"""What training is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from foretaste.domain.errors import InvalidInputError
from foretaste.features.state import StateConfig
from foretaste.models.content import ContentConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.interface import Learner
from foretaste.models.item_item import ItemItemConfig
from foretaste.models.nmf import NMFConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.transitions import TransitionsConfig
from foretaste.pipeline.scenario import HOME, Scenario

Progress = Callable[[str, float], object]
"""Told the stage (`prepare`, `fit`, `evaluate`, `gate`, `publish`) and how much of it is done, 0 to 1."""


def silent(_stage: str, _share: float) -> None:
    """Tell nobody."""


def usual_sources() -> dict[str, Learner]:
    """Return the sources that ship: what each is called, and how it is learnt."""
    return {
        "popularity": PopularityConfig(),
        "popularity_month": PopularityConfig(half_life=2_592_000.0),
        "popularity_week": PopularityConfig(half_life=604_800.0),
        "popularity_day": PopularityConfig(half_life=86_400.0),
        "popularity_hour": PopularityConfig(half_life=3600.0),
        "ials": IALSConfig(),
        "item_item": ItemItemConfig(),
        "transitions": TransitionsConfig(),
        "together": TransitionsConfig(relation="together"),
        "content": ContentConfig(),
    }


def chosen_sources(names: Sequence[str]) -> dict[str, Learner]:
    """Return the sources of these names, the usual ones for none; there is `nmf` besides the usual.

    Raises `InvalidInputError` that lists the names there are.
    """
    there = {**usual_sources(), "nmf": NMFConfig()}
    for name in names:
        if name not in there:
            raise InvalidInputError(
                f"no source is called {name!r}; there are {', '.join(there)}", field="sources"
            )
    return {name: there[name] for name in there if name in names} if names else usual_sources()


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How training goes about it.

    `sources` maps the name of a source to its learner. `state` must be what the service remembers. `days`
    limits learning and judging to the last so many days of the log (None: all of it). Of this window, the
    share `validation` before the last `test` tunes the blend, and the last `test` judges. `tuned` and
    `judged` bound the number of questions replayed for each (None: all), drawn by the seed.
    """

    sources: Mapping[str, Learner] = field(default_factory=usual_sources)
    state: StateConfig = field(default_factory=StateConfig)
    scenario: Scenario = HOME
    name: str = "foretaste"
    days: float | None = None
    validation: float = 0.1
    test: float = 0.1
    tuned: int | None = 3000
    judged: int | None = 2000
    k: int = 10
    tolerance: float = 0.01
    """The gate lets pass what is worse by less than this, relatively, whatever the interval says."""

    fewest: int = 30
    """With fewer questions than this the gate judges nothing."""
