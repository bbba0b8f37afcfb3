"""Artifacts: trained models as versioned, hashed, immutable things."""

from hashlib import sha256
from typing import Any

import msgspec


class ArrayEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One stored array: checked against the file before any memory is taken for it."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an artifact."""

    path: str
    size: int
    sha256: str
    arrays: tuple[ArrayEntry, ...] = ()


class ArtifactManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an artifact is: enough to judge it, verify it and train it again bit-equal.

    `window` is the log window it was trained on (first and last sequence number and time).
    `models` maps each model's name to its configuration. `hash` is the SHA-256 of the manifest's
    other fields except `created_at`, in canonical JSON, files' hashes included.
    """

    name: str
    version: str
    created_at: int
    seed: int
    window: dict[str, int]
    n_users: int
    n_items: int
    models: dict[str, dict[str, Any]]
    metrics: dict[str, Any] = {}
    files: tuple[FileEntry, ...] = ()
    hash: str = ""
    format: int = 1


def manifest_digest(manifest: ArtifactManifest) -> str:
    """Return what `manifest.hash` must be: the SHA-256 of its other fields but `created_at`, as hex."""
    told = msgspec.to_builtins(manifest)
    del told["hash"], told["created_at"]
    return sha256(msgspec.json.encode(told, order="sorted")).hexdigest()
