"""Non-negative factorization: what scikit-learn would answer, and plain words without it."""

import builtins
import importlib
import sys

import numpy as np
import pytest
from sklearn import decomposition

from foretaste.domain.errors import MissingExtraError
from foretaste.features.recency import Recency
from foretaste.models.nmf import NMFConfig
from foretaste.models.training_matrix import strengths
from foretaste.testing.clustered_shop import clustered_shop


def test_a_folded_history_scores_as_scikit_learns_transform():
    shop = clustered_shop()
    config = NMFConfig(factors=4, strength_power=1.0, recency=Recency())
    model = config.fit(shop.interactions, 0, shop.catalog)
    matrix = strengths(shop.interactions, power=1.0).astype(np.float64)
    reference = decomposition.NMF(n_components=4, init="nndsvda", max_iter=200, random_state=0).fit(matrix)
    users = reference.transform(matrix[:20])
    expected = users @ reference.components_
    scale = matrix.sum() / shop.interactions.weight.sum()
    for user in range(20):
        scores = model.score(shop.history(user), shop.moment) * scale
        assert scores[: expected.shape[1]] == pytest.approx(expected[user], rel=0.05, abs=0.01)


def test_scores_are_not_negative():
    shop = clustered_shop()
    model = NMFConfig().fit(shop.interactions, 0, shop.catalog)
    assert all(model.score(shop.history(user), shop.moment).min() >= 0.0 for user in range(10))


def test_without_scikit_learn_the_message_says_what_to_install(monkeypatch):
    shop = clustered_shop()
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("sklearn"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "foretaste.models.nmf_factorization", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'foretaste\[nmf\]'"):
        NMFConfig().fit(shop.interactions, 0, shop.catalog)
    monkeypatch.undo()
    importlib.import_module("foretaste.models.nmf_factorization")
