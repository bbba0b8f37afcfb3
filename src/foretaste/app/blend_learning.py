"""Where the blend goes on learning while it serves: in the keeper, as events are folded."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from foretaste.app.blend_log import BlendLog, record_of
from foretaste.app.stores import Stores
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.online_blend import OnlineBlend, Sampling, Surround

BLENDS = "blends.jsonl"


class BlendLearning:
    """Lets the keeper of `stores` learn on, from at most `per_second` events a second of the log's time.

    Every blend that comes of it is logged in `folder` (nowhere without one) before it serves. A model that
    served before goes on from its last blend.
    """

    def __init__(self, stores: Stores, folder: Path | None, *, per_second: float) -> None:
        self.log = BlendLog(None if folder is None else folder / BLENDS)
        self._stores = stores
        self._per_second = per_second

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
        if not self._stores.writable or self._per_second <= 0.0:
            return artifact

        def changed(now: Artifact) -> None:
            self.log.add(record_of(now, tuple(learner.weights.shift.tolist()), keeper.state.seq))
            serve(now)

        around = Surround(catalog, tuple, lambda: self._stores.id_map.names("type"))
        sampling = Sampling(per_second=self._per_second)
        learner = OnlineBlend(keeper.state, artifact, around, sampling=sampling, changed=changed)
        last = self.log.latest(artifact.version)
        if last is not None and len(last.shift) == len(artifact.blend.sources):
            learner.weights.shift = np.array(last.shift, np.float64)
        keeper.learner = learner
        return learner.artifact
