"""Where what comes next may be of another kind, weights become as simple as they may at little cost."""

import numpy as np
import pytest

from foretaste.ranking.blend import Blend
from foretaste.ranking.hedge import HARDLY, PREMIUM, hedged, hedged_by_best
from foretaste.ranking.listwise import gains
from foretaste.ranking.samples import Sample, stack

SOURCES = ("one", "other", "loud")


def samples(n, weights, seed=0, length=10):
    """Return lists of twenty whose truths are drawn by the softmax of known weights."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        columns = np.zeros((20, 4), np.float32)
        columns[:, :3] = generator.normal(size=(20, 3))
        truth = int(np.argmax(columns[:, :3] @ np.array(weights) + generator.gumbel(size=20)))
        found.append(Sample(columns, np.ones((20, 3), np.bool_), truth, length))
    return found


def blend_of(weights):
    found = Blend.even(SOURCES)
    found.weights[:, :-1] = weights
    return found


def test_weights_that_cost_nothing_to_even_become_even():
    found = hedged(
        blend_of((1.1, 0.9, 0.2)), samples(3000, (1.0, 1.0, 0.2)), sources=SOURCES, rivals=("one", "other")
    )
    assert found.weights[2:, :2] == pytest.approx(1.0)


def test_where_even_weights_are_surely_worse_next_to_nothing_is_given_up():
    blend, every = blend_of((2.0, 0.0, 0.0)), samples(2000, (2.0, 0.0, 0.0))
    found = hedged(blend, every, sources=SOURCES, rivals=("one", "other"))
    table = stack(every, len(SOURCES))
    learnt, kept = gains(table, blend.row(10)).mean(), gains(table, found.row(10)).mean()
    assert gains(table, np.array([1.0, 1.0, 0.0, 0.1])).mean() < 0.95 * learnt
    assert kept >= (1.0 - PREMIUM) * learnt


def test_what_is_not_ahead_of_its_best_source_has_nothing_to_give():
    """The two rivals say nearly the same, and one of them all that there is to know."""
    every = samples(4000, (2.0, 0.0, 0.0))
    for sample in every:
        noise = sample.columns[:, 1].copy()
        sample.columns[:, 1] = 0.98 * sample.columns[:, 0] + 0.2 * noise
    blend = blend_of((2.0, 0.0, 0.0))
    even = gains(stack(every, len(SOURCES)), np.array([1.0, 1.0, 0.0, 0.1]))
    learnt = gains(stack(every, len(SOURCES)), blend.row(10))
    assert 0.99 < even.mean() / learnt.mean() < 1.0
    assert hedged(blend, every, sources=SOURCES, rivals=("one", "other")) is blend


def test_a_rival_that_was_left_out_takes_part_and_all_weigh_together_what_they_did():
    left_out = blend_of((1.0, 0.0, 0.5)).without("other")
    every = samples(2000, (1.0, 0.8, 0.5))
    found = hedged(left_out, every, sources=SOURCES, rivals=("one", "other"))
    assert found.sources == SOURCES
    assert (found.weights[2:, 1] > 0.0).all()
    assert found.weights[2:, :2].sum(axis=1) == pytest.approx(left_out.weights[2:, 0])


def test_other_sources_and_strangers_keep_their_weights():
    blend = blend_of((1.2, 0.8, 0.3))
    found = hedged(blend, samples(2000, (1.0, 1.0, 0.3)), sources=SOURCES, rivals=("one", "other"))
    assert (found.weights[:, 2:] == blend.weights[:, 2:]).all()
    assert (found.weights[:2] == blend.weights[:2]).all()


@pytest.mark.parametrize("rivals", [(), ("one",)])
def test_without_rivals_nothing_changes(rivals):
    blend = blend_of((1.0, 1.0, 1.0))
    assert hedged(blend, samples(2000, (1.0, 1.0, 1.0)), sources=SOURCES, rivals=rivals) is blend


def test_few_samples_of_people_with_a_history_change_nothing():
    blend = blend_of((1.2, 0.8, 0.3))
    strangers = [*samples(900, (1.0, 1.0, 0.3)), *samples(2000, (1.0, 1.0, 0.3), length=0)]
    assert hedged(blend, strangers, sources=SOURCES, rivals=("one", "other")) is blend


def alike(n, noise, seed=0, length=10):
    """Return lists whose truths two sources foretell about as well, each with a noise of its own."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        told = generator.normal(size=20)
        columns = np.zeros((20, 4), np.float32)
        columns[:, :3] = generator.normal(size=(20, 3)) * (noise, noise * 0.95, 1.0)
        columns[:, :2] += told[:, np.newaxis]
        truth = int(np.argmax(3.0 * told + generator.gumbel(size=20)))
        found.append(Sample(columns, np.ones((20, 3), np.bool_), truth, length))
    return found


def worth(every, weights):
    return gains(stack(every, len(SOURCES)), np.array(weights, np.float64)).mean()


def test_a_blend_that_is_hardly_ahead_is_drawn_to_its_best_source_if_that_is_live():
    blend, every = blend_of((1.5, 1.5, 0.0)), alike(2000, noise=0.2)
    found = hedged_by_best(blend, every, sources=SOURCES, live=("other", "loud"))
    row = found.row(10)
    assert row[1] > row[0] < blend.row(10)[0]
    assert worth(every, row) >= (1.0 - PREMIUM) * worth(every, blend.row(10))


def test_a_blend_whose_best_source_ages_too_stays_as_it_is():
    blend, every = blend_of((1.5, 1.5, 0.0)), alike(2000, noise=0.2)
    assert hedged_by_best(blend, every, sources=SOURCES, live=("one", "loud")) is blend


def test_a_blend_that_is_far_ahead_of_its_best_source_stays_as_it_is():
    blend, every = blend_of((1.5, 1.5, 0.0)), alike(2000, noise=0.7)
    assert worth(every, blend.row(10)) > (1.0 + HARDLY) * worth(every, (0.0, 1.0, 0.0, 0.0))
    assert hedged_by_best(blend, every, sources=SOURCES, live=("other",)) is blend


def test_the_best_source_takes_part_where_it_was_left_out_and_boost_and_strangers_keep_their_weights():
    left_out = blend_of((1.5, 0.0, 0.0)).without("other")
    found = hedged_by_best(left_out, alike(2000, noise=0.2), sources=SOURCES, live=("other",))
    assert found.sources == SOURCES
    assert (found.weights[2:, 1] > 0.0).all()
    assert (found.weights[:, -1] == left_out.weights[:, -1]).all()
    assert (found.weights[:2, 1] == 0.0).all()


def test_few_samples_draw_no_blend_to_its_best_source():
    blend = blend_of((1.5, 1.5, 0.0))
    every = [*alike(900, noise=0.2), *alike(2000, noise=0.2, length=0)]
    assert hedged_by_best(blend, every, sources=SOURCES, live=("other",)) is blend
