"""MMR trades relevance for difference."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.policy.mmr import mmr
from foretaste.policy.similarity import similarities

CATEGORIES = CatalogColumns.of(
    [Item(item_id=str(n), categories=tuple("xyz"[: n % 3])) for n in range(20)]
).categories


UNKNOWN = 100
"""Items from here on have no categories."""


def a_pool(n: int, seed: int):
    generator = np.random.default_rng(seed)
    relevance = np.sort(generator.random(n).astype(np.float32))[::-1].copy()
    vectors = generator.normal(size=(n, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[4::7] = 0.0
    return relevance, vectors


def similarity_of(vectors):
    return similarities(vectors, CATEGORIES, np.arange(len(vectors), dtype=np.int32))


def positions(relevance, vectors, count, trade_off, threshold=0.0, first=0):
    items = np.arange(first, first + len(relevance), dtype=np.int32)
    return mmr(relevance, vectors, CATEGORIES, items, count, trade_off, threshold).tolist()


def vectors_of(cosine):
    return np.linalg.cholesky(np.array(cosine)).astype(np.float32)


def by_definition(relevance, similarity, count, trade_off):
    chosen: list[int] = []
    while len(chosen) < min(count, len(relevance)):
        left = [i for i in range(len(relevance)) if i not in chosen]
        worth = [
            trade_off * float(relevance[i])
            - (1 - trade_off) * max((float(similarity[j, i]) for j in chosen), default=0.0)
            for i in left
        ]
        chosen.append(left[int(np.argmax(worth))])
    return chosen


@given(n=st.integers(0, 25), count=st.integers(1, 30), seed=st.integers(0, 999))
@settings(deadline=None)
def test_one_is_pure_relevance(n, count, seed):
    assert positions(*a_pool(n, seed), count, 1.0) == list(range(min(n, count)))


@given(
    n=st.integers(1, 25),
    count=st.integers(1, 30),
    seed=st.integers(0, 999),
    trade_off=st.sampled_from([0.0, 0.2, 0.5, 0.8, 0.99]),
)
@settings(deadline=None)
def test_each_place_is_chosen_as_the_paper_says(n, count, seed, trade_off):
    relevance, vectors = a_pool(n, seed)
    expected = by_definition(relevance, similarity_of(vectors), count, trade_off)
    assert positions(relevance, vectors, count, trade_off) == expected


def test_zero_is_pure_difference_after_the_best_item():
    relevance = np.array([1.0, 0.9, 0.1], np.float32)
    vectors = vectors_of([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
    assert positions(relevance, vectors, 3, 0.0, first=UNKNOWN) == [0, 2, 1]


def test_categories_alone_tell_items_apart_where_there_are_no_vectors():
    relevance = np.array([1.0, 0.9, 0.1], np.float32)
    assert positions(relevance, None, 3, 0.0, first=1) == [0, 2, 1]


@given(n=st.integers(1, 25), seed=st.integers(0, 999), threshold=st.floats(0.05, 0.95))
@settings(deadline=None)
def test_what_is_too_near_waits_until_all_that_keep_the_distance_are_placed(n, seed, threshold):
    relevance, vectors = a_pool(n, seed)
    similarity = similarity_of(vectors)
    chosen = positions(relevance, vectors, n, 0.8, threshold)
    assert sorted(chosen) == list(range(n))
    for place in range(1, n):
        before = similarity[:, chosen[:place]].max(axis=1)
        if before[chosen[place]] > 1.0 - threshold:
            assert all(before[other] > 1.0 - threshold for other in chosen[place:])


def test_a_threshold_counts_at_pure_relevance_too():
    relevance = np.array([1.0, 0.9, 0.1], np.float32)
    vectors = vectors_of([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
    assert positions(relevance, vectors, 3, 1.0, 0.3, first=UNKNOWN) == [0, 2, 1]
    assert positions(relevance, vectors, 3, 1.0, first=UNKNOWN) == [0, 1, 2]
