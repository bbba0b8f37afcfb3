"""Where a model registry lives, artifacts to put into it, and crashes at chosen moments."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import msgspec

from foretaste.adapters.directory.model_registry import DirectoryModelRegistry
from foretaste.domain.artifact import ArtifactManifest, FileEntry, manifest_digest
from foretaste.ports.model_registry import ModelRegistry

FILES = {"model.bin": b"what was learnt", "blend.json": b"{}"}


class Crash(BaseException):
    """The process dies here: nothing after this moment happens."""


class RegistrySite(Protocol):
    """Where a registry lives."""

    def open(self) -> ModelRegistry:
        """Open the registry, empty at first; a second one sees what another process would."""
        ...

    def stage(self, version: str, *, content: bytes = b"", created_at: int = 0) -> Path:
        """Write a complete artifact directory with this version; `content` makes it differ from others."""
        ...

    def dying_at(self, moment: int) -> "Any":
        """Return a context in which the process dies before the given one (from 0) of its writes to disk."""
        ...


class DirectorySite:
    """A registry in a directory. The type is a parameter, so that a faulty one can be put in."""

    def __init__(self, directory: Path, kind: type[DirectoryModelRegistry] = DirectoryModelRegistry) -> None:
        self._directory = directory
        self._kind = kind
        self._staged = 0

    def open(self) -> DirectoryModelRegistry:
        """Open the registry of the directory."""
        return self._kind(self._directory / "models")

    def stage(self, version: str, *, content: bytes = b"", created_at: int = 0) -> Path:
        """Write an artifact beside the registry."""
        self._staged += 1
        staged = self._directory / f"staged-{self._staged}"
        return write_artifact(staged, version, content=content, created_at=created_at)

    @contextmanager
    def dying_at(self, moment: int) -> Iterator[None]:
        """Raise `Crash` in place of the given call of fsync, rename or replace, and of all later ones."""
        calls = 0

        def counted(real: Any) -> Any:
            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls > moment:
                    raise Crash
                return real(*arguments, **options)

            return call

        patches = [
            mock.patch.object(os, name, counted(getattr(os, name))) for name in ("fsync", "rename", "replace")
        ]
        with patches[0], patches[1], patches[2]:
            yield


def write_artifact(directory: Path, version: str, *, content: bytes = b"", created_at: int = 0) -> Path:
    """Write an artifact directory of two small files and a true manifest; return it."""
    directory.mkdir(parents=True)
    entries = []
    for name, text in FILES.items():
        (directory / name).write_bytes(text + content)
        digest = sha256(text + content).hexdigest()
        entries.append(FileEntry(path=name, size=len(text + content), sha256=digest))
    manifest = ArtifactManifest(
        name="test",
        version=version,
        created_at=created_at,
        seed=0,
        window={},
        n_users=1,
        n_items=1,
        models={},
        files=tuple(entries),
    )
    manifest = msgspec.structs.replace(manifest, hash=manifest_digest(manifest))
    (directory / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return directory
