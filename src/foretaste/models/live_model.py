"""What the models share that learn nothing: all they know is the state, up to the last event."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.models.entries import write_scores
from foretaste.models.finishing import LOGARITHMIC, TIMES, finish
from foretaste.models.interface import Moment
from foretaste.models.padding import at

C = TypeVar("C", bound=msgspec.Struct)


class LiveModel(Generic[C]):
    """A configuration and nothing else; see `Model`."""

    config_type: type[C]

    def __init__(self, config: C) -> None:
        self._config = config

    @property
    def config(self) -> C:
        """The configuration."""
        return self._config

    def basis(self, moment: Moment) -> None:
        """Return None: scores depend on what others do."""

    def vectors(self, items: Ordinals) -> Floats | None:  # noqa: ARG002 - there are none
        """Return None: there are no vectors."""
        return None

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return nothing: all is in the state."""
        return {}

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:  # noqa: ARG003 - there are none
        """Rebuild the model."""
        return cls(msgspec.convert(dict(config), cls.config_type))


class Sparse(LiveModel[C]):
    """A live model that has a score for few items: all others score 0."""

    @abstractmethod
    def entries(self, history: History, moment: Moment) -> Int64s:
        """Return all scores that are not 0, as entries (see `entries`), each item once, in no order."""

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the scores; see `Model`."""
        scores = np.zeros(moment.n_items, np.float32)
        write_scores(self.entries(history, moment), scores)
        return scores if items is None else at(scores, items)


class SameForEveryone(LiveModel[C]):
    """A live model in which the person's own history plays no part."""

    is_logarithmic: ClassVar[bool] = False
    """Whether a score is log(1 + key · factor), else key · factor; the factor is that of `stage`."""

    @abstractmethod
    def keys(self, moment: Moment) -> Floats:
        """Return what orders all items as their scores do, float32 [moment.n_items]; 0 for a score of 0."""

    def keys_of(self, items: Ordinals, moment: Moment) -> Floats:
        """Return the `keys` of `items` alone, ordinals that the moment has, float32 [len(items)]."""
        found: Floats = self.keys(moment)[items]
        return found

    @abstractmethod
    def stage(self, moment: Moment) -> tuple[Hashable, float]:
        """Return what `keys` depend on beside the items and the events let in, and the factor of scores."""

    def finished(self, keys: Floats, moment: Moment) -> Floats:
        """Return the scores of items with these `keys`."""
        scores = keys.copy()
        finish(scores, self.stage(moment)[1], LOGARITHMIC if self.is_logarithmic else TIMES)
        return scores

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:  # noqa: ARG002 - the same for everyone
        """Return the scores; the history plays no part. See `Model`."""
        keys = self.keys(moment)
        return self.finished(keys if items is None else at(keys, items), moment)

    def explain(self, history: History, item: int, moment: Moment) -> Floats:  # noqa: ARG002 - no event contributes
        """Return zeros: no event of the person's own contributes. See `Model`."""
        return np.zeros(len(history), np.float32)

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:  # noqa: ARG002 - no event contributes
        """Return zeros. See `Model`."""
        return np.zeros((len(items), len(history)), np.float32)
