"""Models come back from their files as they were, or not at all."""

import errno
import json
import struct

import msgspec
import numpy as np
import pytest
from safetensors import SafetensorError

from foretaste.domain.artifact import ArrayEntry, ArtifactManifest, manifest_digest
from foretaste.domain.errors import CorruptArtifactError
from foretaste.features.recency import Recency
from foretaste.models import tensor_file
from foretaste.models.artifact_files import (
    check_format,
    read_json,
    read_models,
    write_json,
    write_models,
)
from foretaste.models.cold_items import ColdItemsConfig
from foretaste.models.content import ContentConfig
from foretaste.models.context_popularity import ContextPopularityConfig
from foretaste.models.dense_content import LatentConfig, VectorsConfig
from foretaste.models.ease import EaseConfig
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALSConfig
from foretaste.models.kinds import MODEL_KINDS
from foretaste.models.neural.ncf import NCFConfig
from foretaste.models.neural.self_attention import SelfAttentionConfig
from foretaste.models.nmf import NMFConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.models.repetition import RepetitionConfig
from foretaste.models.rising import RisingConfig
from foretaste.models.session_knn import SessionKNNConfig
from foretaste.models.tensor_file import file_entry, read_tensors, write_tensors
from foretaste.models.transitions import TransitionsConfig
from foretaste.testing.clustered_shop import clustered_shop

ARRAYS = {"first": np.arange(12, dtype=np.float32).reshape(3, 4), "second": np.array([1, -2], np.int64)}


def manifest(models, files, **changes):
    fields = {
        "name": "foretaste",
        "version": "v1",
        "created_at": 0,
        "seed": 0,
        "window": {},
        "n_users": 1,
        "n_items": 1,
        "models": models,
        "files": tuple(files),
    } | changes
    unsigned = ArtifactManifest(**fields)
    return msgspec.structs.replace(unsigned, hash=manifest_digest(unsigned))


@pytest.fixture(scope="module")
def models():
    shop = clustered_shop()
    configs = {
        "popularity": PopularityConfig(),
        "transitions": TransitionsConfig(),
        "ials": IALSConfig(dim=8, regularization=0.02, unobserved=5.0, recency=Recency()),
        "nmf": NMFConfig(),
        "ease": EaseConfig(regularization=20.0, recency=Recency()),
        "graph_filter": GraphFilterConfig(
            user=0.8, target=0.25, sharpness=1.0, recency=Recency(half_life_events=4.0)
        ),
        "content": ContentConfig(),
        "latent": LatentConfig(),
        "vectors": VectorsConfig(),
        "cold_items": ColdItemsConfig(
            base=EaseConfig(regularization=20.0, recency=Recency()), way="likeness", words=0.5, gain=1.0
        ),
        "repetition": RepetitionConfig(recency=Recency(power=0.5), latest=0.0),
        "rising": RisingConfig(),
        "context_popularity": ContextPopularityConfig(),
        "session_knn": SessionKNNConfig(neighbours=20, before=1.0, half_life=10.0, discount=0.25),
        "ncf": NCFConfig(dim=16, hidden=8, length=16, dropout=0.2, epochs=1.0),
        "self_attention": SelfAttentionConfig(
            dim=16, layers=2, heads=2, length=16, dropout=0.1, epochs=1.0
        ),  # the networks of the contract suite: each is compiled once, which takes seconds
    }
    return {name: config.fit(shop.interactions, 0, shop.catalog) for name, config in configs.items()}


@pytest.fixture
def written(tmp_path):
    entry = write_tensors(ARRAYS, tmp_path, "model.safetensors")
    return tmp_path, entry


def resized(directory, entry):
    """Return the entry with size and hash of the file as it is now: a manifest that lies along."""
    fresh = file_entry(directory / entry.path, entry.path, entry.arrays)
    return msgspec.structs.replace(fresh, arrays=entry.arrays)


