"""The promises of `ports.blend_store.BlendStore`."""

import msgspec

from foretaste.ports.blend_store import BlendRecord, BlendStore


def blend_record(number: int, *, artifact: str = "a", seq: int = 0, time: int = 1) -> BlendRecord:
    """Return a record of two sources whose blend version names artifact and number."""
    return BlendRecord(
        seq=seq,
        number=number,
        time=time,
        artifact=artifact,
        blend_version=f"{artifact}{number}",
        shift=(0.1 * number, -1e-17),
        compared=(48.0, 1 / 3, 0.5, 0.0, 0.0, float(number)),
        asked=(number, number * 10),
        described=msgspec.Raw(b'{"sources":["x","y"]}'),
    )


class BlendStoreContract:
    """Subclass it with a fixture `store`: a new one, beside an empty log."""

    def test_a_new_store_tells_nothing(self, store: BlendStore) -> None:
        assert store.standing("a", 0) == []
        assert store.serving_at(2**62) is None
        assert store.named("a", "a1") is None
        assert list(store.records()) == []

    def test_what_was_agreed_comes_back_to_the_bit(self, store: BlendStore) -> None:
        agreed = store.agree(blend_record(1))
        assert agreed == blend_record(1)
        assert store.standing("a", 1) == [agreed]
        assert list(store.records()) == [agreed]

    def test_of_several_with_one_number_the_first_is_stored(self, store: BlendStore) -> None:
        asked = [msgspec.structs.replace(blend_record(1), time=1 + one) for one in range(3)]
        assert [store.agree(record) for record in asked] == [asked[0], None, None]
        assert list(store.records()) == asked[:1]

    def test_numbers_rise_by_one(self, store: BlendStore) -> None:
        assert store.agree(blend_record(2)) is None
        assert store.agree(blend_record(1)) is not None
        assert store.agree(blend_record(3)) is None
        assert store.agree(blend_record(2)) is not None

    def test_artifacts_are_counted_apart(self, store: BlendStore) -> None:
        store.agree(blend_record(1))
        assert store.agree(blend_record(1, artifact="b")) is not None
        assert [record.artifact for record in store.standing("b", 9)] == ["b"]

    def test_what_is_in_force_and_what_comes_is_told(self, store: BlendStore) -> None:
        store.restore([blend_record(n, seq=seq) for n, seq in ((1, 10), (2, 20), (3, 30))])
        told = [[record.number for record in store.standing("a", seq)] for seq in (5, 10, 11, 21, 30, 31)]
        assert told == [[1, 2, 3], [1, 2, 3], [1, 2, 3], [2, 3], [2, 3], [3]]

    def test_what_served_at_a_moment_is_told(self, store: BlendStore) -> None:
        store.restore(
            [blend_record(1, time=5), blend_record(1, artifact="b", time=7), blend_record(2, time=9)]
        )
        served = [store.serving_at(moment) for moment in (4, 5, 8, 9)]
        assert [record and record.blend_version for record in served] == [None, "a1", "b1", "a2"]

    def test_a_record_is_found_by_its_version(self, store: BlendStore) -> None:
        store.restore([blend_record(1), blend_record(2)])
        assert store.named("a", "a2") == blend_record(2)
        assert store.named("b", "a2") is None

    def test_only_an_empty_store_is_restored(self, store: BlendStore) -> None:
        store.agree(blend_record(1))
        store.restore([blend_record(7)])
        assert [record.number for record in store.records()] == [1]
