"""A slate obeys its rules, and is otherwise what MMR would have shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.features.category_table import no_categories
from foretaste.policy.arrangement import NO_LIMIT, NOBODY, Bounds, Variety, arrange
from foretaste.policy.mmr import mmr
from foretaste.policy.rotation import rotate
from foretaste.policy.similarity import similarities


def bounds(n, places, groups=(), pinned=None, kept_for=None, turn=()):
    """Return bounds of `groups`: (members, at_least, at_most) each."""
    own = [[row for row, (of_group, _, _) in enumerate(groups) if i in of_group] for i in range(n)]
    by_place = np.full((2, places), NOBODY, np.int64)
    for row, given_places in enumerate((pinned or {}, kept_for or {})):
        for place, who in given_places.items():
            by_place[row, place] = who
    return Bounds(
        start=np.cumsum([0, *map(len, own)]),
        group=np.array([row for rows in own for row in rows], np.int64),
        at_least=np.array([least for _, least, _ in groups], np.int64),
        at_most=np.array([NO_LIMIT if most is None else most for _, _, most in groups], np.int64),
        pinned=by_place[0],
        kept_for=by_place[1],
        turn=np.array(turn, np.int64),
    )


def falling(n):
    return np.linspace(1.0, 0.0, n, dtype=np.float32)


def test_no_group_has_more_places_than_its_maximum():
    slate = arrange(falling(8), bounds(8, 4, [(range(6), 0, 2)]))
    assert slate.tolist() == [0, 1, 6, 7]


def test_a_maximum_gives_way_rather_than_leave_a_place_empty():
    assert arrange(falling(5), bounds(5, 4, [(range(5), 0, 3)])).tolist() == [0, 1, 2, 3]


def test_of_several_maxima_as_few_as_possible_give_way():
    groups = [(range(4), 0, 1), ({0, 1, 2}, 0, 1)]
    assert arrange(falling(4), bounds(4, 2, groups)).tolist() == [0, 3]


def test_a_group_has_its_minimum_on_the_last_places_if_relevance_does_not_give_it():
    assert arrange(falling(9), bounds(9, 4, [({7, 8}, 2, None)])).tolist() == [0, 1, 7, 8]


def test_a_minimum_that_relevance_gives_changes_nothing():
    assert arrange(falling(9), bounds(9, 4, [({0, 2, 8}, 2, None)])).tolist() == [0, 1, 2, 3]


def test_a_minimum_nobody_can_fill_leaves_the_places_to_others():
    assert arrange(falling(5), bounds(5, 3, [({4}, 2, None)])).tolist() == [0, 1, 4]


def test_what_is_pinned_stands_on_its_place_and_on_no_other():
    assert arrange(falling(6), bounds(6, 4, pinned={2: 5, 0: 3})).tolist() == [3, 0, 5, 1]


def test_what_is_pinned_counts_towards_its_groups():
    slate = arrange(falling(6), bounds(6, 3, [({0, 1, 5}, 0, 1)], pinned={2: 5}))
    assert slate.tolist() == [2, 3, 5]


def test_a_place_kept_for_a_group_goes_to_its_best():
    groups = [({3, 4}, 0, None)]
    assert arrange(falling(6), bounds(6, 3, groups, kept_for={1: 0})).tolist() == [0, 3, 1]


def test_a_place_kept_for_nobody_there_goes_to_the_best_of_all():
    assert arrange(falling(4), bounds(4, 2, [((), 0, None)], kept_for={0: 0})).tolist() == [0, 1]


def test_a_minimum_has_a_free_place_left_beside_those_kept_for_others():
    groups = [({1}, 0, None), ({5}, 1, None)]
    assert arrange(falling(6), bounds(6, 3, groups, kept_for={2: 0})).tolist() == [0, 5, 1]


def test_a_place_kept_for_a_group_counts_towards_its_minimum():
    groups = [({4, 5}, 1, None)]
    assert arrange(falling(6), bounds(6, 3, groups, kept_for={2: 0})).tolist() == [0, 1, 4]


def test_what_was_shown_before_the_slate_counts_as_standing_before_it():
    variety = Variety(np.eye(3, dtype=np.float32), np.array([1.0, 0.0, 0.0], np.float32), 0.4, 0.0)
    assert arrange(falling(3), bounds(3, 2), variety).tolist() == [1, 2]


def test_nobody_to_show_is_an_empty_slate():
    assert arrange(falling(0), bounds(0, 3)).tolist() == []


@given(
    n=st.integers(1, 20),
    places=st.integers(1, 8),
    seed=st.integers(0, 999),
    trade_off=st.sampled_from([0.0, 0.5, 0.8]),
)
@settings(deadline=None)
def test_without_rules_it_is_mmr(n, places, seed, trade_off):
    generator = np.random.default_rng(seed)
    worth = np.sort(generator.random(n).astype(np.float32))[::-1].copy()
    vectors, items = generator.normal(size=(n, 3)).astype(np.float32), np.arange(n, dtype=np.int32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = similarities(vectors, no_categories(), items)
    expected = mmr(worth, vectors, no_categories(), items, places, trade_off, 0.3).tolist()
    variety = Variety(alike, np.zeros(n, np.float32), trade_off, 0.3)
    assert arrange(worth, bounds(n, places), variety).tolist() == expected


@given(turn=st.lists(st.integers(0, 3), min_size=4, max_size=15), places=st.integers(1, 8))
@settings(deadline=None)
def test_turns_without_other_rules_are_those_of_rotation(turn, places):
    n = len(turn)
    expected = rotate(np.arange(n), np.array(turn, np.int32), places).tolist()
    assert arrange(falling(n), bounds(n, places, turn=turn)).tolist() == expected


@st.composite
def disjoint_groups(draw):
    n = draw(st.integers(1, 14))
    group_of = draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n))
    groups = []
    for group in range(3):
        most = draw(st.none() | st.integers(0, 4))
        least = draw(st.integers(0, 3 if most is None else most))
        groups.append(({i for i in range(n) if group_of[i] == group}, least, most))
    return n, groups


@given(case=disjoint_groups(), places=st.integers(1, 8))
@settings(deadline=None)
def test_bounds_hold_wherever_they_can(case, places):
    n, groups = case
    slate = arrange(falling(n), bounds(n, places, groups)).tolist()
    assert len(set(slate)) == len(slate) == min(n, places)
    rest = n - sum(len(members) for members, _, _ in groups)
    room = sum(len(members) if most is None else min(most, len(members)) for members, _, most in groups)
    needed = sum(min(least, len(members)) for members, least, _ in groups)
    for members, least, most in groups:
        shown = len(members & set(slate))
        if most is not None and room + rest >= len(slate):
            assert shown <= most
        if needed <= places:
            assert shown >= min(least, len(members))


@given(
    case=disjoint_groups(),
    places=st.integers(1, 8),
    pins=st.dictionaries(st.integers(0, 7), st.integers(0, 13)),
)
@settings(deadline=None)
def test_what_is_pinned_stands_where_it_is_pinned_whatever_else_is_asked(case, places, pins):
    n, groups = case
    pinned, taken = {}, set()
    for place, who in pins.items():
        if place < min(places, n) and who < n and who not in taken:
            pinned[place] = who
            taken.add(who)
    slate = arrange(falling(n), bounds(n, places, groups, pinned=pinned)).tolist()
    assert {place: slate[place] for place in pinned} == pinned


@pytest.mark.parametrize("place", [0, 3])
def test_a_pin_behind_the_end_moves_up(place):
    assert arrange(falling(2), bounds(2, 5, pinned={place: 1})).tolist() == [[1, 0], [0, 1]][place == 3]
