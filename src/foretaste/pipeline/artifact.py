"""What training hands to serving: models, blend and calibration under one version."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.errors import InvalidInputError
from foretaste.models.interface import Model
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.ranking.slate_ranker import SlateRanker


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """Everything learnt that an answer needs; immutable, swapped as one reference.

    `models` maps a source's name to its model. `manifest` names and dates the trained models.
    `blend_version` is a digest of blend and calibration, which may change without new models. `ranker`
    orders the blend's best anew; None where too few slates were logged to learn one that is better. `memo` is
    where those who answer keep what follows from the artifact alone.
    """

    models: Mapping[str, Model]
    blend: Blend
    calibration: Calibration
    manifest: ArtifactManifest
    blend_version: str
    ranker: SlateRanker | None = None
    memo: dict[Any, Any] = field(default_factory=dict, init=False)

    @property
    def version(self) -> str:
        """The version of the trained models."""
        return self.manifest.version


def assemble(
    models: Mapping[str, Model],
    blend: Blend,
    calibration: Calibration,
    manifest: ArtifactManifest,
    ranker: SlateRanker | None = None,
) -> Artifact:
    """Return the artifact of these parts, its blend version computed from their contents."""
    described = msgspec.json.encode([blend.describe(), calibration.describe()], order="sorted")
    return Artifact(
        models=dict(models),
        blend=blend,
        calibration=calibration,
        manifest=manifest,
        blend_version=sha256(described).hexdigest()[:12],
        ranker=ranker,
    )


def with_blend(artifact: Artifact, blend: Blend) -> Artifact:
    """Return `artifact` with another blend, under a blend version of its own."""
    return assemble(artifact.models, blend, artifact.calibration, artifact.manifest, artifact.ranker)


def without_sources(artifact: Artifact, names: Collection[str]) -> Artifact:
    """Return `artifact` without the sources called `names`, as if they had not been trained.

    What the others weigh stays as it is to each other (see `Blend.without`). Names that it does not have
    change nothing. Raises `InvalidInputError` where no source would be left.
    """
    models = {source: model for source, model in artifact.models.items() if source not in names}
    if len(models) == len(artifact.models):
        return artifact
    if not models:
        raise InvalidInputError(
            f"no source is left of {', '.join(artifact.models)}; leave at least one switched on",
            field="without_sources",
        )
    blend = artifact.blend.without(*names)
    return assemble(models, blend, artifact.calibration, artifact.manifest, artifact.ranker)
