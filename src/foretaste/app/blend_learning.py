"""Where the blend goes on learning while it serves: in the keeper, as events are folded."""

from collections.abc import Callable
from pathlib import Path

from foretaste.app.blend_records import Learnt, record_of
from foretaste.app.blend_shared import ALWAYS, Learner, Serve, SharedBlend, Told
from foretaste.app.learnt_file import LearntFile
from foretaste.app.stores import Stores
from foretaste.domain.clock import Clock, system_clock
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.online_blend import OnlineBlend, Sampling, Surround


class BlendLearning:
    """Lets the keeper of `stores` learn on, from at most `per_second` events a second of the log's time.

    Every model that serves, and every blend that comes of learning on, is stored with `stores.blends` before
    it serves, and a model that served before goes on from its last blend. Where several processes share the
    stores they serve what they agreed on there (see `SharedBlend`). One process alone serves what it learns
    at once, and keeps in `folder` what does not yet make a step, so that a restart changes nothing.
    """

    def __init__(
        self,
        stores: Stores,
        folder: Path | None,
        *,
        per_second: float,
        clock: Clock = system_clock,
    ) -> None:
        self._stores = stores
        self._per_second = per_second
        self._clock = clock
        self._file = LearntFile(None if folder is None else folder / "blend.json")
        self._shared: SharedBlend | None = None

    def prepared(
        self, artifact: Artifact, catalog: Callable[[], CatalogColumns], serve: Serve
    ) -> Callable[[], Artifact]:
        """Return what lets `artifact` learn on, in place of what learnt before, and returns what serves then.

        Call it while holding the state's lock: what servers have to be asked was asked before. `serve` is
        called with each new blend while the state's lock is held. Raises `UnavailableError` where the blends
        cannot be read.
        """
        keeper = self._stores.keeper
        if not self._stores.writable or self._per_second <= 0.0:
            if self._stores.writable:
                self._note(artifact, *self._last(artifact))
            return lambda: self._begun(artifact, None)

        def learner(changed: Told, asked: Told) -> OnlineBlend:
            around = Surround(catalog, tuple, lambda: self._stores.id_map.names("type"))
            sampling = Sampling(per_second=self._per_second)
            return OnlineBlend(
                keeper.state, artifact, around, sampling=sampling, changed=changed, asked=asked
            )

        if self._stores.freshness is None:
            return lambda: self._start_alone(artifact, learner, serve)
        shared = SharedBlend(self._stores.blends, artifact, learner, serve, clock=self._clock)
        shared.prepare()
        return lambda: self._begun(shared.begin(), shared)

    def is_known(self) -> bool:
        """Whether the blend that should serve now is known; asks for it where it was not to be had before."""
        return self._shared is None or self._shared.is_known()

    def _begun(self, artifact: Artifact, shared: SharedBlend | None) -> Artifact:
        self._stores.keeper.learner = self._shared = shared
        return artifact

    def _start_alone(
        self,
        artifact: Artifact,
        learner: Learner,
        serve: Serve,
    ) -> Artifact:
        number = 0

        def changed(fold: OnlineBlend) -> None:
            nonlocal number
            now = fold.artifact
            record = record_of(now, number + 1, Learnt.by(fold), keeper.state.seq, self._clock())
            self._stores.blends.agree(record)
            number += 1
            serve(now)

        def asked(fold: OnlineBlend) -> None:
            self._file.save(artifact, number, fold.learnt())

        keeper = self._stores.keeper
        fold = learner(changed, asked)
        learnt, number = self._last(artifact)
        learnt.teach(fold)
        number = self._note(fold.artifact, learnt, number)
        self._file.restore(fold, artifact, number)
        keeper.learner = fold
        return fold.artifact

    def _last(self, artifact: Artifact) -> tuple[Learnt, int]:
        """Return what `artifact` had learnt when it last served, and that record's number, 0 for none."""
        found = self._stores.blends.standing(artifact.version, ALWAYS)
        if not found:
            return Learnt.nothing(artifact.blend.sources), 0
        return Learnt.of(found[-1], artifact.blend.sources), found[-1].number

    def _note(self, artifact: Artifact, learnt: Learnt, number: int) -> int:
        """Store that `artifact` begins to serve, unless it served last; return its record's number."""
        last = self._stores.blends.serving_at(ALWAYS)
        serves = (artifact.version, artifact.blend_version)
        if last is not None and (last.artifact, last.blend_version) == serves:
            return number
        record = record_of(artifact, number + 1, learnt, self._stores.keeper.state.seq, self._clock())
        self._stores.blends.agree(record)
        return record.number
