"""The promises of `ports.profiles.Profiles`."""

from collections.abc import Callable

from foretaste.ports.profiles import Attributes, Profiles

ANNA: Attributes = {"age": 24.0, "country": "Île de Ré", "member": True}


class ProfilesContract:
    """Subclass it with a fixture `reopen` that closes what was opened before and opens the store again."""

    durable = True

    def test_nothing_is_known_of_a_stranger(self, reopen: Callable[[], Profiles]) -> None:
        profiles = reopen()
        assert profiles.get("anna") is None
        assert profiles.all() == {}

    def test_attributes_come_back_as_they_were(self, reopen: Callable[[], Profiles]) -> None:
        profiles = reopen()
        profiles.put({"anna": ANNA, "🦊": {}})
        assert profiles.get("anna") == ANNA
        assert profiles.all() == {"anna": ANNA, "🦊": {}}

    def test_putting_again_replaces_all_of_a_person(self, reopen: Callable[[], Profiles]) -> None:
        profiles = reopen()
        profiles.put({"anna": ANNA})
        profiles.put({"anna": {"age": 30.0}})
        assert profiles.get("anna") == {"age": 30.0}

    def test_what_was_forgotten_is_gone(self, reopen: Callable[[], Profiles]) -> None:
        profiles = reopen()
        profiles.put({"anna": ANNA, "ben": {}})
        assert profiles.delete(["anna", "carl"]) == 1
        assert profiles.all() == {"ben": {}}

    def test_what_is_changed_outside_does_not_change_what_is_kept(
        self, reopen: Callable[[], Profiles]
    ) -> None:
        profiles, told = reopen(), dict(ANNA)
        profiles.put({"anna": told})
        told["age"] = 99.0
        found = profiles.get("anna")
        assert found is not None
        found["age"] = 98.0
        assert profiles.get("anna") == ANNA

    def test_a_durable_store_knows_it_after_it_was_opened_again(self, reopen: Callable[[], Profiles]) -> None:
        reopen().put({"anna": ANNA})
        assert reopen().get("anna") == (ANNA if self.durable else None)
