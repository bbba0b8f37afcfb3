"""MMR trades relevance for difference."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.features.category_table import no_categories
from foretaste.policy.mmr import mmr
from foretaste.policy.similarity import similarities


def a_pool(n: int, seed: int):
    generator = np.random.default_rng(seed)
    relevance = np.sort(generator.random(n).astype(np.float32))[::-1].copy()
    vectors = generator.normal(size=(n, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return relevance, similarities(vectors, no_categories(), np.arange(n, dtype=np.int32))


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
    relevance, similarity = a_pool(n, seed)
    assert mmr(relevance, similarity, count, 1.0).tolist() == list(range(min(n, count)))


@given(
    n=st.integers(1, 25),
    count=st.integers(1, 30),
    seed=st.integers(0, 999),
    trade_off=st.sampled_from([0.0, 0.2, 0.5, 0.8, 0.99]),
)
@settings(deadline=None)
def test_each_place_is_chosen_as_the_paper_says(n, count, seed, trade_off):
    relevance, similarity = a_pool(n, seed)
    expected = by_definition(relevance, similarity, count, trade_off)
    assert mmr(relevance, similarity, count, trade_off).tolist() == expected


def test_zero_is_pure_difference_after_the_best_item():
    relevance = np.array([1.0, 0.9, 0.1], np.float32)
    similarity = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]], np.float32)
    assert mmr(relevance, similarity, 3, 0.0).tolist() == [0, 2, 1]


@given(n=st.integers(1, 25), seed=st.integers(0, 999), threshold=st.floats(0.05, 0.95))
@settings(deadline=None)
def test_what_is_too_near_waits_until_all_that_keep_the_distance_are_placed(n, seed, threshold):
    relevance, similarity = a_pool(n, seed)
    chosen = mmr(relevance, similarity, n, 0.8, threshold).tolist()
    assert sorted(chosen) == list(range(n))
    for place in range(1, n):
        before = similarity[:, chosen[:place]].max(axis=1)
        if before[chosen[place]] > 1.0 - threshold:
            assert all(before[other] > 1.0 - threshold for other in chosen[place:])


def test_a_threshold_counts_at_pure_relevance_too():
    relevance = np.array([1.0, 0.9, 0.1], np.float32)
    similarity = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]], np.float32)
    assert mmr(relevance, similarity, 3, 1.0, 0.3).tolist() == [0, 2, 1]
    assert mmr(relevance, similarity, 3, 1.0).tolist() == [0, 1, 2]
