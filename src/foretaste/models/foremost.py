"""Which past item speaks most for others: of each one, without what all the others say."""

from abc import ABC, abstractmethod

import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.history import History
from foretaste.models.interface import Model, Moment


class Foremost(ABC):
    """A model that can tell it for less than all shares take."""

    @abstractmethod
    def foremost(self, history: History, items: Ordinals, moment: Moment) -> Ordinals:
        """Do as `foremost` with this model."""


def foremost(model: Model, history: History, items: Ordinals, moment: Moment) -> Ordinals:
    """Return the past item that adds most to the score of each of `items`, int32; -1 where none adds to it.

    The earliest event of those that add as much as each other counts.
    """
    if isinstance(model, Foremost):
        return model.foremost(history, items, moment)
    shares = model.explain_each(history, items, moment)
    if not shares.shape[1]:
        return np.full(len(items), -1, np.int32)
    most = shares.argmax(axis=1)
    adds = shares[np.arange(len(items)), most] > 0.0
    return np.where(adds, history.item[most], -1).astype(np.int32)
