"""Models as files: one safetensors file each, described by entries of the artifact's manifest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from foretaste.domain.artifact import ArtifactManifest, FileEntry, manifest_digest
from foretaste.domain.errors import CorruptArtifactError
from foretaste.models.interface import Model
from foretaste.models.kinds import MODEL_KINDS
from foretaste.models.tensor_file import file_entry, read_tensors, verified, write_tensors

FORMAT = 1
SUFFIX = ".safetensors"
LARGEST_JSON = 64 << 20


def write_models(
    models: Mapping[str, Model], directory: Path
) -> tuple[dict[str, dict[str, Any]], tuple[FileEntry, ...]]:
    """Write each model that learnt arrays to `<name>.safetensors` in `directory`.

    Returns the manifest's `models` (each configuration with its `kind`) and their part of `files`.
    """
    described = {name: msgspec.to_builtins(model.config) for name, model in models.items()}
    files = [
        write_tensors(arrays, directory, name + SUFFIX)
        for name, model in models.items()
        if (arrays := model.arrays())
    ]
    return described, tuple(files)


def read_models(directory: Path, manifest: ArtifactManifest) -> dict[str, Model]:
    """Return the models of an artifact, by name, in the manifest's order.

    Raises `CorruptArtifactError`, naming the file or model, where the files are not what the manifest
    says or do not make a model. Nothing is executed and no more memory is taken than the files' size.
    """
    check_format(manifest)
    entries = {entry.path: entry for entry in manifest.files}
    models: dict[str, Model] = {}
    for name, config in manifest.models.items():
        entry = entries.get(name + SUFFIX)
        arrays = read_tensors(entry, directory) if entry is not None else {}
        models[name] = _rebuilt(name, config, arrays)
    return models


def check_format(manifest: ArtifactManifest) -> None:
    """Raise `CorruptArtifactError` for a manifest of another format, or whose hash is not its own."""
    if manifest.format != FORMAT:
        raise CorruptArtifactError(
            f"the artifact {manifest.version} has format {manifest.format}, and this program reads {FORMAT}; "
            "train again"
        )
    if manifest.hash != manifest_digest(manifest):
        raise CorruptArtifactError(
            f"the manifest of artifact {manifest.version} was changed after it was written; train again"
        )


def write_json(value: Any, directory: Path, name: str) -> FileEntry:
    """Write a struct or plain value as canonical JSON; return the manifest's entry of the file."""
    path = directory / name
    path.write_bytes(msgspec.json.encode(value, order="sorted"))
    return file_entry(path, name)


def read_json(directory: Path, manifest: ArtifactManifest, name: str) -> bytes:
    """Return the verified bytes of a file that `write_json` wrote; `msgspec.json.decode` them to a type.

    Raises `CorruptArtifactError` naming the file where it is not as written, or not in the manifest.
    """
    entry = next((entry for entry in manifest.files if entry.path == name), None)
    if entry is None or entry.size > LARGEST_JSON:
        raise CorruptArtifactError(
            f"the manifest of artifact {manifest.version} has no usable entry for {name!r}; train again",
            field=name,
        )
    return verified(entry, directory).read_bytes()


def _rebuilt(name: str, config: Mapping[str, Any], arrays: Mapping[str, Any]) -> Model:
    kind = MODEL_KINDS.get(str(config.get("kind")))
    if kind is None:
        raise CorruptArtifactError(
            f"the artifact's model {name!r} is of the unknown kind {config.get('kind')!r}", field=name
        )
    try:
        return kind.from_arrays(config, arrays)
    except (KeyError, ValueError, IndexError, msgspec.ValidationError) as error:
        raise CorruptArtifactError(
            f"the artifact's files do not make the model {name!r} ({error}); train again", field=name
        ) from error
