"""The promises of `ports.answer_cache.AnswerCache`."""

from collections.abc import Callable

import pytest

from foretaste.ports.answer_cache import AnswerCache, Lookup

MakeCache = Callable[..., AnswerCache]
ONE, TWO = b"1" * 16, b"2" * 16
LIST, FEED = b"list" * 4, b"feed" * 4
PEOPLE = ("anna", "ben {curly} braces", "ça\nva\r\n", "🦊", "}{", "", None)


def found(cache: AnswerCache, user_id: str | None, stamp: bytes = ONE, request: bytes = LIST) -> bytes | None:
    """Return the answer kept, None where there is none."""
    return cache.get(user_id, stamp, request).answer


class AnswerCacheContract:
    """Subclass it with a fixture `make_cache` that returns an empty cache with the bounds given."""

    @pytest.mark.parametrize("user_id", PEOPLE)
    def test_an_answer_comes_back_under_its_stamp_and_request(
        self, make_cache: MakeCache, user_id: str | None
    ) -> None:
        cache = make_cache()
        cache.put(user_id, ONE, LIST, b"\x00answer\r\n")
        assert cache.get(user_id, ONE, LIST) == Lookup(answer=b"\x00answer\r\n", outcome="hit")
        assert cache.get(user_id, ONE, FEED) == Lookup(answer=None, outcome="absent")
        assert cache.get("somebody else", ONE, LIST) == Lookup(answer=None, outcome="absent")

    def test_answers_of_another_stamp_are_stale_and_removed_by_the_next(self, make_cache: MakeCache) -> None:
        cache = make_cache()
        cache.put("anna", ONE, LIST, b"old")
        assert cache.get("anna", TWO, LIST) == Lookup(answer=None, outcome="stale")
        cache.put("anna", TWO, FEED, b"new")
        assert found(cache, "anna", TWO, FEED) == b"new"
        assert found(cache, "anna", TWO, LIST) is None
        assert found(cache, "anna", ONE, LIST) is None

    def test_people_do_not_meet(self, make_cache: MakeCache) -> None:
        cache = make_cache()
        for place, user_id in enumerate(PEOPLE):
            cache.put(user_id, ONE, LIST, b"%d" % place)
        assert [found(cache, user_id) for user_id in PEOPLE] == [b"%d" % place for place in range(7)]

    def test_the_latest_answer_to_a_request_counts(self, make_cache: MakeCache) -> None:
        cache = make_cache()
        cache.put("anna", ONE, LIST, b"first")
        cache.put("anna", ONE, LIST, b"second")
        assert found(cache, "anna") == b"second"

    def test_a_person_has_a_bounded_number_of_answers(self, make_cache: MakeCache) -> None:
        cache = make_cache(most_answers=3)
        requests = [b"%016d" % number for number in range(20)]
        for request in requests:
            cache.put("anna", ONE, request, request)
            assert found(cache, "anna", ONE, request) == request
            assert sum(found(cache, "anna", ONE, other) is not None for other in requests) <= 3

    def test_an_answer_that_is_too_large_is_not_kept(self, make_cache: MakeCache) -> None:
        cache = make_cache(most_answer_bytes=100)
        cache.put("anna", ONE, LIST, bytes(101))
        assert found(cache, "anna") is None
        cache.put("anna", ONE, LIST, bytes(100))
        assert found(cache, "anna") == bytes(100)

    def test_forgetting_a_person_removes_all_of_theirs(self, make_cache: MakeCache) -> None:
        cache = make_cache()
        for user_id in ("anna", "ben"):
            for request in (LIST, FEED):
                cache.put(user_id, ONE, request, b"answer")
        assert cache.forget(["anna", "nobody"]) == 1
        assert [found(cache, "anna", ONE, request) for request in (LIST, FEED)] == [None, None]
        assert found(cache, "ben") == b"answer"

    def test_closing_twice_is_fine(self, make_cache: MakeCache) -> None:
        cache = make_cache()
        cache.close()
        cache.close()
