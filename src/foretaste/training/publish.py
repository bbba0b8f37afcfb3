"""From what was learnt to a version in the registry."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.artifact import ArtifactManifest, FileEntry, Trial, manifest_digest
from foretaste.models.artifact_files import write_json, write_models
from foretaste.models.interface import Model
from foretaste.models.tensor_file import write_tensors
from foretaste.pipeline.artifact import Artifact
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.slate_ranker import SlateRanker
from foretaste.training.load import BLEND, CALIBRATION, MANIFEST, RANKER, RANKER_ARRAYS


def version_of(
    models: Mapping[str, Model],
    blend: Blend,
    calibration: Calibration,
    window: Mapping[str, int],
    seed: int,
    trials: Sequence[Trial] = (),
    ranker: SlateRanker | None = None,
) -> str:
    """Return the version's name: the day of the last event, and a digest of what was learnt from what.

    The same log, configuration and seed give the same name, whenever and wherever they are trained.
    """
    digest = sha256(
        msgspec.json.encode([window, seed, blend.describe(), calibration.describe()], order="sorted")
    )
    for source, model in models.items():
        digest.update(msgspec.json.encode([source, msgspec.to_builtins(model.config)], order="sorted"))
        _add_arrays(digest, model.arrays())
    if ranker is not None:
        digest.update(msgspec.json.encode(ranker.describe(), order="sorted"))
        _add_arrays(digest, ranker.arrays())
    if trials:
        digest.update(msgspec.json.encode(trials))
    day = datetime.fromtimestamp(window["last_time"] // MICROS_PER_SECOND, UTC)
    return f"{day:%Y%m%d}-{digest.hexdigest()[:10]}"


class Digest(Protocol):
    """What takes bytes in."""

    def update(self, data: bytes, /) -> object:
        """Take bytes in."""
        ...


def _add_arrays(digest: Digest, arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())


def _write_ranker(ranker: SlateRanker | None, directory: Path) -> tuple[FileEntry, ...]:
    if ranker is None:
        return ()
    return (
        write_json(ranker.describe(), directory, RANKER),
        write_tensors(ranker.arrays(), directory, RANKER_ARRAYS),
    )


def stage(artifact: Artifact, directory: Path, metrics: Mapping[str, Any]) -> ArtifactManifest:
    """Write `artifact` with its `metrics` to a new directory, ready for `ModelRegistry.publish`."""
    directory.mkdir(parents=True)
    described, files = write_models(artifact.models, directory)
    blend = write_json(artifact.blend.describe(), directory, BLEND)
    calibration = write_json(artifact.calibration.describe(), directory, CALIBRATION)
    ranker = _write_ranker(artifact.ranker, directory)
    manifest = msgspec.structs.replace(
        artifact.manifest,
        models=described,
        metrics=dict(metrics),
        files=(*files, blend, calibration, *ranker),
    )
    manifest = msgspec.structs.replace(manifest, hash=manifest_digest(manifest))
    (directory / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return manifest
