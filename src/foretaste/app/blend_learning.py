"""Where the blend goes on learning while it serves: in the keeper, as events are folded."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from foretaste.app.blend_log import BlendLog, record_of
from foretaste.app.stores import Stores
from foretaste.domain.clock import Clock, system_clock
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.online_blend import OnlineBlend, Sampling, Surround

BLENDS = "blends.jsonl"


class BlendLearning:
    """Lets the keeper of `stores` learn on, from at most `per_second` events a second of the log's time.

    Every model that serves, and every blend that comes of learning on, is logged in `folder` (nowhere without
    one) before it serves. A model that served before goes on from its last blend.
    """

    def __init__(
        self,
        stores: Stores,
        folder: Path | None,
        *,
        per_second: float,
        clock: Clock = system_clock,
    ) -> None:
        self.log = BlendLog(None if folder is None else folder / BLENDS)
        self._stores = stores
        self._per_second = per_second
        self._clock = clock

    def start(
        self,
        artifact: Artifact,
        catalog: Callable[[], CatalogColumns],
        serve: Callable[[Artifact], object],
    ) -> Artifact:
        """Learn on from `artifact`, in place of what was learnt on before; return what serves now.

        `serve` is called with each new blend while the state's lock is held.
        """
        keeper = self._stores.keeper
        keeper.learner = None
        if not self._stores.writable:
            return artifact
        if self._per_second <= 0.0:
            self._log_start(artifact, self._learnt(artifact))
            return artifact

        def changed(now: Artifact) -> None:
            shift = tuple(learner.weights.shift.tolist())
            self.log.add(record_of(now, shift, keeper.state.seq, self._clock()))
            serve(now)

        around = Surround(catalog, tuple, lambda: self._stores.id_map.names("type"))
        sampling = Sampling(per_second=self._per_second)
        learner = OnlineBlend(keeper.state, artifact, around, sampling=sampling, changed=changed)
        learner.weights.shift = np.array(self._learnt(artifact), np.float64)
        keeper.learner = learner
        self._log_start(learner.artifact, tuple(learner.weights.shift.tolist()))
        return learner.artifact

    def _learnt(self, artifact: Artifact) -> tuple[float, ...]:
        """Return the shift of each source that `artifact` last served with, zeros if it never did."""
        last, sources = self.log.latest(artifact.version), artifact.blend.sources
        return (0.0,) * len(sources) if last is None else last.shift_of(sources)

    def _log_start(self, artifact: Artifact, shift: tuple[float, ...]) -> None:
        """Log that `artifact` begins to serve, unless it is what served last."""
        last = self.log.last()
        if last is None or (last.artifact, last.blend_version) != (artifact.version, artifact.blend_version):
            self.log.add(record_of(artifact, shift, self._stores.keeper.state.seq, self._clock()))
