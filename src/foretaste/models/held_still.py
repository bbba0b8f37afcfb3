"""A model that is the same for everyone, worked out once for many answers of one moment."""

from typing import Any

import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.models.interface import Moment
from foretaste.models.live_model import SameForEveryone


class HeldStill(SameForEveryone[Any]):
    """`base`, of the kind `name`, as of the first moment asked about: bit-equal while nothing changes."""

    def __init__(self, base: SameForEveryone[Any], name: str) -> None:
        super().__init__(base.config)
        self.name = name
        self._base = base
        self._keys: Floats | None = None

    def keys(self, moment: Moment) -> Floats:
        """Return what orders all items, as of the first moment asked about."""
        if self._keys is None or len(self._keys) != moment.n_items:
            self._keys = self._base.keys(moment)
            self._different = np.unique(self._keys)
            self._finished = self._base.finished(self._different, moment)
        return self._keys

    def finished(self, keys: Floats, moment: Moment) -> Floats:
        """Return the scores of items with these keys, which `keys` gave."""
        self.keys(moment)
        scores: Floats = self._finished[np.searchsorted(self._different, keys)]
        return scores
