"""What an expression may look at beside the catalog: the moment, the person, the context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from foretaste.domain.arrays import Doubles, Int16s, Int64s, Mask, Ordinals
from foretaste.domain.history import History
from foretaste.domain.item import Attribute
from foretaste.domain.person import NO_HISTORY
from foretaste.features.state import Tally

_TYPE_BITS = 16


def nothing_done() -> Tally:
    """Return the tally of somebody without events."""
    return Tally(np.empty(0, np.int32), np.empty(0, np.int16), np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request, as expressions see it: `now` in microseconds, `type_names` by ordinal of event type."""

    now: int
    person: Mapping[str, Attribute] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=nothing_done)
    history: History = NO_HISTORY
    type_names: Sequence[str] = ()

    def times(self, types: Sequence[str], within: int | None) -> tuple[Ordinals, Doubles]:
        """Return the items that the person has events of `types` with (all types if empty), and how many.

        int32 ascending, float64. `within` microseconds before now, None for ever. Within a duration those
        events are counted that the history remembers; what it does not remember counts once.
        """
        tally, chosen = self.tally, self._chosen(types, within)
        count = tally.count[chosen]
        if within is not None:
            count = self._lately(tally.item[chosen], tally.type[chosen], count, self.now - within)
        item, place = np.unique(tally.item[chosen], return_inverse=True)
        return item, np.bincount(place, weights=count, minlength=len(item)).astype(np.float64)

    def done(self, types: Sequence[str], within: int | None) -> Ordinals:
        """Return the items of `times` alone, in no order, int32."""
        return self.tally.item[self._chosen(types, within)]

    def _chosen(self, types: Sequence[str], within: int | None) -> Mask:
        """Return the rows of the tally that are of `types` and, if wanted, as late as that."""
        chosen = self._of_types(self.tally.type, types)
        return chosen if within is None else chosen & (self.tally.last >= self.now - within)

    def _lately(self, item: Ordinals, kind: Int16s, count: Int64s, start: int) -> Int64s:
        """Return how many of `count` events the history remembers from `start` on, at least 1."""
        late = self.history.time >= start
        past = _pairs(self.history.item[late], self.history.type[late])
        known, times = np.unique(past, return_counts=True)
        found = np.ones(len(item), np.int64)
        if len(known):
            wanted = _pairs(item, kind)
            place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
            found = np.where(known[place] == wanted, times[place], 1)
        return np.asarray(np.minimum(found, count))

    def _of_types(self, kind: Int16s, types: Sequence[str]) -> Mask:
        if not types:
            return np.ones(len(kind), np.bool_)
        wanted = np.array([name in types for name in self.type_names], np.bool_)
        return np.asarray(wanted[kind]) if len(kind) else np.zeros(0, np.bool_)


def _pairs(item: Ordinals, kind: Int16s) -> Int64s:
    return np.asarray((item.astype(np.int64) << _TYPE_BITS) | kind)
