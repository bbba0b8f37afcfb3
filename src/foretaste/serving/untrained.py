"""What answers before anything was trained, and when a trained model fails."""

from foretaste.domain.artifact import ArtifactManifest
from foretaste.models.interface import Model
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.models.transitions import Transitions, TransitionsConfig
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration

UNTRAINED = "untrained"
WEEK = 604_800.0


def untrained_artifact() -> Artifact:
    """Return the artifact of the models that need no training: their knowledge is the state's.

    Popularity, ever and of late, answers whoever is unknown; transitions answer after the first event. All
    sources count alike, and no score is calibrated: the match of every item is 0.
    """
    models: dict[str, Model] = {
        "popularity": Popularity(PopularityConfig()),
        "popularity_week": Popularity(PopularityConfig(half_life=WEEK)),
        "transitions": Transitions(TransitionsConfig()),
    }
    manifest = ArtifactManifest(
        name=UNTRAINED,
        version=UNTRAINED,
        created_at=0,
        seed=0,
        window={},
        n_users=0,
        n_items=0,
        models={name: {} for name in models},
    )
    return assemble(models, Blend.even(tuple(models)), Calibration.flat(), manifest)
