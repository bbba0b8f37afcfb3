"""The fold by which the blend goes on learning: it asks before an event what would come, then lets it in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.errors import CorruptSnapshotError
from foretaste.domain.event import EventColumns
from foretaste.domain.query import Query
from foretaste.events.weights import weigh
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State
from foretaste.pipeline.artifact import Artifact, with_blend
from foretaste.pipeline.compose import sample
from foretaste.pipeline.scenario import HOME, Scenario
from foretaste.pipeline.view import View
from foretaste.ranking.online import OnlineOptions, OnlineWeights
from foretaste.retrieval.masks import consumed

_LEARNT = "blend."


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are asked about: at most `per_second` of the log's own time, none closer than `spacing`.

    Both count from the last question, so that the choice is a function of the log.
    """

    per_second: float = 2.0
    spacing: int = 8


@dataclass(frozen=True, slots=True)
class Surround:
    """What a question needs beside the state: read anew for each, since it may be replaced."""

    catalog: Callable[[], CatalogColumns]
    item_names: Callable[[], Sequence[str]]
    type_names: Callable[[], Sequence[str]]


class OnlineBlend:
    """Implements `domain.Fold` over `state`, which it folds the events into.

    Before an event that it asks about, the composition that ships answers as of that moment; what was
    taken moves the weights (see `OnlineWeights`). Who was merged into somebody is asked about as that person.
    `changed` is called at each step, which makes another `artifact`: the same models under a blend version of
    their own; `asked` after events of which one was asked about, when nobody waits for the state any more.
    Both are handed the fold and need not hold it, so that it goes, models and all, when it is replaced.
    """

    name = "blend"

    def __init__(
        self,
        state: State,
        artifact: Artifact,
        around: Surround,
        *,
        options: OnlineOptions | None = None,
        sampling: Sampling | None = None,
        scenario: Scenario = HOME,
        changed: Callable[["OnlineBlend"], object] = lambda _fold: None,
        asked: Callable[["OnlineBlend"], object] = lambda _fold: None,
    ) -> None:
        self.state = state
        self.weights = OnlineWeights(artifact.blend, options)
        self._artifact = artifact
        self._around = around
        self._sampling = sampling or Sampling()
        self._scenario = scenario
        self._changed = changed
        self._asked = asked
        self._asked_seq = 0
        self._asked_time = -(1 << 62)

    @property
    def seq(self) -> int:
        """The sequence number of the last event applied."""
        return self.state.seq

    @property
    def artifact(self) -> Artifact:
        """The artifact with the blend as it is now."""
        blend = self.weights.blend
        if blend is self._artifact.blend:
            return self._artifact
        return with_blend(self._artifact, blend)

    def apply(self, events: EventColumns) -> int:
        """Fold events into the state, and learn from some of them; return how many were new."""
        new, done, before = 0, 0, self._asked_seq
        with self.state.lock:
            for position in np.flatnonzero(self._signs(events)).tolist():
                if not self._is_due(events, position):
                    continue
                new += self.state.apply(events.take(done, position))
                done = position
                self._ask(events, position)
            new += self.state.apply(events.take(done, len(events)))
        if self._asked_seq != before:
            self._asked(self)
        return new

    def learnt(self) -> dict[str, NDArray[Any]]:
        """Return all that was learnt, and which event was asked about last, as arrays."""
        asked = np.array([self._asked_seq, self._asked_time], np.int64)
        return {**self.weights.snapshot(), "asked": asked}

    def resume(self, learnt: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `learnt` returned; raise `CorruptSnapshotError` if it is of another blend."""
        if len(learnt.get("asked", ())) != 2:
            raise CorruptSnapshotError("what was learnt does not say which event was asked about last")
        self.weights.restore(learnt)
        self._asked_seq, self._asked_time = (int(part) for part in learnt["asked"])

    def snapshot(self) -> Mapping[str, NDArray[Any]]:
        """Return state and weights as arrays."""
        learnt = {_LEARNT + name: array for name, array in self.learnt().items()}
        return {**self.state.snapshot(), **learnt}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become the state and weights that `snapshot` returned."""
        self.resume({name.removeprefix(_LEARNT): arrays[name] for name in arrays if name.startswith(_LEARNT)})
        self.state.restore({name: arrays[name] for name in arrays if not name.startswith(_LEARNT)})

    def _signs(self, events: EventColumns) -> NDArray[np.bool_]:
        """Return which events are new signs of liking, after what the models were trained on."""
        weights = weigh(self._around.type_names(), events.type, events.value, self.state.config.weights)
        trained = self._artifact.manifest.window.get("last_seq", 0)
        return np.asarray((weights > 0.0) & (events.seq > max(self.state.seq, trained)))

    def _is_due(self, events: EventColumns, position: int) -> bool:
        sampling = self._sampling
        if sampling.per_second <= 0.0 or int(events.seq[position]) < self._asked_seq + sampling.spacing:
            return False
        between = int(MICROS_PER_SECOND / sampling.per_second)
        return int(events.time[position]) >= self._asked_time + between

    def _ask(self, events: EventColumns, position: int) -> None:
        """Ask about the event at `position`, unless there is nothing to be learnt from it."""
        user, item, now = (int(column[position]) for column in (events.user, events.item, events.time))
        user = self.state.person(user)
        types = self._scenario.consumed_where(self._artifact.manifest.once)
        had = consumed(self.state.tally(user), types, self._around.type_names())
        if not len(self.state.history(user)) or bool((had == item).any()):
            return
        self._asked_seq, self._asked_time = int(events.seq[position]), now
        view = View(
            state=self.state,
            catalog=self._around.catalog(),
            artifact=self.artifact,
            scenario=self._scenario,
            item_names=self._around.item_names(),
            type_names=self._around.type_names(),
            user=user,
        )
        query = Query(now=now, seed=0, scenario=self._scenario.name)
        if self.weights.learn(sample(query, view, item), user):
            self._changed(self)
