"""The promises of `ports.scenario_store.ScenarioStore`."""

from collections.abc import Callable

from foretaste.ports.scenario_store import ScenarioRecord, ScenarioStore


def scenario_record(name: str, version: str, *, time: int = 1, put: bool = True) -> ScenarioRecord:
    """Return a record of a recipe that names its version."""
    recipe = {"name": name, "title": version, "diversity_lambda": 0.1 + 0.2}
    return ScenarioRecord(time=time, name=name, version=version, put=put, recipe=recipe)


def deletion(name: str, *, time: int = 9) -> ScenarioRecord:
    """Return the record that what was put under a name is deleted."""
    return ScenarioRecord(time=time, name=name)


class ScenarioStoreContract:
    """Subclass it with a fixture `reopen`: a function that opens the store, the first time empty.

    `durable` off: what was stored ends with the store.
    """

    durable = True

    def test_a_new_store_holds_nothing(self, reopen: Callable[[], ScenarioStore]) -> None:
        store = reopen()
        assert store.standing() == {}
        assert list(store.records()) == []
        assert store.named("v1") is None
        assert store.named("") is None

    def test_what_was_put_last_stands(self, reopen: Callable[[], ScenarioStore]) -> None:
        store = reopen()
        store.append([scenario_record("cart", "v1"), scenario_record("home", "v2")])
        store.append([scenario_record("cart", "v3")])
        assert store.standing() == {
            "cart": scenario_record("cart", "v3"),
            "home": scenario_record("home", "v2"),
        }

    def test_what_was_deleted_stands_no_more_but_is_found(self, reopen: Callable[[], ScenarioStore]) -> None:
        store = reopen()
        store.append([scenario_record("cart", "v1")])
        store.append([deletion("cart"), deletion("never")])
        assert store.standing() == {}
        assert store.named("v1") == scenario_record("cart", "v1")
        store.append([scenario_record("cart", "v1", time=10)])
        assert list(store.standing()) == ["cart"]

    def test_what_only_answered_does_not_stand_but_is_found(
        self, reopen: Callable[[], ScenarioStore]
    ) -> None:
        store = reopen()
        store.append([scenario_record("cart", "v1"), scenario_record("cart", "v2", put=False)])
        assert store.standing()["cart"].version == "v1"
        assert store.named("v2") == scenario_record("cart", "v2", put=False)

    def test_each_change_moves_the_mark(self, reopen: Callable[[], ScenarioStore]) -> None:
        store = reopen()
        marks = [store.mark()]
        for record in (scenario_record("cart", "v1"), scenario_record("cart", "v2"), deletion("cart")):
            store.append([record])
            marks.append(store.mark())
        assert len(set(marks)) == 4
        store.append([])
        assert store.mark() == marks[-1]

    def test_records_are_in_order_and_last(self, reopen: Callable[[], ScenarioStore]) -> None:
        told = [scenario_record("cart", "v1"), deletion("cart"), scenario_record("new", "v2", put=False)]
        store = reopen()
        store.append(told[:1])
        store.append(told[1:])
        assert list((reopen() if self.durable else store).records()) == told

    def test_what_was_put_is_not_restored_over(self, reopen: Callable[[], ScenarioStore]) -> None:
        store = reopen()
        store.append([scenario_record("home", "v0", put=False)])
        store.restore([scenario_record("cart", "v1")])
        store.restore([scenario_record("home", "v2")])
        assert list(store.standing()) == ["cart"]
