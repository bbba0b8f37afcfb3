"""The model registry: versions of artifacts, and which of them serves."""

from pathlib import Path
from typing import Protocol

from foretaste.domain.artifact import ArtifactManifest


class ModelRegistry(Protocol):
    """Immutable versions and movable aliases (`champion`, `challenger`).

    Promises (`foretaste.testing.contracts.model_registry`):

    - **Atomic.** A version is there with all its files or not at all; an alias names the old or the new
      version at any moment, also across `kill -9`.
    - **Verified.** `path` returns a directory whose files match their sizes and hashes, else raises
      `CorruptArtifactError` naming the file; what does not match cannot be promoted, and is healed when the
      same version is published again.
    - **Reversible.** `rollback` returns an alias to the version it named before.
    - **Bounded.** `retire` removes what nobody used for long; what an alias names, or named before, stays.
    """

    def publish(self, staged: Path) -> ArtifactManifest:
        """Move a complete artifact directory into the registry; raise `CorruptArtifactError` if it is not."""
        ...

    def versions(self) -> list[ArtifactManifest]:
        """Return all versions whose manifest can be read, oldest first."""
        ...

    def damaged(self) -> dict[str, str]:
        """Return what is wrong with each version that `versions` leaves out."""
        ...

    def path(self, version_or_alias: str) -> Path:
        """Return the verified directory of a version; raise `UnknownModelError` naming those there are."""
        ...

    def aliases(self) -> dict[str, str]:
        """Return alias → version."""
        ...

    def promote(self, version: str, alias: str = "champion") -> None:
        """Point an alias to a version; the former target is remembered."""
        ...

    def rollback(self, alias: str = "champion") -> str:
        """Point an alias back to its former target and return that version."""
        ...

    def retire(self, since: int) -> list[str]:
        """Remove versions that no alias named since `since` (microseconds) and return them; see above."""
        ...
