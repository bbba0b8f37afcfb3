"""One artifact as a directory: its manifest, and files that are what the manifest says."""

import os
from hashlib import file_digest
from pathlib import Path, PurePosixPath

import msgspec

from foretaste.domain.artifact import ArtifactManifest, FileEntry, manifest_digest
from foretaste.domain.errors import CorruptArtifactError

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 4 << 20


def read_manifest(directory: Path) -> ArtifactManifest:
    """Return the manifest of an artifact directory, its own hash checked.

    Raises `CorruptArtifactError` where it is absent, unreadable or changed.
    """
    path = directory / MANIFEST
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise CorruptArtifactError(f"{path} is longer than any manifest", field=MANIFEST)
        manifest = msgspec.json.decode(path.read_bytes(), type=ArtifactManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise CorruptArtifactError(f"{path} cannot be read as a manifest: {error}", field=MANIFEST) from error
    if manifest.hash != manifest_digest(manifest):
        raise CorruptArtifactError(f"{path} was changed: its hash is another one", field=MANIFEST)
    return manifest


def verify(directory: Path, manifest: ArtifactManifest) -> None:
    """Raise `CorruptArtifactError`, naming the file, unless all files have their sizes and hashes."""
    for entry in manifest.files:
        _verify_file(directory, entry)


def make_durable(directory: Path) -> None:
    """Return when everything in `directory` is on the disk."""
    for path in (*directory.rglob("*"), directory):
        sync(path)


def sync(path: Path) -> None:
    """Return when a file's content, or a directory's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _verify_file(directory: Path, entry: FileEntry) -> None:
    inside = PurePosixPath(entry.path)
    path = directory / inside
    if inside.is_absolute() or ".." in inside.parts or path.is_symlink() or not path.is_file():
        raise CorruptArtifactError(
            f"{entry.path} is not a file of the artifact {directory}", field=entry.path
        )
    size = path.stat().st_size
    if size != entry.size:
        raise CorruptArtifactError(
            f"{path} has {size} bytes where its manifest says {entry.size}; train again or roll back",
            field=entry.path,
        )
    with path.open("rb") as file:
        if file_digest(file, "sha256").hexdigest() != entry.sha256:
            raise CorruptArtifactError(
                f"{path} is not what its manifest says (SHA-256); train again or roll back", field=entry.path
            )
