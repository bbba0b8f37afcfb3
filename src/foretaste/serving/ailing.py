"""Sources that fail: the others go on without them."""

import time
from collections.abc import Callable

from foretaste.pipeline.artifact import Artifact, without_sources

REST_SECONDS = 60.0
"""After so long a source that failed is tried again."""


class Ailing:
    """Which sources of the model that serves failed lately; `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._others: tuple[Artifact, Artifact, float] | None = None

    def well(self, artifact: Artifact) -> Artifact:
        """Return `artifact` without the sources that failed in the last minute."""
        others = self._others
        if others is None or others[0] is not artifact or self._clock() >= others[2]:
            return artifact
        return others[1]

    def found(self, artifact: Artifact, ask: Callable[[str], object]) -> Artifact | None:
        """Ask each source of `artifact` alone; return it without those that fail.

        None where none fails, or all do: then it is not a source that ails.
        """
        failing = [source for source in artifact.models if _fails(ask, source)]
        if not failing or len(failing) == len(artifact.models):
            return None
        others = without_sources(artifact, failing)
        self._others = (artifact, others, self._clock() + REST_SECONDS)
        return others


def _fails(ask: Callable[[str], object], source: str) -> bool:
    try:
        ask(source)
    except Exception:  # noqa: BLE001 - that is the question
        return True
    return False
