"""Sources that the settings switch off."""

from collections.abc import Sequence

from foretaste.domain.errors import InvalidInputError
from foretaste.pipeline.artifact import Artifact, without_sources
from foretaste.training.sources import optional_sources, usual_sources


def without_switched_off(artifact: Artifact, names: Sequence[str]) -> Artifact:
    """Return the artifact without the sources called `names`.

    Raises `InvalidInputError` for one that there never is, or if none is left.
    """
    shipped = usual_sources(effort="best") | optional_sources()
    for name in names:
        if name not in artifact.models and name not in shipped:
            raise InvalidInputError(
                f"FORETASTE_WITHOUT_SOURCES names {name!r}, which is no source; there are "
                f"{', '.join(artifact.models)}",
                field="without_sources",
            )
    return without_sources(artifact, names)
