"""What was learnt of a blend, to and from the records that are kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.errors import NotFoundError
from foretaste.pipeline.artifact import Artifact, with_blend
from foretaste.pipeline.online_blend import OnlineBlend
from foretaste.ports.blend_store import BlendRecord, BlendStore
from foretaste.ranking.blend import Blend
from foretaste.ranking.online import OnlineWeights

COMPARED = 6


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt up to a step, of each source in the order of the blend's; see `BlendRecord`."""

    shift: tuple[float, ...]
    compared: tuple[float, ...]
    asked: tuple[int, int]

    @classmethod
    def nothing(cls, sources: Sequence[str]) -> Self:
        """Return what a new model has learnt."""
        return cls((0.0,) * len(sources), (0.0,) * COMPARED, (0, -(1 << 62)))

    @classmethod
    def of(cls, record: BlendRecord, sources: Sequence[str]) -> Self:
        """Return what a record tells of `sources`, which may be others than served then."""
        return cls(record.shift_of(sources), record.compared or (0.0,) * COMPARED, record.asked)

    @classmethod
    def by(cls, fold: OnlineBlend) -> Self:
        """Return what a fold has learnt, which made a step just now."""
        told = fold.learnt()
        seq, time = told["asked"].tolist()
        return cls(tuple(told["shift"].tolist()), tuple(told["compared"].tolist()), (seq, time))

    def teach(self, fold: OnlineBlend) -> None:
        """Let a fold go on from here, with no question pending."""
        n = len(self.shift)
        arrays: Mapping[str, NDArray[Any]] = {
            "shift": np.array(self.shift, np.float64),
            "compared": np.array(self.compared, np.float64),
            "asked": np.array(self.asked, np.int64),
            "person": np.empty(0, np.int64),
            "count": np.empty(0, np.int64),
            "slope": np.empty((0, n), np.float64),
        }
        fold.resume(arrays)

    def served_by(self, trained: Artifact) -> Artifact:
        """Return `trained` with the blend that this makes of its own."""
        weights = OnlineWeights(trained.blend)
        weights.shift = np.array(self.shift, np.float64)
        blend = weights.blend
        return trained if blend is trained.blend else with_blend(trained, blend)


def record_of(artifact: Artifact, number: int, learnt: Learnt, seq: int, time: int) -> BlendRecord:
    """Return the record that `artifact` serves from after `seq` on, as of `time`."""
    return BlendRecord(
        seq=seq,
        number=number,
        time=time,
        artifact=artifact.version,
        blend_version=artifact.blend_version,
        shift=learnt.shift,
        compared=learnt.compared,
        asked=learnt.asked,
        described=msgspec.Raw(msgspec.json.encode(artifact.blend.describe())),
    )


def artifact_served(store: BlendStore, artifact: Artifact, blend_version: str) -> Artifact:
    """Return `artifact` with the blend of that version; raise `NotFoundError` if it had none such."""
    if artifact.blend_version == blend_version:
        return artifact
    record = store.named(artifact.version, blend_version)
    if record is None:
        raise NotFoundError(
            f"model {artifact.version} never served with a blend {blend_version!r}, or it is kept no more",
            field="blend_version",
        )
    return with_blend(artifact, Blend.from_description(msgspec.json.decode(record.described)))
