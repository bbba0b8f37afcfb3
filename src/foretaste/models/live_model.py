"""What the models share that learn nothing: all they know is the state, up to the last event."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar
from weakref import ref

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.features.item_state import ItemState
from foretaste.models.entries import write_scores
from foretaste.models.finishing import LOGARITHMIC, TIMES, finish
from foretaste.models.interface import Model, Moment
from foretaste.models.padding import at

C = TypeVar("C", bound=msgspec.Struct)

MOST_UNTIL_EVENT = 256
"""What any event changes is kept of so many histories at most."""


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


@dataclass(slots=True, eq=False, weakref_slot=True)
class Told:
    """What a sparse model said of a history: the `entries`, up to the event `seq`, asked by `user`.

    `made_of` is what the model needs to tell whether later events change it.
    """

    items: ItemState
    breaks: int
    seq: int
    user: int
    entries: Int64s
    made_of: Any
    kept: dict[Any, Any] = field(default_factory=dict)
    """What others made of the entries; it lives as long as they do."""

    @property
    def nbytes(self) -> int:
        """How many bytes the entries take."""
        return self.entries.nbytes


class Sparse(LiveModel[C]):
    """A live model that has a score for few items: all others score 0."""

    outlives_events: ClassVar[bool] = False
    """Whether what is said may stand after an event (see `stands`); else it is kept until the next one."""

    def __init__(self, config: C) -> None:
        super().__init__(config)
        self._until_event: list[Told] = []

    def told(self, history: History, moment: Moment) -> Told | None:
        """Return what is said of a history: the same object until that changes.

        None where that depends on the time, or there is no history.
        """
        if not len(history) or self.fades_with_time:
            return None
        items, kept = moment.items, self._kept(history)
        if kept is None or not (
            kept.items is items
            and kept.breaks == items.breaks
            and kept.user == moment.user
            and (kept.seq == moment.seq or self.stands(kept, moment))
        ):
            entries, made_of = self.made(history, moment)
            kept = Told(items, items.breaks, moment.seq, moment.user, entries, made_of)
            self._keep(history, kept)
        kept.seq = moment.seq
        return kept

    def _kept(self, history: History) -> Told | None:
        kept = history.memo.get((Told, self))
        if isinstance(kept, ref):
            kept = kept()
        return kept

    def _keep(self, history: History, told: Told) -> None:
        """Keep it with the history; where any event changes it, until then, and only for the latest."""
        if self.outlives_events:
            told.entries = told.entries.copy()  # what they are a part of has room for more
            history.memo[Told, self] = told
            return
        latest = self._until_event
        if latest and (latest[-1].seq != told.seq or len(latest) >= MOST_UNTIL_EVENT):
            latest.clear()
        latest.append(told)
        history.memo[Told, self] = ref(told)

    @property
    @abstractmethod
    def fades_with_time(self) -> bool:
        """Whether scores change while nothing happens."""

    @abstractmethod
    def made(self, history: History, moment: Moment) -> tuple[Int64s, Any]:
        """Return the `entries`, and what tells whether they stand (see `stands`)."""

    def stands(self, told: Told, moment: Moment) -> bool:  # noqa: ARG002 - nothing is known of it
        """Return whether the events after `told.seq` change nothing of it; False where that is not known."""
        return False

    def entries(self, history: History, moment: Moment) -> Int64s:
        """Return all scores that are not 0, as entries (see `entries`), each item once, in no order."""
        return self.made(history, moment)[0]

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the scores; see `Model`."""
        scores = np.zeros(moment.n_items, np.float32)
        write_scores(self.entries(history, moment), scores)
        return scores if items is None else at(scores, items)


def basis_of(model: Model, history: History, moment: Moment) -> object | None:
    """Return what the scores of a history depend on beside it: another object once that changes.

    None without a history, and where it cannot be told.
    """
    if not len(history):
        return None
    return model.told(history, moment) if isinstance(model, Sparse) else model.basis(moment)


class SameForEveryone(LiveModel[C]):
    """A live model in which the person's own history plays no part: everyone of an audience gets the same."""

    is_logarithmic: ClassVar[bool] = False
    """Whether a score is log(1 + key · factor), else key · factor; the factor is that of `stage`."""

    @abstractmethod
    def keys(self, moment: Moment) -> Floats:
        """Return what orders all items as their scores do, float32 [moment.n_items]; 0 for a score of 0."""

    def keys_of(self, items: Ordinals, moment: Moment) -> Floats:
        """Return the `keys` of `items` alone, ordinals that the moment has, float32 [len(items)]."""
        found: Floats = self.keys(moment)[items]
        return found

    def audience(self, moment: Moment) -> Hashable:  # noqa: ARG002 - here it is everyone
        """Return for whom `keys` are the same: all of whom this is the same; None for really everyone."""
        return None

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
