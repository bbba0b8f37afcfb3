"""From what was learnt to a version in the registry."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.artifact import ArtifactManifest, Trial, manifest_digest
from foretaste.models.artifact_files import write_json, write_models
from foretaste.models.interface import Model
from foretaste.pipeline.artifact import Artifact
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.training.load import BLEND, CALIBRATION, MANIFEST


def version_of(
    models: Mapping[str, Model],
    blend: Blend,
    calibration: Calibration,
    window: Mapping[str, int],
    seed: int,
    trials: Sequence[Trial] = (),
) -> str:
    """Return the version's name: the day of the last event, and a digest of what was learnt from what.

    The same log, configuration and seed give the same name, whenever and wherever they are trained.
    """
    digest = sha256(
        msgspec.json.encode([window, seed, blend.describe(), calibration.describe()], order="sorted")
    )
    for source, model in models.items():
        digest.update(msgspec.json.encode([source, msgspec.to_builtins(model.config)], order="sorted"))
        for name, array in sorted(model.arrays().items()):
            digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    if trials:
        digest.update(msgspec.json.encode(trials))
    day = datetime.fromtimestamp(window["last_time"] // MICROS_PER_SECOND, UTC)
    return f"{day:%Y%m%d}-{digest.hexdigest()[:10]}"


def stage(artifact: Artifact, directory: Path, metrics: Mapping[str, Any]) -> ArtifactManifest:
    """Write `artifact` with its `metrics` to a new directory, ready for `ModelRegistry.publish`."""
    directory.mkdir(parents=True)
    described, files = write_models(artifact.models, directory)
    blend = write_json(artifact.blend.describe(), directory, BLEND)
    calibration = write_json(artifact.calibration.describe(), directory, CALIBRATION)
    manifest = msgspec.structs.replace(
        artifact.manifest, models=described, metrics=dict(metrics), files=(*files, blend, calibration)
    )
    manifest = msgspec.structs.replace(manifest, hash=manifest_digest(manifest))
    (directory / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return manifest
