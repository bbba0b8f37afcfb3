"""What may be searched over in each kind of source, and how far.

A parameter is a place on a line from 0 to 1, so that steps mean the same for all of them.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec
import numpy as np

from foretaste.features.recency import Recency
from foretaste.models.content import ContentConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.nmf import NMFConfig
from foretaste.models.repetition import RepetitionConfig
from foretaste.models.session_knn import SessionKNNConfig
from foretaste.models.transitions import TransitionsConfig

Values = Mapping[str, Any]
"""Values of parameters by path; those that are absent are None."""

NONE_FROM = 0.875
"""Where None is possible, it has the last eighth of the line."""
DIGITS = 4
"""Values are rounded to so many significant digits: more would only be noise in reports."""


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a configuration: `path` is its name, or those of nested structs joined by dots.

    A number from `low` to `high`, on a linear or logarithmic scale, `whole` or not; or one of `choices`, in
    their order. `relative`: `low` and `high` multiply the value at which the search began, for what fits to
    one catalog only. `absent`: None is possible, and is what the highest value comes near to. `refit`: a
    change needs a new fit; else it only changes how the fitted model scores. `timed`: it means nothing
    without times.
    """

    path: str
    low: float = 0.0
    high: float = 1.0
    scale: Literal["linear", "log"] = "linear"
    whole: bool = False
    choices: tuple[Any, ...] = ()
    relative: bool = False
    absent: bool = False
    refit: bool = True
    timed: bool = False

    def value(self, place: float, start: Any) -> Any:
        """Return what stands at `place`, 0 to 1, in a search that began at the value `start`."""
        if self.choices:
            return self.choices[min(int(place * len(self.choices)), len(self.choices) - 1)]
        if self.absent:
            if place >= NONE_FROM:
                return None
            place /= NONE_FROM
        low, high = self._ends(start)
        found = low * (high / low) ** place if self.scale == "log" else low + place * (high - low)
        return round(found) if self.whole else float(f"{found:.{DIGITS}g}")

    def place(self, value: Any, start: Any) -> float:
        """Return where `value` stands; what is outside stands at the nearer end."""
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices) if value in self.choices else 0.5
        if value is None:
            return 0.5 * (1.0 + NONE_FROM) if self.absent else 0.5
        low, high = self._ends(start)
        part = (
            np.log(max(value, low) / low) / np.log(high / low)
            if self.scale == "log"
            else (value - low) / (high - low)
        )
        return float(np.clip(part, 0.0, 1.0)) * (NONE_FROM * (1.0 - 1e-9) if self.absent else 1.0)

    def _ends(self, start: Any) -> tuple[float, float]:
        factor = float(start) if self.relative and start else 1.0
        return self.low * factor, self.high * factor


def _recency(fastest: float = 0.5) -> tuple[Parameter, ...]:
    path = "recency.half_life_events"
    return (
        Parameter(path=path, low=fastest, high=200.0, scale="log", absent=True, refit=False, timed=True),
        Parameter(path="recency.power", high=1.5, refit=False, timed=True),
    )


STRENGTH = Parameter(path="strength_power")
SPACES: Mapping[type, tuple[Parameter, ...]] = MappingProxyType(
    {
        IALSConfig: (
            *_recency(fastest=2.0),
            Parameter(path="regularization", low=0.25, high=4.0, scale="log", relative=True),
            Parameter(path="unobserved", low=0.25, high=4.0, scale="log", relative=True),
            Parameter(path="epochs", low=3, high=12, scale="log", whole=True),
            Parameter(path="dim", choices=(64, 128, 256, 512)),
            Parameter(path="window", choices=(25, 50, 100, 200, None), timed=True),
            STRENGTH,
        ),
        EaseConfig: (
            *_recency(),
            Parameter(path="regularization", low=0.1, high=10.0, scale="log", relative=True),
            STRENGTH,
        ),
        GraphFilterConfig: (
            *_recency(),
            Parameter(path="event"),
            Parameter(path="user", high=1.5),
            Parameter(path="target"),
            Parameter(path="sharpness", low=0.25, high=4.0, scale="log", relative=True),
            Parameter(path="neighbours", choices=(100, 200, 300, 500)),
            STRENGTH,
        ),
        TransitionsConfig: (
            *_recency(),
            Parameter(path="damping", high=1.2, refit=False, timed=True),
            Parameter(path="discount", refit=False, timed=True),
            Parameter(path="events", low=2, high=60, scale="log", whole=True, refit=False, timed=True),
        ),
        SessionKNNConfig: (
            *_recency(),
            Parameter(path="events", low=2, high=40, scale="log", whole=True, refit=False, timed=True),
            Parameter(path="neighbours", low=50, high=800, scale="log", whole=True, refit=False, timed=True),
            Parameter(path="before", refit=False, timed=True),
            Parameter(path="half_life", low=0.5, high=64.0, scale="log", refit=False, timed=True),
            Parameter(path="damping", refit=False, timed=True),
            Parameter(path="discount", refit=False, timed=True),
        ),
        RepetitionConfig: (*_recency(), Parameter(path="latest", refit=False, timed=True)),
        NMFConfig: _recency(fastest=2.0),
        ContentConfig: (
            *_recency(),
            Parameter(path="profile_terms", low=16, high=512, scale="log", whole=True, refit=False),
        ),
    }
)
"""The parameters of each kind of fitted model; a kind that is not named has nothing to search."""


def space_of(config: Any, *, timed: bool, refit: bool) -> tuple[Parameter, ...]:
    """Return the parameters of `config` that mean something: with `refit` off only those that need none."""
    every = SPACES.get(type(config), ())
    return tuple(one for one in every if (timed or not one.timed) and (refit or not one.refit))


def values_of(config: Any, space: Sequence[Parameter]) -> dict[str, Any]:
    """Return the values that `config` has in `space`."""
    found = {}
    for parameter in space:
        value = config
        for name in parameter.path.split("."):
            value = getattr(value, name, None)
        found[parameter.path] = value
    return found


def with_values(config: Any, values: Values) -> Any:
    """Return `config` with `values`; raise `AttributeError` or `TypeError` for a path that it lacks."""
    for path, value in values.items():
        name, _, rest = path.partition(".")
        inner = with_values(getattr(config, name) or Recency(), {rest: value}) if rest else value
        config = msgspec.structs.replace(config, **{name: inner})
    return config
