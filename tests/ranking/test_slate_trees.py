"""LightGBM's trees, scored without LightGBM."""

import os
import subprocess
import sys

import lightgbm
import numpy as np
import pytest

from foretaste.domain.errors import CorruptArtifactError
from foretaste.ranking.trees import Trees, no_trees, trees_of


def some_rows(n=600, *, missing=True, seed=0):
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(n, 6))
    features[:, 3] = np.round(features[:, 3])
    if missing:
        features[generator.random(features.shape) < 0.2] = np.nan
    return features


@pytest.fixture(scope="module")
def boosters():
    found = []
    for objective, missing in (("regression", True), ("binary", True), ("lambdarank", False)):
        features = some_rows(missing=missing)
        label = (np.nan_to_num(features[:, 0]) + np.nan_to_num(features[:, 1]) > 0.3).astype(float)
        data = lightgbm.Dataset(features, label, group=np.full(60, 10))
        parameters = {"objective": objective, "num_leaves": 15, "min_data_in_leaf": 5, "verbosity": -1}
        found.append(lightgbm.train({**parameters, "num_threads": 1}, data, 40))
    return found


def test_scores_are_those_of_lightgbm(boosters):
    rows = some_rows(400, seed=1)
    for booster in boosters:
        own = trees_of([(booster.dump_model(), 1.0)]).score(rows)
        assert np.abs(own - booster.predict(rows, raw_score=True)).max() < 1e-9


def test_several_models_are_added_by_their_scales(boosters):
    rows = some_rows(50, seed=2)
    own = trees_of([(booster.dump_model(), 0.5) for booster in boosters]).score(rows)
    theirs = sum(0.5 * booster.predict(rows, raw_score=True) for booster in boosters)
    assert np.abs(own - theirs).max() < 1e-9


def test_contributions_of_features_and_the_rest_sum_to_the_score(boosters):
    rows = some_rows(30, seed=3)
    trees = trees_of([(boosters[0].dump_model(), 1.0)])
    parts, rest = trees.contributions(rows)
    assert np.abs(parts.sum(axis=1) + rest - trees.score(rows)).max() < 1e-9
    assert np.abs(parts[:, 0]).mean() > np.abs(parts[:, 5]).mean()


def test_arrays_make_the_same_trees(boosters):
    trees = trees_of([(boosters[1].dump_model(), 1.0)])
    again = Trees.from_arrays(trees.arrays(), n_features=6)
    rows = some_rows(30, seed=4)
    assert again.score(rows).tobytes() == trees.score(rows).tobytes()


def test_no_trees_say_nothing():
    assert no_trees().score(some_rows(3)).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("name", "value"), [("left", 10**6), ("root", -1), ("feature", 99)])
def test_damaged_trees_are_refused(boosters, name, value):
    arrays = {
        key: array.copy() for key, array in trees_of([(boosters[0].dump_model(), 1.0)]).arrays().items()
    }
    place = int(np.argmax(arrays["feature"] >= 0)) if name != "root" else 0
    arrays[name][place] = value
    with pytest.raises(CorruptArtifactError):
        Trees.from_arrays(arrays, n_features=6)


def test_a_loop_in_damaged_trees_ends():
    loop = Trees(
        root=np.zeros(1, np.int32),
        feature=np.zeros(1, np.int32),
        threshold=np.zeros(1),
        left=np.zeros(1, np.int32),
        right=np.zeros(1, np.int32),
        nan_left=np.zeros(1, np.bool_),
        nan_is_zero=np.zeros(1, np.bool_),
        value=np.ones(1),
    )
    assert np.isfinite(loop.score(np.zeros((1, 1)))).all()


def test_where_the_system_lacks_what_lightgbm_needs_is_said_what_to_install(tmp_path):
    (tmp_path / "lightgbm.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')")
    ended = subprocess.run(
        [sys.executable, "-c", "import foretaste.ranking.lambdamart"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "MissingExtraError" in ended.stderr
    assert "apt-get install libgomp1" in ended.stderr
