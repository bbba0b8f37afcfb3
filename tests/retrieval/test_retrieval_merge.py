"""Candidates are the union of every source's best allowed items."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foretaste.models.entries import entry_of
from foretaste.retrieval.masks import listed
from foretaste.retrieval.merge import merge
from foretaste.retrieval.rows import Row, rows_of_scores
from foretaste.retrieval.selection import best_entries
from foretaste.retrieval.sources import in_room, rising

SCORES = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=60),
    elements=st.sampled_from([-2.0, -0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3e30, 1e-30]),
)
NO_USE = np.empty(0, np.int64)
NO_SCORES = np.empty(0, np.float32)


def merged(dense, allowed, per_source=5, at_least=0, interactions=NO_USE):
    return merged_rows(rows_of_scores(dense), allowed, per_source, at_least, interactions)


def merged_rows(rows, allowed, per_source=5, at_least=0, interactions=NO_USE):
    names = tuple(f"s{number}" for number in range(len(rows)))
    return merge(
        names, rows, allowed, per_source=per_source, at_least=at_least, interactions=lambda: interactions
    )


def entries_of(scores, items):
    return np.array([entry_of(scores[item], item) for item in items], np.int64)


@given(
    dense=SCORES, per_source=st.integers(1, 30), seed=st.integers(0, 99), share=st.sampled_from([0.1, 0.9])
)
def test_every_source_proposes_its_best_allowed_items_of_equals_the_older_one(dense, per_source, seed, share):
    allowed = np.random.default_rng(seed).random(dense.shape[1]) < share
    found = merged(dense, allowed, per_source)
    for source, scores in enumerate(dense):
        order = np.argsort(-scores, kind="stable")
        best = [item for item in order if allowed[item] and scores[item] > 0][:per_source]
        assert found.item[found.proposed[source] == 1].tolist() == sorted(best)
    assert found.item.tolist() == sorted(set(found.item.tolist()))
    assert found.score.tobytes() == dense[:, found.item].tobytes()


@given(
    dense=SCORES,
    per_source=st.integers(1, 30),
    at_hand=st.integers(1, 40),
    seed=st.integers(0, 99),
    share=st.sampled_from([0.1, 0.5, 0.9]),
)
def test_the_best_at_hand_change_no_answer(dense, per_source, at_hand, seed, share):
    draw = np.random.default_rng(seed)
    available = draw.random(dense.shape[1]) < 0.8
    passing = draw.random(dense.shape[1]) < share
    had = draw.random(dense.shape[1]) < 0.3
    allowed = available & passing & ~had
    plain = merged(dense, allowed, per_source)
    rows = [with_best(scores, available, at_hand) for scores in dense]
    kept = {}
    for _ in range(2):
        passed = listed(passing, available, kept)
        found = merged_rows([row.among(passed) for row in rows], allowed, per_source)
        assert found.item.tolist() == plain.item.tolist()
        assert found.score.tobytes() == plain.score.tobytes()
        assert found.proposed.tolist() == plain.proposed.tolist()


def with_best(scores, available, at_hand):
    entries = best_entries(scores, available, at_hand)
    return Row(scores, entries, at_hand, are_all=len(entries) < at_hand)


@given(dense=SCORES, per_source=st.integers(1, 30), at_hand=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_row_that_followed_changes_gives_what_one_made_anew_gives(dense, per_source, at_hand, seed):
    draw = np.random.default_rng(seed)
    n_items = dense.shape[1]
    available, passing = draw.random(n_items) < 0.8, draw.random(n_items) < 0.4
    passed = listed(passing, available, {})
    rows = [with_best(scores.copy(), available, at_hand) for scores in dense]
    for row in rows:
        row.among(passed)
    for _ in range(4):
        items = np.unique(draw.integers(n_items, size=3)).astype(np.int32)
        keys = draw.choice(np.array([-1.0, 0.0, 0.5, 1.0, 2.5], np.float32), len(items))
        dense[:, items] = keys
        for at, row in enumerate(rows):
            if not row.follow(items, keys, available):
                rows[at] = with_best(dense[at].copy(), available, at_hand)
        for allowed, now in ((available, rows), (available & passing, [row.among(passed) for row in rows])):
            found, plain = merged_rows(now, allowed, per_source), merged(dense, allowed, per_source)
            assert found.item.tolist() == plain.item.tolist()
            assert found.score.tobytes() == plain.score.tobytes()
            assert found.proposed.tolist() == plain.proposed.tolist()


@given(dense=SCORES, per_source=st.integers(1, 30), seed=st.integers(0, 99))
def test_scores_given_as_entries_are_those_of_all_items(dense, per_source, seed):
    draw = np.random.default_rng(seed)
    allowed = draw.random(dense.shape[1]) < 0.7
    dense = dense + np.float32(0.0)  # an entry knows no negative zero
    rows = [Row(NO_SCORES, entries_of(scores, draw.permutation(np.flatnonzero(scores)))) for scores in dense]
    found, plain = merged_rows(rows, allowed, per_source), merged(dense, allowed, per_source)
    assert found.item.tolist() == plain.item.tolist()
    assert found.score.tobytes() == plain.score.tobytes()
    assert found.proposed.tolist() == plain.proposed.tolist()


def test_many_scores_are_selected_as_by_sorting():
    dense = np.random.default_rng(0).normal(size=(3, 50_000)).astype(np.float32)
    found = merged(dense, np.ones(50_000, np.bool_), per_source=300)
    for source, scores in enumerate(dense):
        best = np.sort(np.argsort(-scores)[:300])
        assert found.item[found.proposed[source] == 1].tolist() == best.tolist()


def test_rising_scores_which_replace_the_best_all_the_time_are_selected_too():
    dense = np.arange(1, 10_001, dtype=np.float32)[None, :]
    assert merged(dense, np.ones(10_000, np.bool_), per_source=7).item.tolist() == list(range(9_993, 10_000))


def test_where_sources_are_silent_the_most_used_then_the_oldest_items_fill_up():
    dense = np.zeros((2, 8), np.float32)
    dense[1, 6] = 1.0
    allowed = np.array([1, 1, 0, 1, 1, 1, 1, 1], np.bool_)
    found = merged(dense, allowed, at_least=4, interactions=np.array([0, 0, 9, 0, 5]))
    assert found.item.tolist() == [0, 1, 4, 6]
    assert found.proposed.tolist() == [[0, 0, 0, 0], [0, 0, 0, 1]]


@given(uses=st.lists(st.integers(0, 3), min_size=1, max_size=30), at_least=st.integers(1, 30))
def test_what_fills_up_are_the_most_used_and_of_these_the_oldest(uses, at_least):
    n = len(uses)
    found = merged(
        np.zeros((1, n), np.float32), np.ones(n, np.bool_), at_least=at_least, interactions=np.array(uses)
    )
    order = sorted(range(n), key=lambda item: (-uses[item], item))
    assert found.item.tolist() == sorted(order[:at_least])


@pytest.mark.parametrize("at_least", [0, 3])
def test_nothing_allowed_gives_nothing(at_least):
    dense = np.ones((2, 8), np.float32)
    assert len(merged(dense, np.zeros(8, np.bool_), at_least=at_least).item) == 0


def test_an_empty_catalog_gives_nothing():
    assert len(merged(np.empty((2, 0), np.float32), np.empty(0, np.bool_), at_least=3).item) == 0


@given(
    n=st.integers(1, 6000),
    levels=st.sampled_from([1, 7, 100_000]),
    share=st.sampled_from([0.02, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_of_thousands_of_entries_in_no_order_the_best_are_proposed(n, levels, share, seed):
    draw, n_items = np.random.default_rng(seed), 70_000
    items = draw.permutation(n_items)[:n].astype(np.int32)
    scores = np.zeros(n_items, np.float32)
    scores[items] = draw.integers(-1, levels, n).astype(np.float32) ** 3
    allowed = draw.random(n_items) < share
    found = merged_rows([Row(NO_SCORES, entries_of(scores, items))], allowed, 100)
    order = np.argsort(-scores, kind="stable")
    best = [item for item in order if allowed[item] and scores[item] > 0][:100]
    assert found.item.tolist() == sorted(best)
    assert found.score[0].tobytes() == scores[found.item].tobytes()


@given(st.lists(st.integers(0, 2**22 - 1)), st.sampled_from([2**22, 2**22 + 1, 2**30]))
def test_ordinals_are_put_in_order(items, bound):
    given_items = np.array(items, np.int32)
    assert rising(given_items, bound).tolist() == sorted(items)
    assert given_items.tolist() == items


def test_few_ordinals_below_any_bound_are_put_in_order():
    for bound in (1, 2, 255, 256, 257, 65_536, 65_537):
        every = np.arange(bound, dtype=np.int32)
        assert np.array_equal(rising(every[::-1].copy(), bound), every)


def test_a_kernel_that_had_no_memory_leaves_no_trace():
    def runs_out(seen, _place_of):
        seen[:] = True
        raise MemoryError

    with pytest.raises(MemoryError):
        in_room(50, runs_out)
    assert not in_room(50, lambda seen, _place_of: seen).any()
