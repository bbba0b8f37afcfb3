"""What one process has learnt since the blend's last step, in a file: so that a restart changes nothing."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.errors import CorruptSnapshotError
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.online_blend import OnlineBlend

TYPES = {
    "shift": float,
    "compared": float,
    "slope": float,
    "person": np.int64,
    "count": np.int64,
    "asked": np.int64,
}
_log = logging.getLogger(__name__)


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What `OnlineBlend.learnt` gave after blend `number` of an artifact with these sources."""

    artifact: str
    sources: tuple[str, ...]
    number: int
    learnt: dict[str, list[Any]]


class LearntFile:
    """Keeps what was learnt in the file at `path`, nowhere without one; where it is lost, less was learnt."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def save(self, artifact: Artifact, number: int, learnt: Mapping[str, NDArray[Any]]) -> None:
        """Keep what was learnt since the blend `number` of `artifact`; a full disk is no error."""
        if self._path is None:
            return
        kept = _Kept(
            artifact=artifact.version,
            sources=artifact.blend.sources,
            number=number,
            learnt={name: array.tolist() for name, array in learnt.items()},
        )
        partial = self._path.with_suffix(".partial")
        try:
            partial.write_bytes(msgspec.json.encode(kept))
            partial.replace(self._path)
        except OSError as error:
            _log.warning("what the blend learns could not be kept: %s", error)

    def restore(self, fold: OnlineBlend, artifact: Artifact, number: int) -> None:
        """Let `fold` go on from what is kept, if that is what came after this blend."""
        if self._path is None or not self._path.is_file():
            return
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
            wanted = (artifact.version, artifact.blend.sources, number)
            if (kept.artifact, kept.sources, kept.number) == wanted:
                arrays = {name: np.array(kept.learnt[name], kind) for name, kind in TYPES.items()}
                arrays["slope"] = arrays["slope"].reshape(-1, len(kept.sources))
                fold.resume(arrays)
        except (OSError, msgspec.MsgspecError, KeyError, ValueError, CorruptSnapshotError) as error:
            _log.warning("%s cannot be read, the blend learns on without it: %s", self._path.name, error)
