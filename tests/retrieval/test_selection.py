"""The best of many scores: of none that are wanted there are none, and nothing is written."""

import numpy as np

from foretaste.models.vector_search import _best_among
from foretaste.retrieval.packed_keys import PackedKeys
from foretaste.retrieval.selection import best_allowed, best_entries, best_entries_among, best_listed
from foretaste.retrieval.sources import _best_given

SCORES = np.array([0.5, 0.0, 2.0, 1.0], np.float32)
ALL = np.ones(4, np.bool_)
ITEMS = np.arange(4, dtype=np.int32)
UNTOUCHED = [-7] * 8


def test_where_none_is_wanted_nothing_is_written():
    entries, given = np.full(8, -7, np.int64), best_entries(SCORES, ALL, 4)
    bits = SCORES.view(np.int32)
    assert best_allowed(bits, ALL, 0, entries) == 0
    assert best_listed(bits, ITEMS, 0, entries) == 0
    assert _best_given(given, ALL, 0, entries) == 0
    assert entries.tolist() == UNTOUCHED


def test_the_best_none_are_none():
    assert len(best_entries(SCORES, ALL, 0)) == 0
    assert len(best_entries_among(SCORES, ITEMS, 0)) == 0
    assert len(PackedKeys.of(SCORES, 10**6).best_entries(ALL, 0)) == 0
    code, size = np.ones((4, 2), np.int8), np.ones(4, np.float32)
    vector, place = np.ones(2, np.float32), np.arange(4, dtype=np.int64)
    assert len(_best_among(code, size, ITEMS, place, vector, ITEMS, 0)) == 0
