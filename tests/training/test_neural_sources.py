"""Neural models among the sources: where they are learnt, and what is said where they cannot be."""

import sys

from foretaste.models.neural.self_attention import SelfAttentionConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.testing.clustered_shop import clustered_shop
from foretaste.training.fit import fit_sources
from foretaste.training.sources import chosen_sources, usual_sources


def test_self_attention_is_learnt_with_best_effort_from_events_in_order():
    assert "self_attention" in usual_sources(effort="best")
    assert "self_attention" in usual_sources(timed=False, effort="best")
    assert "self_attention" not in usual_sources(timed=False, ordered=False, effort="best")
    assert "self_attention" not in usual_sources(effort="usual")


def test_neural_sources_are_learnt_at_any_effort_where_they_are_named():
    assert set(chosen_sources(["ncf", "self_attention"])) == {"ncf", "self_attention"}


def test_without_the_extra_the_others_are_learnt_and_the_report_says_what_to_install(monkeypatch):
    for module in ("self_attention_training", "training_loop"):
        monkeypatch.delitem(sys.modules, f"foretaste.models.neural.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "jax", None)
    shop = clustered_shop()
    learners = {"popularity": PopularityConfig(), "self_attention": SelfAttentionConfig()}
    fitted = fit_sources(learners, shop.interactions, shop.catalog, seed=0)
    assert set(fitted.models) == {"popularity"}
    assert "pip install 'foretaste[neural]'" in fitted.failures["self_attention"]