def test_every_kind_of_model_comes_back_bit_equal(models, tmp_path):
    assert sorted(models) == sorted(MODEL_KINDS)
    shop = clustered_shop()
    described, files = write_models(models, tmp_path)
    artifact = msgspec.json.decode(msgspec.json.encode(manifest(described, files)), type=ArtifactManifest)
    loaded = read_models(tmp_path, artifact)
    assert list(loaded) == list(models)
    for name, model in models.items():
        assert loaded[name].config == model.config
        for user in (0, 1):
            expected = model.score(shop.history(user), shop.moment)
            assert loaded[name].score(shop.history(user), shop.moment).tobytes() == expected.tobytes()


def test_the_same_models_make_the_same_bytes(models, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert write_models(models, tmp_path / "one") == write_models(models, tmp_path / "two")


def test_arrays_come_back_with_dtype_and_shape(written):
    directory, entry = written
    for name, array in read_tensors(entry, directory).items():
        assert array.dtype == ARRAYS[name].dtype
        assert array.tolist() == ARRAYS[name].tolist()


def test_empty_arrays_are_kept(tmp_path):
    entry = write_tensors({"none": np.empty((0, 3), np.float32)}, tmp_path, "none.safetensors")
    assert read_tensors(entry, tmp_path)["none"].shape == (0, 3)


def test_a_dtype_that_artifacts_cannot_hold_is_refused_when_written(tmp_path):
    with pytest.raises(TypeError, match="complex"):
        write_tensors({"a": np.zeros(1, np.complex64)}, tmp_path, "a.safetensors")


@pytest.mark.parametrize("cut", [1, 40, 10**6])
def test_a_truncated_file_is_named(written, cut):
    directory, entry = written
    path = directory / entry.path
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(CorruptArtifactError, match=r"model\.safetensors"):
        read_tensors(entry, directory)
    with pytest.raises(CorruptArtifactError, match=r"model\.safetensors"):
        read_tensors(resized(directory, entry), directory)


def test_a_missing_file_is_named(written):
    directory, entry = written
    (directory / entry.path).unlink()
    with pytest.raises(CorruptArtifactError, match=r"model\.safetensors.*missing"):
        read_tensors(entry, directory)


def test_one_flipped_bit_is_found(written):
    directory, entry = written
    path = directory / entry.path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptArtifactError, match="SHA-256"):
        read_tensors(entry, directory)


@pytest.mark.parametrize(
    "arrays",
    [
        (ArrayEntry(name="first", dtype="float32", shape=(3, 4)),),
        (
            ArrayEntry(name="first", dtype="float32", shape=(3, 4)),
            ArrayEntry(name="third", dtype="int64", shape=(2,)),
        ),
        (
            ArrayEntry(name="first", dtype="float32", shape=(4, 3)),
            ArrayEntry(name="second", dtype="int64", shape=(2,)),
        ),
        (
            ArrayEntry(name="first", dtype="float32", shape=(3, 4)),
            ArrayEntry(name="second", dtype="float64", shape=(2,)),
        ),
        (
            ArrayEntry(name="first", dtype="float32", shape=(3, 10**15)),
            ArrayEntry(name="second", dtype="int64", shape=(2,)),
        ),
    ],
)
def test_a_manifest_that_lies_about_arrays_is_caught_before_memory_is_taken(written, arrays):
    directory, entry = written
    with pytest.raises(CorruptArtifactError, match=r"model\.safetensors"):
        read_tensors(msgspec.structs.replace(entry, arrays=arrays), directory)


def tensor(dtype, shape, first, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [first, end]}


