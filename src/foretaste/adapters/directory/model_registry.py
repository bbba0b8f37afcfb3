"""The model registry as a directory: `versions/<version>/` and `aliases.json`."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import mkdtemp

import msgspec

from foretaste.adapters.directory.artifact_directory import make_durable, read_manifest, sync, verify
from foretaste.domain.artifact import ArtifactManifest
from foretaste.domain.errors import CorruptArtifactError, InvalidInputError, UnknownModelError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
LONGEST_PAST = 100
"""Former targets that an alias remembers."""
KEPT_TARGETS = 2
"""The target of an alias and the one that `rollback` returns to stay, however old they are."""


class DirectoryModelRegistry:
    """Implements `ports.model_registry.ModelRegistry` for any number of processes on one machine.

    A version appears by the renaming of a complete, synced directory and never changes. `aliases.json` maps
    each alias to the versions it named, the present one last, and is replaced as a whole. When an alias
    leaves a version, its directory's time of change says so.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._versions = root / "versions"

    def publish(self, staged: Path) -> ArtifactManifest:
        """Move a complete artifact directory in; an equal one that is there already changes nothing.

        One that was damaged since is replaced, so that training again heals it.

        Raises `CorruptArtifactError` if it is incomplete, or differs from the version of its name.
        """
        manifest = read_manifest(staged)
        verify(staged, manifest)
        if not NAME.fullmatch(manifest.version):
            raise CorruptArtifactError(f"{manifest.version!r} cannot name a version", field="version")
        self._versions.mkdir(parents=True, exist_ok=True)
        target = self._versions / manifest.version
        with self._alone():
            if target.exists():
                return self._known(target, manifest, staged)
            make_durable(staged)
            self._move(staged, target)
            sync(self._versions)
        return manifest

    def versions(self) -> list[ArtifactManifest]:
        """Return all versions whose manifest can be read, oldest first."""
        manifests = []
        for path in self._directories():
            try:
                manifests.append(read_manifest(path))
            except CorruptArtifactError:
                continue
        return sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.version))

    def damaged(self) -> dict[str, str]:
        """Return what is wrong with each version that `versions` leaves out: its manifest cannot be read."""
        reasons = {}
        for path in sorted(self._directories()):
            try:
                read_manifest(path)
            except CorruptArtifactError as error:
                reasons[path.name] = error.message
        return reasons

    def path(self, version_or_alias: str) -> Path:
        """Return the verified directory of a version or of what an alias names.

        Raises `CorruptArtifactError` where it is damaged, or gone though an alias names it.
        """
        aliases = self.aliases()
        version = aliases.get(version_or_alias, version_or_alias)
        if version in aliases.values() and not (self._versions / version).is_dir():
            raise CorruptArtifactError(
                f"the model version {version} is gone from {self._versions}; train again, or let another "
                "version serve: foretaste models promote VERSION",
                field="version",
            )
        directory = self._existing(version)
        verify(directory, read_manifest(directory))
        return directory

    def aliases(self) -> dict[str, str]:
        """Return alias → version."""
        return {alias: past[-1] for alias, past in self._past().items() if past}

    def promote(self, version: str, alias: str = "champion") -> None:
        """Point an alias to a version; to point it to where it points already changes nothing.

        Raises `CorruptArtifactError` for a version that is damaged.
        """
        if not NAME.fullmatch(alias):
            raise InvalidInputError(
                f"{alias!r} cannot be an alias: use letters, digits and . _ -", field="alias"
            )
        self.path(version)
        with self._alone():
            past = self._past()
            before = past.get(alias, [])
            if before[-1:] != [version]:
                self._note_left(before)
                self._write({**past, alias: [*before, version][-LONGEST_PAST:]})

    def rollback(self, alias: str = "champion") -> str:
        """Point an alias back to its former target and return that version.

        Rolling back twice goes back two steps. Raises `UnknownModelError` where there is no such target, and
        `CorruptArtifactError` where it is damaged.
        """
        with self._alone():
            past = self._past()
            before = past.get(alias, [])[:-1]
            if not before:
                raise UnknownModelError(f"{alias!r} has no former version to return to", field="alias")
            self.path(before[-1])
            self._note_left(past[alias])
            self._write({**past, alias: before})
        return before[-1]

    def retire(self, since: int) -> list[str]:
        """Remove versions that came, and were left by the last alias, before `since` (microseconds).

        Those that an alias names, or that `rollback` would return to, stay. Returns what was removed.
        """
        with self._alone():
            past = self._past()
            kept = {version for named in past.values() for version in named[-KEPT_TARGETS:]}
            others = [path for path in self._directories() if path.name not in kept]
            unused = [path for path in others if _changed(path) < since]
            gone = sorted(path.name for path in unused)
            if gone and past:
                left = {alias: [one for one in named if one not in gone] for alias, named in past.items()}
                self._write(left)
            for path in unused:
                aside = Path(mkdtemp(prefix=".retired-", dir=self._versions))
                path.rename(aside / path.name)
                shutil.rmtree(aside)
        return gone

    def _note_left(self, past: Sequence[str]) -> None:
        for version in past[-1:]:
            with suppress(FileNotFoundError):
                os.utime(self._versions / version)

    def _existing(self, version: str) -> Path:
        directory = self._versions / version
        if not NAME.fullmatch(version) or not directory.is_dir():
            known = ", ".join(manifest.version for manifest in self.versions()) or "none yet"
            raise UnknownModelError(f"no model version {version!r}; there are: {known}", field="version")
        return directory

    def _directories(self) -> list[Path]:
        if not self._versions.is_dir():
            return []
        return [path for path in self._versions.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]

    def _known(self, target: Path, manifest: ArtifactManifest, staged: Path) -> ArtifactManifest:
        present = _manifest_if_readable(target)
        if present is None or (present.hash == manifest.hash and not _is_whole(target, present)):
            self._replace(staged, target)
            return manifest
        if present.hash != manifest.hash:
            raise CorruptArtifactError(
                f"the version {manifest.version} is there with other content; versions never change",
                field="version",
            )
        shutil.rmtree(staged)
        return present

    def _replace(self, staged: Path, target: Path) -> None:
        """Put what was staged where a damaged version is."""
        make_durable(staged)
        aside = Path(mkdtemp(prefix=".damaged-", dir=self._versions))
        target.rename(aside / target.name)
        self._move(staged, target)
        sync(self._versions)
        shutil.rmtree(aside)

    def _move(self, staged: Path, target: Path) -> None:
        try:
            staged.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            near = Path(mkdtemp(prefix=".arriving-", dir=self._versions)) / target.name
            shutil.copytree(staged, near)
            make_durable(near)
            near.rename(target)
            near.parent.rmdir()
            shutil.rmtree(staged)

    def _past(self) -> dict[str, list[str]]:
        path = self._root / "aliases.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, list[str]])
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as error:
            raise CorruptArtifactError(f"{path} cannot be read: {error}", field="aliases.json") from error

    def _write(self, past: dict[str, list[str]]) -> None:
        partial = self._root / ".aliases.partial"
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(past, order="sorted"), indent=2))
        sync(partial)
        partial.replace(self._root / "aliases.json")
        sync(self._root)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other writers out, in this process and in others."""
        self._root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            flock(handle, LOCK_EX)
            yield
        finally:
            os.close(handle)


def _changed(directory: Path) -> int:
    """Return when a directory was changed last, in microseconds."""
    return directory.stat().st_mtime_ns // 1000


def _manifest_if_readable(directory: Path) -> ArtifactManifest | None:
    try:
        return read_manifest(directory)
    except CorruptArtifactError:
        return None


def _is_whole(directory: Path, manifest: ArtifactManifest) -> bool:
    try:
        verify(directory, manifest)
    except CorruptArtifactError:
        return False
    return True
