"""The registry in a directory keeps every promise, and the suite would notice if it did not."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from foretaste.adapters.directory import model_registry
from foretaste.adapters.directory.model_registry import DirectoryModelRegistry
from foretaste.domain.artifact import manifest_digest
from foretaste.domain.errors import CorruptArtifactError, InvalidInputError, UnknownModelError
from foretaste.testing.contracts.model_registry import ModelRegistryContract
from foretaste.testing.registry_sites import DirectorySite, write_artifact


@pytest.fixture
def site(tmp_path):
    return DirectorySite(tmp_path)


class TestDirectoryModelRegistry(ModelRegistryContract):
    pass


class BelievesFiles(DirectoryModelRegistry):
    """Does not look at the files when they are asked for."""

    def path(self, version_or_alias):
        return self._versions / version_or_alias


class ForgetsThePast(DirectoryModelRegistry):
    """Remembers only where an alias points now."""

    def _write(self, past):
        super()._write({alias: versions[-1:] for alias, versions in past.items()})


class WritesAliasesInPlace(DirectoryModelRegistry):
    """Empties the file of aliases before it writes them."""

    def _write(self, past):
        path = self._root / "aliases.json"
        path.write_bytes(b"")
        model_registry.sync(path)
        super()._write(past)


class CopiesFileByFile(DirectoryModelRegistry):
    """Lets a version be seen before all its files are there."""

    def _move(self, staged, target):
        target.mkdir()
        for name in ("manifest.json", "model.bin", "blend.json"):
            (target / name).write_bytes((staged / name).read_bytes())
            model_registry.sync(target / name)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        (BelievesFiles, "test_a_version_damaged_later_is_not_served"),
        (ForgetsThePast, "test_rollback_goes_back_step_by_step"),
        (WritesAliasesInPlace, "test_a_death_at_any_moment_leaves_the_old_or_the_new_alias"),
        (CopiesFileByFile, "test_a_death_at_any_moment_leaves_the_whole_version_or_none"),
    ],
)
def test_a_planted_fault_breaks_the_promise_it_attacks(tmp_path, fault, promise):
    with pytest.raises((AssertionError, pytest.fail.Exception, CorruptArtifactError, UnknownModelError)):
        getattr(ModelRegistryContract(), promise)(DirectorySite(tmp_path, fault))


@pytest.mark.parametrize("path", ["../outside", "/etc/hostname"])
def test_a_manifest_cannot_name_files_outside_of_its_artifact(tmp_path, path):
    (tmp_path / "outside").write_bytes(b"")
    staged = write_artifact(tmp_path / "staged", "one")
    manifest = model_registry.read_manifest(staged)
    entry = msgspec.structs.replace(manifest.files[0], path=path)
    lying = msgspec.structs.replace(manifest, files=(entry,), hash="")
    lying = msgspec.structs.replace(lying, hash=manifest_digest(lying))
    (staged / "manifest.json").write_bytes(msgspec.json.encode(lying))
    with pytest.raises(CorruptArtifactError, match="is not a file of the artifact"):
        DirectoryModelRegistry(tmp_path / "models").publish(staged)


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", ".hidden"])
def test_names_that_could_leave_the_directory_are_refused(tmp_path, name):
    registry = DirectoryModelRegistry(tmp_path / "models")
    registry.publish(write_artifact(tmp_path / "staged", "one"))
    with pytest.raises(UnknownModelError):
        registry.path(name)
    with pytest.raises(InvalidInputError, match="alias"):
        registry.promote("one", name)
    with pytest.raises(CorruptArtifactError, match="cannot name a version"):
        registry.publish(write_artifact(tmp_path / "other", name))


def test_an_artifact_staged_on_another_file_system_is_copied_in(tmp_path, monkeypatch):
    staged = write_artifact(tmp_path / "staged", "one")
    real = Path.rename

    def rename(self, target):
        if self == staged:
            raise OSError(errno.EXDEV, "other file system")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    registry = DirectoryModelRegistry(tmp_path / "models")
    published = registry.publish(staged)
    assert registry.versions() == [published]
    assert registry.path("one").is_dir()
    assert not staged.exists()


WRITER = """
import sys
from itertools import count
from pathlib import Path
from foretaste.adapters.directory.model_registry import DirectoryModelRegistry
from foretaste.testing.registry_sites import write_artifact
root = Path(sys.argv[1])
registry = DirectoryModelRegistry(root / "models")
for number in count():
    version = f"{sys.argv[2]}-{number}"
    registry.publish(write_artifact(root / f"staged-{version}", version, content=version.encode()))
    registry.promote(version)
    print(version, flush=True)
"""


def test_a_killed_writer_leaves_whole_versions_and_a_champion_that_was_promoted(tmp_path):
    registry = DirectoryModelRegistry(tmp_path / "models")
    for trial in range(4):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(trial)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            acknowledged = [writer.stdout.readline().strip() for _ in range(1 + trial)]
            until = time.monotonic() + 0.002 * trial
            while time.monotonic() < until:
                registry.aliases()
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged += writer.stdout.read().split()
        versions = [manifest.version for manifest in registry.versions()]
        assert set(acknowledged) <= set(versions)
        for version in versions:
            registry.path(version)
        champion = registry.aliases()["champion"]
        assert champion.startswith(f"{trial}-")
        assert int(champion.split("-")[1]) >= len(acknowledged) - 1


LONG_AGO, LATELY = 1_000_000, 2_000_000
"""Microseconds: the versions below were used last at the first, and are asked about at the second."""


def published(tmp_path, *versions, promoted=True):
    registry = DirectoryModelRegistry(tmp_path / "models")
    for version in versions:
        registry.publish(write_artifact(tmp_path / f"staged-{version}", version, content=version.encode()))
        if promoted:
            registry.promote(version)
    for version in versions:
        os.utime(registry.path(version), ns=(LONG_AGO * 1000, LONG_AGO * 1000))
    return registry


def names(registry):
    return [manifest.version for manifest in registry.versions()]


def test_what_served_long_ago_is_removed_but_not_what_serves_and_what_served_before(tmp_path):
    registry = published(tmp_path, "one", "two", "three", "four")
    assert registry.retire(LATELY) == ["one", "two"]
    assert names(registry) == ["four", "three"]
    assert not [path for path in (tmp_path / "models/versions").iterdir() if path.name.startswith(".")]


def test_what_was_not_let_serve_goes_after_the_same_time(tmp_path):
    registry = published(tmp_path, "refused", promoted=False)
    assert registry.retire(LONG_AGO) == []
    assert registry.retire(LATELY) == ["refused"]


def test_a_version_counts_as_used_until_it_is_replaced(tmp_path):
    registry = published(tmp_path, "one")
    for version in ("two", "three"):
        registry.publish(write_artifact(tmp_path / version, version, content=version.encode()))
        registry.promote(version)
    assert registry.retire(LATELY) == []


def test_a_version_that_was_taken_back_counts_as_used_until_then(tmp_path):
    registry = published(tmp_path, "one", "two", "three")
    assert registry.rollback() == "two"
    assert registry.retire(LATELY) == []
    assert names(registry) == ["one", "three", "two"]


def test_nobody_is_led_back_to_what_was_removed(tmp_path):
    registry = published(tmp_path, "one", "two", "three")
    registry.retire(LATELY)
    assert registry.rollback() == "two"
    with pytest.raises(UnknownModelError, match="no former version"):
        registry.rollback()
