"""The promises of `ports.id_map.IdMap`."""

from threading import Thread

from foretaste.testing.sites import StoreSite

NAMES = ["a", "A", "á", "a\u0301", "", " ", "\u200b", "🦊", "a/b", "x" * 256, "1", "01"]


class IdMapContract:
    """Subclass it with a fixture `site` that gives a `StoreSite`."""

    def test_ordinals_are_dense_in_the_order_of_first_sight(self, site: StoreSite) -> None:
        ids = site.open().id_map
        assert ids.assign("user", ["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]
        assert ids.assign("user", ["c", "d"]).tolist() == [2, 3]
        assert ids.names("user") == ["b", "a", "c", "d"]
        assert ids.names("user", 3) == ["d"]

    def test_ordinals_are_int32(self, site: StoreSite) -> None:
        ids = site.open().id_map
        assert ids.assign("item", ["a"]).dtype == ids.find("item", []).dtype == "int32"

    def test_kinds_are_counted_apart(self, site: StoreSite) -> None:
        ids = site.open().id_map
        ids.assign("user", ["same", "other"])
        assert ids.assign("item", ["same"]).tolist() == [0]
        assert ids.find("type", ["same"]).tolist() == [-1]

    def test_an_unknown_id_is_minus_one_and_stays_unknown(self, site: StoreSite) -> None:
        ids = site.open().id_map
        ids.assign("item", ["known"])
        assert ids.find("item", ["unknown", "known"]).tolist() == [-1, 0]
        assert [ids.ordinal("item", one) for one in ("unknown", "known")] == [-1, 0]
        assert ids.names("item") == ["known"]

    def test_any_text_is_kept_apart_from_every_other(self, site: StoreSite) -> None:
        ids = site.open().id_map
        assert ids.assign("item", NAMES).tolist() == list(range(len(NAMES)))
        assert ids.names("item") == NAMES

    def test_an_ordinal_survives_a_crash_and_is_not_given_again(self, site: StoreSite) -> None:
        ids = site.open().id_map
        ids.assign("item", NAMES)
        left = site.after_crash().id_map
        assert left.names("item") == NAMES
        assert left.assign("item", ["new", *NAMES]).tolist() == [len(NAMES), *range(len(NAMES))]

    def test_writers_at_the_same_time_agree(self, site: StoreSite) -> None:
        ids = site.open().id_map
        answers: list[list[int]] = []
        names = [f"id-{number}" for number in range(50)]

        def assign() -> None:
            answers.append([int(ids.assign("user", [name])[0]) for name in names])

        threads = [Thread(target=assign) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [ids.find("user", names).tolist()] * 4
        assert sorted(answers[0]) == list(range(50))