@pytest.mark.parametrize(
    "header",
    [
        {"a": tensor("F32", [10**12], 0, 4 * 10**12)},
        {"a": tensor("F32", [-2], 0, -8)},
        {"a": tensor("F32", [-1, -2], 0, 8)},
        {"a": tensor("F32", [2], 4, 12)},
        {"a": tensor("F32", [2], 0, 4)},
        {"a": tensor("F32", [1], 0, 4)},
        {"a": tensor("F32", [2**62, 2**62], 0, 8)},
        {"a": tensor("C64", [1], 0, 8)},
        {"a": {"dtype": "F32"}},
        [1, 2],
    ],
)
def test_a_header_that_lies_is_caught_though_the_manifest_agrees_with_it(tmp_path, header):
    encoded = json.dumps(header).encode()
    (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", len(encoded)) + encoded + bytes(8))
    claimed = header["a"].get("shape", [2]) if isinstance(header, dict) else [2]
    entry = file_entry(
        tmp_path / "m.safetensors",
        "m.safetensors",
        (ArrayEntry(name="a", dtype="float32", shape=tuple(claimed)),),
    )
    with pytest.raises(CorruptArtifactError, match=r"m\.safetensors"):
        read_tensors(entry, tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\x01", struct.pack("<Q", 2**63) + b"{}", struct.pack("<Q", 3) + b"\xff\xfe{"]
)
def test_a_file_that_is_no_tensor_file_is_named(tmp_path, content):
    (tmp_path / "m.safetensors").write_bytes(content)
    entry = file_entry(tmp_path / "m.safetensors", "m.safetensors")
    with pytest.raises(CorruptArtifactError, match=r"m\.safetensors"):
        read_tensors(entry, tmp_path)


@pytest.mark.parametrize("path", ["../outside.safetensors", "/etc/hostname"])
def test_a_manifest_cannot_reach_outside_the_artifact(written, path):
    directory, entry = written
    with pytest.raises(CorruptArtifactError, match="outside"):
        read_tensors(msgspec.structs.replace(entry, path=path), directory)


def test_json_files_are_verified(tmp_path):
    entry = write_json({"b": 1, "a": [2.5]}, tmp_path, "blend.json")
    artifact = manifest({}, [entry])
    assert json.loads(read_json(tmp_path, artifact, "blend.json")) == {"a": [2.5], "b": 1}
    with pytest.raises(CorruptArtifactError, match="calibration"):
        read_json(tmp_path, artifact, "calibration.json")
    (tmp_path / "blend.json").write_bytes(b'{"a":[2.5],"b":2}')
    with pytest.raises(CorruptArtifactError, match=r"blend\.json"):
        read_json(tmp_path, artifact, "blend.json")


def test_the_manifests_hash_covers_all_but_itself_and_the_time():
    one = manifest({"popularity": {"kind": "popularity"}}, [])
    assert manifest_digest(msgspec.structs.replace(one, created_at=99)) == one.hash
    assert manifest_digest(msgspec.structs.replace(one, seed=1)) != one.hash
    check_format(one)
    with pytest.raises(CorruptArtifactError, match="changed after"):
        check_format(msgspec.structs.replace(one, seed=1))
    with pytest.raises(CorruptArtifactError, match="format 2"):
        check_format(msgspec.structs.replace(one, format=2))


@pytest.mark.parametrize(
    "config", [{"kind": "pickle"}, {}, {"kind": "ials"}, {"kind": "popularity", "half_life": "long"}]
)
def test_models_that_cannot_be_are_named(tmp_path, config):
    with pytest.raises(CorruptArtifactError, match="odd"):
        read_models(tmp_path, manifest({"odd": config}, []))


def test_files_have_the_rights_of_any_new_file(tmp_path):
    beside = tmp_path / "beside"
    beside.touch()
    write_tensors(ARRAYS, tmp_path, "a.safetensors")
    assert (tmp_path / "a.safetensors").stat().st_mode == beside.stat().st_mode


def test_a_full_disk_is_an_error_of_the_system(tmp_path, monkeypatch):
    def full(*_):
        raise SafetensorError("Error while serializing: I/O error: No space left (os error 28)")

    monkeypatch.setattr(tensor_file, "save_file", full)
    with pytest.raises(OSError, match=r"a\.safetensors") as refused:
        write_tensors(ARRAYS, tmp_path, "a.safetensors")
    assert refused.value.errno == errno.ENOSPC
