"""Boxes of one page that different workers answer show different things."""

import pytest


@pytest.fixture(scope="module")
def workers(service):
    both = [service.worker("reader-0"), service.worker("reader-1")]
    yield both
    for worker in both:
        worker.close()


def test_what_one_worker_showed_the_other_leaves_out(workers):
    shown = []
    for box in range(6):
        status, slate = workers[box % 2].ask("GET", f"/recommend/u{box}?k=3&page_id=front")
        assert status == 200
        shown += [item["item_id"] for item in slate["items"]]
    status, slate = workers[0].ask("POST", "/recommend", {"user_id": "u9", "k": 3, "page_id": "front"})
    assert status == 200
    shown += [item["item_id"] for item in slate["items"]]
    assert len(shown) == len(set(shown)) > 0


def test_a_page_of_one_worker_is_followed_by_that_of_the_other(workers):
    shown, cursor = [], ""
    for page in range(4):
        _, slate = workers[page % 2].ask("GET", f"/recommend/u1?k=3&cursor={cursor}")
        shown += [item["item_id"] for item in slate["items"]]
        cursor = slate["next_cursor"]
    assert len(shown) == len(set(shown)) == 12
