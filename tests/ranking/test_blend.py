"""The blend learns which sources to believe, and when."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.ranking.blend import LENGTHS, Blend, BlendOptions, context_of
from foretaste.ranking.listwise import fit_weights, gains
from foretaste.ranking.samples import Sample, stack

SOURCES = ("good", "bad", "late")


def some_samples(n: int = 600, seed: int = 0, weights=(1.5, 0.0, 0.0), length=lambda _: 10):
    """Return lists of twenty whose truths are drawn by the softmax of known weights."""
    generator = np.random.default_rng(seed)
    samples = []
    for number in range(n):
        columns = np.zeros((20, 4), np.float32)
        columns[:, :3] = generator.normal(size=(20, 3))
        size = length(number)
        score = columns[:, :3] @ np.array(weights(size) if callable(weights) else weights)
        truth = int(np.argmax(score + generator.gumbel(size=20)))
        samples.append(Sample(columns, np.ones((20, 3), np.bool_), truth, size))
    return samples


def weights_at(blend: Blend, length: int) -> list[float]:
    """Return the weights of `SOURCES`, 0 for those left out."""
    learnt = dict(zip(blend.sources, blend.row(length).tolist(), strict=False))
    return [learnt.get(source, 0.0) for source in SOURCES]


def test_known_weights_are_found_again():
    table = stack(some_samples(3000, weights=(1.5, 0.5, 0.0)), 3)
    found = fit_weights(table, start=np.ones(4), least=np.zeros(4), prior=0.0)
    assert found[:3] == pytest.approx([1.5, 0.5, 0.0], abs=0.08)


def test_no_weight_is_negative_even_where_a_source_misleads():
    blend = Blend.fit(some_samples(weights=(1.0, -1.0, 0.0)), sources=SOURCES, seed=0)
    assert (blend.weights >= 0.0).all()
    assert weights_at(blend, 10)[1] == 0.0


def test_a_source_that_says_nothing_is_left_out():
    blend = Blend.fit(some_samples(2000, weights=(1.0, 0.0, 1.0)), sources=SOURCES, seed=0)
    assert blend.sources == ("good", "late")
    assert blend.weights.shape == (len(LENGTHS) + 1, 3)
    assert weights_at(blend, 10) == pytest.approx([1.0, 0.0, 1.0], abs=0.1)
    assert set(blend.report) >= set(SOURCES)


def test_the_boost_always_counts():
    blend = Blend.fit(some_samples(), sources=SOURCES, seed=0)
    assert (blend.weights[:, -1] >= BlendOptions().least_boost).all()


def test_short_and_long_histories_have_their_own_weights():
    samples = some_samples(
        4000,
        weights=lambda size: (2.0, 0.0, 0.0) if size < 2 else (0.0, 0.0, 2.0),
        length=lambda number: 1 if number % 2 else 30,
    )
    blend = Blend.fit(samples, sources=SOURCES, seed=0)
    assert blend.form == "by context"
    assert weights_at(blend, 1) == pytest.approx([2.0, 0.0, 0.0], abs=0.4)
    assert weights_at(blend, 99) == pytest.approx([0.0, 0.0, 2.0], abs=0.4)


def test_the_blend_is_never_chosen_over_a_source_that_was_better_on_later_samples():
    samples = some_samples(600)
    for number, sample in enumerate(samples):
        if number < 360:
            sample.columns[:, 1] = sample.columns[:, 0] + 0.01
        else:
            sample.columns[sample.truth, 1] -= 30.0
    blend = Blend.fit(samples, sources=SOURCES, seed=0)
    assert blend.form == "good"
    assert weights_at(blend, 10)[1:] == [0.0, 0.0]
    assert blend.report["good"] == max(blend.report.values())


def test_what_is_learnt_on_helps_later_queries():
    blend = Blend.fit(some_samples(weights=(1.0, 0.0, 1.0)), sources=SOURCES, seed=0)
    later = stack(some_samples(seed=9, weights=(1.0, 0.0, 1.0)), 3)
    alone = [gains(later, np.eye(4)[source]).mean() for source in range(3)]
    assert gains(later, np.array([*weights_at(blend, 10), 0.1])).mean() > max(alone)


@pytest.mark.parametrize("n", [0, 1, 29])
def test_too_few_samples_leave_all_sources_alike(n):
    blend = Blend.fit(some_samples(n), sources=SOURCES, seed=0)
    assert blend.form == "even"
    assert (blend.weights[:, :-1] == 1.0).all()


def test_samples_whose_truth_is_no_candidate_are_passed_over():
    samples = some_samples(100)
    missed = [replace(sample, truth=-1) for sample in samples]
    with_missed = Blend.fit(
        [pair for both in zip(samples, missed, strict=True) for pair in both], sources=SOURCES, seed=0
    )
    assert with_missed.weights.tolist() == Blend.fit(samples, sources=SOURCES, seed=0).weights.tolist()


def test_the_same_seed_learns_the_same_to_the_bit():
    samples, options = some_samples(500), BlendOptions(most=200)
    one, same, other = (
        Blend.fit(samples, sources=SOURCES, seed=seed, options=options).weights.tobytes()
        for seed in (1, 1, 2)
    )
    assert one == same != other


def test_a_blend_survives_json_exactly():
    blend = Blend.fit(some_samples(), sources=SOURCES, seed=0)
    again = Blend.from_description(msgspec.json.decode(msgspec.json.encode(blend.describe())))
    assert again.weights.tobytes() == blend.weights.tobytes()
    assert (again.sources, again.form, again.report) == (blend.sources, blend.form, blend.report)


@given(st.integers(0, 10_000))
def test_contexts_part_histories_at_the_lengths_named(length):
    context = int(context_of(np.array([length]))[0])
    assert context == sum(length >= bound for bound in LENGTHS)
