"""Every vector stands in the list of the centre next to it, however the lists came about."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.domain.errors import CorruptArtifactError
from foretaste.models.coded_vectors import CodedVectors
from foretaste.models.inverted_lists import NOWHERE, nearest, nearest_of_many

DIM = 6


def vectors_around(n, seed, groups=7):
    """Return vectors near a few points, every ninth of them 0."""
    draw = np.random.default_rng(seed)
    vectors = 3.0 * draw.standard_normal((groups, DIM))[draw.integers(groups, size=n)]
    vectors += draw.standard_normal((n, DIM))
    vectors[::9] = 0.0
    return vectors.astype(np.float32)


def in_lists(vectors, seed=0):
    return CodedVectors.of(vectors).listed(seed)


def members(lists):
    """Return the items of every list, in order."""
    return [np.sort(lists.member[a : a + n]).tolist() for a, n in zip(lists.start, lists.count, strict=False)]


@given(n=st.integers(1, 60), seed=st.integers(0, 999))
@settings(deadline=None)
def test_the_nearest_centre_is_that_of_the_least_distance_and_nothing_is_near_to_nothing(n, seed):
    vectors, at = vectors_around(n, seed), vectors_around(5, seed + 1)
    distance = np.square(vectors[:, np.newaxis] - at).sum(axis=2)
    for found in (nearest(vectors, at), nearest_of_many(vectors, at)):
        is_nothing = ~vectors.any(axis=1)
        assert (found[is_nothing] == NOWHERE).all()
        of_found = distance[np.arange(n), found][~is_nothing]
        assert of_found == pytest.approx(distance.min(axis=1)[~is_nothing], rel=1e-4, abs=1e-4)


def test_every_vector_but_those_of_nothing_is_in_one_list_with_its_codes():
    vectors = in_lists(vectors_around(300, 1))
    lists = vectors.lists
    told = np.flatnonzero(vectors.row)
    assert sorted(item for items in members(lists) for item in items) == told.tolist()
    assert len(lists) == len(told)
    assert (lists.code[lists.place[told]] == vectors.code[told]).all()
    assert (lists.size[lists.place[told]] == vectors.row[told]).all()


def test_the_spread_of_a_list_is_the_root_of_its_mean_square_by_dimension():
    vectors = in_lists(vectors_around(300, 1))
    lists, every = vectors.lists, vectors.all()
    for c, items in enumerate(members(lists)):
        away = np.square(every[items] - lists.centres.at[c])
        expected = np.sqrt(away.mean()) if items else 0.0
        assert lists.centres.spread[c] == pytest.approx(expected, rel=1e-5)


@given(
    parts=st.lists(st.lists(st.integers(0, 79), min_size=1, max_size=30, unique=True), max_size=6),
    seed=st.integers(0, 99),
)
@settings(deadline=None)
def test_vectors_written_piece_by_piece_stand_where_they_stand_when_put_in_at_once(parts, seed):
    start, target = vectors_around(80, seed), vectors_around(80, seed + 1)
    pieces = made_anew = in_lists(start).with_rows(np.arange(0, dtype=np.int32), start[:0])
    now = start.copy()
    for part in parts:
        items = np.array(part, np.int32)
        now[items] = target[items]
        pieces = pieces.rewritten(items, target[items])
    written = np.unique([item for part in parts for item in part]).astype(np.int32)
    made_anew = in_lists(start).with_rows(written, now[written])
    assert members(pieces.lists) == members(made_anew.lists)
    told = np.flatnonzero(pieces.row)
    assert (pieces.lists.code[pieces.lists.place[told]] == made_anew.code[told]).all()
    assert (pieces.lists.size[pieces.lists.place[told]] == made_anew.row[told]).all()


def test_vectors_that_are_added_later_stand_where_they_stand_when_put_in_at_once():
    start, more = vectors_around(80, 1), vectors_around(30, 2)
    items = np.arange(70, 100, dtype=np.int32)
    first = np.array([0], np.int32)
    grown = (
        in_lists(start).with_rows(first, start[:1]).rewritten(items[:20], more[:20]).rewritten(items, more)
    )
    at_once = in_lists(start).with_rows(np.append(first, items), np.concatenate((start[:1], more)))
    assert len(grown) == len(at_once) == 100
    assert members(grown.lists) == members(at_once.lists)
    assert grown.code.tobytes() == at_once.code.tobytes()


def test_a_list_takes_more_than_it_had_room_for():
    vectors = in_lists(vectors_around(400, 2)).with_rows(
        np.array([1], np.int32), np.ones((1, DIM), np.float32)
    )
    everything = np.arange(400, dtype=np.int32)
    one = vectors.rewritten(everything, np.ones((400, DIM), np.float32))
    assert max(one.lists.count) == 400


def test_vectors_read_from_arrays_are_in_the_same_lists():
    vectors = in_lists(vectors_around(200, 3))
    arrays = {name: array.copy() for name, array in vectors.arrays().items()}
    for array in arrays.values():
        array.flags.writeable = False
    again = CodedVectors.from_arrays(arrays)
    assert members(again.lists) == members(vectors.lists)
    assert again.lists.centres.spread.tobytes() == vectors.lists.centres.spread.tobytes()
    assert again.lists.centres.looks == vectors.lists.centres.looks


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("list", lambda own: own + 1000),
        ("list", lambda own: own - 2),
        ("list", lambda own: own[:-1]),
        ("centre", lambda at: at[:, :-1]),
        ("spread", lambda spread: spread[1:]),
        ("looks", lambda looks: looks[:0]),
    ],
)
def test_lists_that_cannot_be_those_of_the_vectors_are_refused(name, change):
    arrays = in_lists(vectors_around(200, 3)).arrays()
    with pytest.raises(CorruptArtifactError, match="train again"):
        CodedVectors.from_arrays({**arrays, name: change(arrays[name])})


def test_arrays_of_before_there_were_lists_are_vectors_without():
    vectors = CodedVectors.of(vectors_around(20, 4))
    assert CodedVectors.from_arrays(vectors.arrays()).lists is None


def test_the_same_vectors_and_seed_give_the_same_centres():
    vectors = vectors_around(300, 5)
    first, second = (in_lists(vectors, 7).lists for _ in range(2))
    assert first.centres.at.tobytes() == second.centres.at.tobytes()
    assert first.centres.spread.tobytes() == second.centres.spread.tobytes()
