"""Long histories cut into windows: neighbours stay together, nothing is lost."""

from collections import Counter

import numpy as np
import pytest

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.ials import IALSConfig
from foretaste.models.training_matrix import in_windows


def interactions(lengths, *, timed=True, seed=0):
    """Return histories of these lengths, mixed in time; a user's n-th item is item n."""
    generator = np.random.default_rng(seed)
    user = generator.permutation(np.repeat(np.arange(len(lengths)), lengths))
    item = np.empty(len(user), np.int64)
    for one in range(len(lengths)):
        item[user == one] = np.arange(lengths[one])
    n = len(user)
    return Interactions(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        weight=np.ones(n, np.float32),
        time=np.arange(n, dtype=np.int64),
        n_users=len(lengths),
        n_items=int(max(lengths)),
        timed=timed,
    )


@pytest.mark.parametrize("size", [2, 7, 10])
def test_every_interaction_is_in_two_windows_of_at_most_the_size(size):
    whole = interactions([25, 3, 10, 1])
    cut = in_windows(whole, size)
    assert Counter(cut.item.tolist()) == {item: 2 * n for item, n in Counter(whole.item.tolist()).items()}
    assert np.bincount(cut.user, minlength=cut.n_users).max() <= size
    assert np.bincount(cut.user, minlength=cut.n_users).min() >= 1
    assert (np.diff(cut.time) >= 0).all()


def test_a_window_holds_neighbours_and_any_two_neighbours_share_one():
    cut = in_windows(interactions([40]), 8)
    shared = set()
    for person in range(cut.n_users):
        items = np.sort(cut.item[cut.user == person])
        assert items.tolist() == list(range(items[0], items[-1] + 1))
        shared |= set(zip(items[:-1].tolist(), items[1:].tolist(), strict=True))
    assert shared == {(n, n + 1) for n in range(39)}


def test_people_are_not_mixed():
    whole = interactions([12, 12])
    cut = in_windows(whole, 4)
    origin = {(int(t)): int(u) for t, u in zip(whole.time, whole.user, strict=True)}
    for person in range(cut.n_users):
        assert len({origin[int(time)] for time in cut.time[cut.user == person]}) == 1


def test_nothing_is_cut_without_times_without_a_size_or_without_long_histories():
    untimed, short = interactions([30], timed=False), interactions([5, 8])
    assert in_windows(untimed, 4) is untimed
    assert in_windows(short, 8) is short
    assert in_windows(short, None) is short


def test_ials_brings_together_what_is_near_in_a_history():
    config = IALSConfig(dim=8, regularization=0.004, unobserved=4.0, recency=Recency(), window=10)
    model = config.fit(interactions([60] * 30), 0, CatalogColumns.empty())
    near = model.vectors(np.arange(60, dtype=np.int32))
    assert float((near[:-1] * near[1:]).sum(axis=1).mean()) > 0.5
    assert float((near[:20] * near[40:]).sum(axis=1).mean()) < 0.2
