"""What the models share that learn nothing: all they know is the state, up to the last event."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Ordinals
from foretaste.domain.history import History
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


class SameForEveryone(LiveModel[C]):
    """A live model in which the person's own history plays no part."""

    @abstractmethod
    def keys(self, moment: Moment) -> Floats:
        """Return what orders all items as their scores do, float32 [moment.n_items]; 0 for a score of 0."""

    @abstractmethod
    def finished(self, keys: Floats, moment: Moment) -> Floats:
        """Return the scores of items with these `keys`."""

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
