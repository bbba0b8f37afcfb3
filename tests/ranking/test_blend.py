"""The blend learns which sources to believe, and when."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.domain.history import History
from foretaste.ranking.blend import Blend
from foretaste.ranking.blend_fit import BlendOptions
from foretaste.ranking.contexts import (
    LENGTHS,
    N_CONTEXTS,
    SESSION_SECONDS,
    context_at,
    contexts_of,
    is_in_session,
)
from foretaste.ranking.listwise import fit_weights, gains, sharpen
from foretaste.ranking.samples import Sample, stack

SOURCES = ("good", "bad", "late")


def some_samples(
    n: int = 600, seed: int = 0, weights=(1.5, 0.0, 0.0), length=lambda _: 10, fresh=lambda _: False
):
    """Return lists of twenty whose truths are drawn by the softmax of known weights."""
    generator = np.random.default_rng(seed)
    samples = []
    for number in range(n):
        columns = np.zeros((20, 4), np.float32)
        columns[:, :3] = generator.normal(size=(20, 3))
        size = length(number)
        score = columns[:, :3] @ np.array(weights(size, fresh(number)) if callable(weights) else weights)
        truth = int(np.argmax(score + generator.gumbel(size=20)))
        samples.append(Sample(columns, np.ones((20, 3), np.bool_), truth, size, fresh(number)))
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
    assert blend.weights.shape == (N_CONTEXTS, 3)
    assert weights_at(blend, 10) == pytest.approx([1.0, 0.0, 1.0], abs=0.1)
    assert set(blend.report) >= set(SOURCES)


def test_the_boost_always_counts():
    blend = Blend.fit(some_samples(), sources=SOURCES, seed=0)
    assert (blend.weights[:, -1] >= BlendOptions().least_boost).all()


def far_from_each_other(n, seed=0):
    """Return lists of which one source knows the first half, another the second, but no truth among these.

    Each proposes what it knows in an order of its own; four truths of five are rather high in the first
    half, the others anywhere in the second.
    """
    generator = np.random.default_rng(seed)
    samples = []
    for _ in range(n):
        columns, proposed = np.full((300, 3), -1.0, np.float32), np.zeros((300, 2), np.bool_)
        for half in (0, 1):
            rows = slice(150 * half, 150 * half + 150)
            columns[rows, half] = np.linspace(2.0, 0.0, 150)
            proposed[rows, half] = True
        columns[:, 2] = 0.0
        known = generator.random() < 0.8
        truth = min(int(generator.exponential(50.0)), 149) if known else 150 + int(generator.integers(150))
        samples.append(Sample(columns, proposed, truth, 10))
    return samples


def test_a_source_is_not_believed_for_proposing_what_others_do_not():
    report = Blend.fit(far_from_each_other(600), sources=("knows", "guesses"), seed=0).report
    assert min(report["by context"], report["common"]) >= 0.95 * report["knows"]


def test_what_one_person_did_over_and_over_tells_less_than_what_as_many_people_did():
    samples = some_samples(
        1200,
        weights=lambda size, _: (2.0, 0.0, 0.0) if size < 20 else (0.0, 0.0, 2.0),
        length=lambda number: 3 if number % 2 else 30,
    )
    of_many = [replace(sample, person=number) for number, sample in enumerate(samples)]
    of_one = [replace(sample, person=0) if sample.length == 30 else sample for sample in of_many]
    own, drawn = (weights_at(Blend.fit(some, sources=SOURCES, seed=0), 30) for some in (of_many, of_one))
    assert own == weights_at(Blend.fit(samples, sources=SOURCES, seed=0), 30)
    assert drawn[0] > 2.0 * own[0]
    assert drawn[2] > 0.0


def test_short_and_long_histories_have_their_own_weights():
    samples = some_samples(
        4000,
        weights=lambda size, _: (2.0, 0.0, 0.0) if size < 2 else (0.0, 0.0, 2.0),
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


@pytest.mark.parametrize("n", [0, 29])
def test_of_too_few_samples_what_lives_on_the_new_has_no_say_for_people_with_a_history(n):
    blend = Blend.fit(some_samples(n), sources=SOURCES, fleeting=["bad", "late"], seed=0)
    assert weights_at(blend, 10) == [1.0, 0.0, 0.0]
    assert weights_at(blend, 0) == [1.0, 1.0, 1.0]


def test_where_the_new_carries_even_few_samples_all_sources_are_heard():
    samples = some_samples(29, weights=(0.0, 0.0, 3.0))
    assert weights_at(Blend.fit(samples, sources=SOURCES, fleeting=["late"], seed=0), 10) == [1.0, 1.0, 1.0]


def test_samples_whose_truth_is_no_candidate_are_passed_over():
    samples = some_samples(100)
    missed = [replace(sample, truth=-1) for sample in samples]
    with_missed = Blend.fit(
        [pair for both in zip(samples, missed, strict=True) for pair in both], sources=SOURCES, seed=0
    )
    assert with_missed.weights.tolist() == Blend.fit(samples, sources=SOURCES, seed=0).weights.tolist()


@pytest.mark.parametrize("length", [0, 10])
def test_where_no_source_ever_proposes_what_is_taken_all_sources_count_alike(length):
    proposed = np.zeros((20, 3), np.bool_)
    proposed[:10, 0] = True  # the others are candidates because so few were proposed
    samples = [
        replace(sample, proposed=proposed, truth=10 + sample.truth % 10)
        for sample in some_samples(60, length=lambda _: length)
    ]
    blend = Blend.fit(samples, sources=SOURCES, seed=0)
    assert weights_at(blend, length) == [1.0, 1.0, 1.0]


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


@given(st.integers(0, 10_000), st.booleans())
def test_contexts_part_histories_at_the_lengths_named_and_by_session(length, in_session):
    context = int(contexts_of(np.array([length]), np.array([in_session]))[0])
    assert context == context_at(length, in_session)
    assert context == 2 * sum(length >= bound for bound in LENGTHS) + in_session
    assert context < N_CONTEXTS


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, True), (SESSION_SECONDS, True), (SESSION_SECONDS + 1, False)]
)
def test_a_session_lasts_while_the_last_event_is_fresh(seconds, expected):
    now = 10**15
    history = History(
        item=np.zeros(1, np.int32),
        weight=np.ones(1, np.float32),
        time=np.array([now - int(seconds * 1e6)], np.int64),
        type=np.zeros(1, np.int16),
    )
    assert is_in_session(history, now) is expected


def test_in_a_session_other_sources_may_count_than_on_coming_back():
    samples = some_samples(
        3000,
        weights=lambda _, fresh: (2.0, 0.0, 0.0) if fresh else (0.0, 0.0, 2.0),
        fresh=lambda number: number % 3 == 0,
    )
    blend = Blend.fit(samples, sources=SOURCES, seed=0)
    within, back = blend.row(10, in_session=True), blend.row(10)
    assert blend.sources == ("good", "late")
    assert within[0] > 4 * within[1]
    assert back[1] > 4 * back[0]


def test_a_context_does_without_sources_that_hardly_weigh_there():
    samples = some_samples(
        3000,
        weights=lambda _, fresh: (2.0, 0.0, 0.3) if fresh else (0.5, 0.0, 2.0),
        fresh=lambda number: number % 3 != 0,
    )
    usual = Blend.fit(samples, sources=SOURCES, seed=0)
    few = Blend.fit(samples, sources=SOURCES, seed=0, options=BlendOptions(least_part=0.4))
    assert usual.heard(10, in_session=True) == usual.heard(10) == ("good", "late")
    assert few.heard(10, in_session=True) == ("good",)
    assert few.row(10, in_session=True)[few.sources.index("late")] == 0.0


def test_the_weightiest_source_of_all_is_heard_in_every_context():
    samples = some_samples(
        3000,
        weights=lambda _, fresh: (2.0, 0.0, 0.0) if fresh else (0.0, 0.0, 2.0),
        fresh=lambda number: number % 5 < 3,
    )
    blend = Blend.fit(samples, sources=SOURCES, seed=0, options=BlendOptions(least_part=0.3))
    assert blend.heard(10, in_session=True) == ("good",)
    assert blend.heard(10) == ("good", "late")


def test_what_a_context_does_not_hear_has_no_part_in_the_scale_of_the_others():
    """As if the source had not been asked: it proposes nothing, and scores are standardized without that."""
    generator = np.random.default_rng(3)
    samples = []
    for sample in some_samples(1500, weights=(2.0, 0.0, 0.0)):
        columns = np.zeros((40, 4), np.float32)
        columns[:20], columns[20:, 2] = sample.columns, generator.normal(size=20)
        proposed = np.zeros((40, 3), np.bool_)
        proposed[:20, :2], proposed[20:, 2] = True, True
        samples.append(replace(sample, columns=columns, proposed=proposed))
    alone = [
        replace(sample, columns=sample.columns[:20, [0, 1, 3]], proposed=sample.proposed[:20, :2])
        for sample in samples
    ]
    blend = Blend.fit(samples, sources=SOURCES, seed=0)
    assert blend.heard(10) == ("good",)
    expected = Blend.fit(alone, sources=SOURCES[:2], seed=0).row(10)[0]
    assert weights_at(blend, 10)[0] == pytest.approx(expected, rel=0.1)


def test_what_strangers_take_to_teaches_only_what_strangers_are_told():
    known = some_samples(600, weights=(2.0, 0.0, 0.0))
    strangers = some_samples(600, seed=1, weights=(0.0, 0.0, 2.0), length=lambda _: 0)
    blend = Blend.fit([*known, *strangers], sources=SOURCES, seed=0)
    assert blend.heard(0) == ("late",)
    assert blend.heard(3) == ("good",)
    assert weights_at(blend, 10) == weights_at(Blend.fit(known, sources=SOURCES, seed=0), 10)


def test_of_those_who_seldom_come_back_strangers_tell_what_they_take_to():
    seldom = some_samples(
        1500,
        weights=lambda _, fresh: (2.0, 0.0, 0.0) if fresh else (0.3, 0.0, 2.0),
        fresh=lambda number: number % 50 != 0,
    )
    strangers = some_samples(600, seed=1, weights=(0.0, 0.0, 2.0), length=lambda _: 0)
    alone = Blend.fit(seldom, sources=SOURCES, seed=0)
    blend = Blend.fit([*seldom, *strangers], sources=SOURCES, seed=0)
    good, late = weights_at(blend, 10)[::2]
    assert late > 0.5 * good
    assert late > 2.0 * weights_at(alone, 10)[2]
    within = blend.row(10, in_session=True)
    assert within[1] < 0.1 * within[0]


def test_of_those_who_come_back_often_their_own_samples_tell():
    known = some_samples(6000, weights=(2.0, 0.0, 0.0), fresh=lambda number: number % 2 == 0)
    strangers = some_samples(600, seed=1, weights=(0.0, 0.0, 2.0), length=lambda _: 0)
    good, late = Blend.fit([*known, *strangers], sources=SOURCES, seed=0).row(10)[:2]
    assert late < 0.15 * good


def test_without_a_source_the_others_keep_their_proportions_and_the_total():
    blend = Blend.fit(some_samples(2000, weights=(1.0, 0.5, 1.0)), sources=SOURCES, seed=0)
    fewer = blend.without("bad")
    assert fewer.sources == ("good", "late")
    assert fewer.weights[:, 0] * blend.weights[:, 2] == pytest.approx(
        fewer.weights[:, 1] * blend.weights[:, 0]
    )
    assert fewer.weights[:, :-1].sum(axis=1) == pytest.approx(blend.weights[:, :-1].sum(axis=1))
    assert blend.without("good", "late").weights[:, 0].tolist() == blend.weights[:, :-1].sum(axis=1).tolist()


def test_a_blend_of_another_shape_is_refused():
    description = Blend.even(SOURCES).describe()
    description["weights"] = description["weights"][:5]
    with pytest.raises(ValueError, match="shape"):
        Blend.from_description(description)


def half_beyond_reach(n: int, seed: int, fresh=lambda _: False, visit=lambda _: -1) -> list[Sample]:
    """Return samples of which half are told by one source, half by none: cross-entropy flattens weights."""
    generator = np.random.default_rng(seed)
    samples = []
    for number in range(n):
        columns = np.zeros((60, 4), np.float32)
        columns[:, :3] = generator.normal(size=(60, 3))
        truth = int(generator.integers(60))
        if number % 2:
            columns[truth, 0] += 3.0
            columns[truth, 1] -= 1.0
        else:
            columns[truth, 1] += 1.0
        proposed = np.ones((60, 3), np.bool_)
        samples.append(Sample(columns, proposed, truth, 10, fresh(number), visit(number)))
    return samples


def test_sharpened_weights_put_the_truths_higher_where_some_are_beyond_reach():
    table = stack(half_beyond_reach(800, 3), 3)
    likely = fit_weights(table, start=np.full(4, 0.25), least=np.zeros(4), prior=1.0)
    sharp = sharpen(table, start=likely, least=np.zeros(4), prior=1.0)
    assert gains(table, sharp).mean() > gains(table, likely).mean()


def test_those_who_come_back_in_many_visits_are_told_what_comes_high_on_the_list():
    sessions = some_samples(300, weights=(0.0, 0.0, 2.0), fresh=lambda _: True)
    strangers = some_samples(300, seed=1, weights=(0.0, 1.0, 0.0), length=lambda _: 0)
    later = stack(half_beyond_reach(600, 4), 3)
    told = {}
    for each in (1, 10):
        back = half_beyond_reach(900, 3, visit=lambda number, each=each: number // each)
        samples = [
            sample
            for three in zip(sessions, *(back[i::3] for i in range(3)), strict=True)
            for sample in three
        ]
        blend = Blend.fit([*samples, *strangers], sources=SOURCES, seed=0)
        told[each] = gains(later, np.array([*weights_at(blend, 10), 0.0])).mean()
    assert told[1] > told[10]


def test_a_source_alone_does_not_win_by_a_single_visit():
    samples = some_samples(400, weights=lambda _, fresh: (2.0, 0.0, 0.0) if fresh else (0.0, 2.0, 0.0))
    turned = [*samples[:200], *some_samples(200, seed=1, weights=(2.0, 0.0, 0.0))]
    assert Blend.fit(turned, sources=SOURCES, seed=0).form == "good"
    one_visit = [*turned[:200], *(replace(sample, visit=1) for sample in turned[200:])]
    assert Blend.fit(one_visit, sources=SOURCES, seed=0).form == "by context"


@settings(max_examples=20)
@given(st.integers(0, 50))
def test_on_its_own_judged_samples_no_source_beats_the_blend_beyond_chance(seed):
    generator = np.random.default_rng(seed)
    samples = some_samples(200, seed=seed, weights=tuple(generator.uniform(0.0, 1.5, 3)))
    report = Blend.fit(samples, sources=SOURCES, seed=seed).report
    forms = max(report["by context"], report["common"])
    best = max(report[source] for source in SOURCES)
    chosen = Blend.fit(samples, sources=SOURCES, seed=seed).form
    assert report[chosen] >= min(best, forms) - 0.05
