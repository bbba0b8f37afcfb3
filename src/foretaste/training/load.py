"""An artifact read back from its directory."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.errors import CorruptArtifactError
from foretaste.models.artifact_files import read_json, read_models
from foretaste.models.cold_sharing import share_knowledge
from foretaste.models.tensor_file import read_tensors
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.slate_ranker import SlateRanker

MANIFEST, BLEND, CALIBRATION = "manifest.json", "blend.json", "calibration.json"
RANKER, RANKER_ARRAYS = "ranker.json", "ranker.safetensors"


def load_artifact(directory: Path) -> Artifact:
    """Return the artifact that `training.publish.stage` wrote to `directory`.

    Raises `CorruptArtifactError` where a file is absent or not what the manifest says.
    """
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=ArtifactManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise CorruptArtifactError(
            f"{directory / MANIFEST} cannot be read: {error}", field=MANIFEST
        ) from error
    models = read_models(directory, manifest)
    share_knowledge(models.values())
    try:
        blend = Blend.from_description(_described(directory, manifest, BLEND))
        calibration = Calibration.from_description(_described(directory, manifest, CALIBRATION))
    except (KeyError, ValueError, TypeError) as error:
        raise CorruptArtifactError(
            f"the artifact {manifest.version} has a blend or calibration that is none ({error}); train again",
            field=BLEND,
        ) from error
    return assemble(models, blend, calibration, manifest, _ranker(directory, manifest))


def _ranker(directory: Path, manifest: ArtifactManifest) -> SlateRanker | None:
    """Return the ranker of slates; None in an artifact that has none."""
    entry = next((entry for entry in manifest.files if entry.path == RANKER_ARRAYS), None)
    if entry is None:
        return None
    try:
        ranker = SlateRanker.from_arrays(
            _described(directory, manifest, RANKER), read_tensors(entry, directory)
        )
    except (KeyError, ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
        raise CorruptArtifactError(
            f"the artifact {manifest.version} has a ranker that is none ({error}); train again", field=RANKER
        ) from error
    ranker.warm_up()
    return ranker


def _described(directory: Path, manifest: ArtifactManifest, name: str) -> dict[str, Any]:
    return msgspec.json.decode(read_json(directory, manifest, name), type=dict[str, Any])
