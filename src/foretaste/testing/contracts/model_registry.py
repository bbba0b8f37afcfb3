"""The promises of `ports.model_registry.ModelRegistry`."""

import shutil
from contextlib import suppress

import pytest

from foretaste.domain.errors import CorruptArtifactError, UnknownModelError
from foretaste.testing.registry_sites import Crash, RegistrySite

MOMENTS = 12
"""More moments of dying than a call has writes."""


class ModelRegistryContract:
    """Give a fixture `site` (a `RegistrySite`)."""

    def test_a_new_registry_is_empty(self, site: RegistrySite) -> None:
        registry = site.open()
        assert registry.versions() == []
        assert registry.aliases() == {}

    def test_what_was_published_is_found_by_another_process(self, site: RegistrySite) -> None:
        published = site.open().publish(site.stage("one"))
        assert site.open().versions() == [published]
        assert (site.open().path("one") / "model.bin").read_bytes() == b"what was learnt"

    def test_versions_are_listed_oldest_first(self, site: RegistrySite) -> None:
        registry = site.open()
        for version, created_at in (("b", 2), ("c", 3), ("a", 1)):
            registry.publish(site.stage(version, created_at=created_at))
        assert [manifest.version for manifest in registry.versions()] == ["a", "b", "c"]

    @pytest.mark.parametrize("damage", ["missing", "shorter", "changed", "manifest"])
    def test_a_damaged_artifact_is_refused_and_leaves_nothing(self, site: RegistrySite, damage: str) -> None:
        staged = site.stage("one")
        file = staged / ("manifest.json" if damage == "manifest" else "model.bin")
        content = file.read_bytes()
        if damage == "missing":
            file.unlink()
        else:
            file.write_bytes(content[:-1] + (b"" if damage == "shorter" else b"?"))
        with pytest.raises(CorruptArtifactError, match=file.name):
            site.open().publish(staged)
        assert site.open().versions() == []

    def test_to_publish_the_same_again_changes_nothing(self, site: RegistrySite) -> None:
        registry = site.open()
        first = registry.publish(site.stage("one", created_at=1))
        assert registry.publish(site.stage("one", created_at=2)) == first
        assert registry.versions() == [first]

    def test_a_version_never_changes(self, site: RegistrySite) -> None:
        registry = site.open()
        first = registry.publish(site.stage("one"))
        with pytest.raises(CorruptArtifactError, match="one"):
            registry.publish(site.stage("one", content=b"other"))
        assert registry.versions() == [first]

    def test_a_version_damaged_later_is_not_served(self, site: RegistrySite) -> None:
        registry = site.open()
        registry.publish(site.stage("one"))
        file = registry.path("one") / "model.bin"
        file.write_bytes(file.read_bytes()[:-1] + b"?")
        with pytest.raises(CorruptArtifactError, match=r"model\.bin"):
            site.open().path("one")

    def test_a_version_whose_manifest_cannot_be_read_is_named_with_the_reason(
        self, site: RegistrySite
    ) -> None:
        registry = site.open()
        for version in ("one", "two"):
            registry.publish(site.stage(version))
        (registry.path("one") / "manifest.json").write_bytes(b"?")
        assert [manifest.version for manifest in site.open().versions()] == ["two"]
        assert list(site.open().damaged()) == ["one"]
        assert "manifest.json" in site.open().damaged()["one"]

    @pytest.mark.parametrize("name", ["model.bin", "manifest.json"])
    def test_to_publish_a_damaged_version_again_heals_it(self, site: RegistrySite, name: str) -> None:
        registry = site.open()
        first = registry.publish(site.stage("one"))
        (registry.path("one") / name).write_bytes(b"?")
        assert registry.publish(site.stage("one")).hash == first.hash
        assert (site.open().path("one") / "model.bin").read_bytes() == b"what was learnt"
        assert [manifest.version for manifest in site.open().versions()] == ["one"]

    def test_an_alias_is_not_moved_to_a_damaged_version(self, site: RegistrySite) -> None:
        registry = site.open()
        for version in ("one", "two"):
            registry.publish(site.stage(version, content=version.encode()))
            registry.promote(version)
        (registry.path("one") / "model.bin").write_bytes(b"?")
        for call in (registry.rollback, lambda: registry.promote("one")):
            with pytest.raises(CorruptArtifactError, match=r"model\.bin"):
                call()
        assert registry.aliases() == {"champion": "two"}

    def test_a_version_that_serves_and_is_gone_is_damage(self, site: RegistrySite) -> None:
        registry = site.open()
        registry.publish(site.stage("one"))
        registry.promote("one")
        shutil.rmtree(registry.path("one"))
        for named in ("one", "champion"):
            with pytest.raises(CorruptArtifactError, match=r"one is gone.*train again"):
                site.open().path(named)

    def test_an_unknown_version_is_named_with_those_there_are(self, site: RegistrySite) -> None:
        registry = site.open()
        registry.publish(site.stage("one"))
        for call in (registry.path, registry.promote):
            with pytest.raises(UnknownModelError, match=r"two.*one"):
                call("two")

    def test_an_alias_names_the_version_promoted_last(self, site: RegistrySite) -> None:
        registry = site.open()
        for version in ("one", "two"):
            registry.publish(site.stage(version, content=version.encode()))
            registry.promote(version)
        registry.promote("one", "challenger")
        assert site.open().aliases() == {"champion": "two", "challenger": "one"}
        assert site.open().path("champion") == site.open().path("two")

    def test_rollback_goes_back_step_by_step(self, site: RegistrySite) -> None:
        registry = site.open()
        for version in ("one", "two", "three"):
            registry.publish(site.stage(version, content=version.encode()))
            registry.promote(version)
        registry.promote("three")
        assert [registry.rollback(), site.open().rollback()] == ["two", "one"]
        assert site.open().aliases() == {"champion": "one"}
        with pytest.raises(UnknownModelError, match="champion"):
            registry.rollback()

    def test_a_death_at_any_moment_leaves_the_whole_version_or_none(self, site: RegistrySite) -> None:
        for moment in range(MOMENTS):
            staged = site.stage(f"v{moment}", content=bytes([moment]))
            with site.dying_at(moment), suppress(Crash):
                site.open().publish(staged)
            for manifest in site.open().versions():
                site.open().path(manifest.version)
        assert site.open().versions(), "none of the moments was late enough to publish at all"

    def test_a_death_at_any_moment_leaves_the_old_or_the_new_alias(self, site: RegistrySite) -> None:
        registry = site.open()
        for version in ("one", "two"):
            registry.publish(site.stage(version, content=version.encode()))
        registry.promote("one")
        seen = set()
        for moment in range(MOMENTS):
            with site.dying_at(moment), suppress(Crash):
                site.open().promote("two")
            seen.add(site.open().aliases()["champion"])
            site.open().promote("one")
        assert seen == {"one", "two"}

    def test_after_a_death_the_registry_goes_on(self, site: RegistrySite) -> None:
        staged = site.stage("one")
        with site.dying_at(0), pytest.raises(Crash):
            site.open().publish(staged)
        site.open().publish(site.stage("one"))
        site.open().promote("one")
        assert site.open().aliases() == {"champion": "one"}
