"""Artifacts: trained models as versioned, hashed, immutable things."""

from hashlib import sha256
from typing import Any, Literal

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


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration of one source that was tried, and what came of it.

    `values` are by path (`recency.power`). `value` is the NDCG@10 of the whole blend with it, on `questions`
    of the validation part, `gain` how much more that is than without, on the same questions, and `error` the
    standard error of the gain. `share` is the part of the window that it was fitted on. `adopted`: it is
    what the source is from then on; `beaten`: not better, beyond chance, on questions that had no part in
    choosing it; `stopped`: given up early; `failed`: it could not be fitted.
    """

    number: int
    source: str
    values: dict[str, Any]
    outcome: Literal["adopted", "beaten", "stopped", "failed"]
    questions: int
    share: float
    value: float
    gain: float
    error: float


class ArtifactManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an artifact is: enough to judge it, verify it and train it again bit-equal.

    `window` is the log window it was trained on (first and last sequence number and time).
    `models` maps each model's name to its configuration. `hash` is the SHA-256 of the manifest's
    other fields except `created_at`, in canonical JSON, files' hashes included. `tuned` holds by source the
    values that tuning chose and later trainings take over, `trials` all that was tried. `once` are the types
    of events after which people hardly ever came back to an item.
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
    tuned: dict[str, dict[str, Any]] = {}
    trials: tuple[Trial, ...] = ()
    once: tuple[str, ...] = ()


LATER = ("tuned", "trials", "once")


def manifest_digest(manifest: ArtifactManifest) -> str:
    """Return what `manifest.hash` must be: the SHA-256 of its other fields but `created_at`, as hex.

    Fields that came later count only where they say something: so manifests from before them keep theirs.
    """
    told = msgspec.to_builtins(manifest)
    del told["hash"], told["created_at"]
    for name in LATER:
        if not told[name]:
            del told[name]
    return sha256(msgspec.json.encode(told, order="sorted")).hexdigest()
