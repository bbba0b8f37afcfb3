"""The blend goes on learning: it follows drift, and nobody can drive it."""

import numpy as np
import pytest

from foretaste.domain.errors import CorruptSnapshotError
from foretaste.ranking.blend import Blend
from foretaste.ranking.contexts import N_CONTEXTS
from foretaste.ranking.online import OnlineOptions, OnlineWeights
from foretaste.ranking.samples import Sample

SOURCES = ("old", "new")
BOT = 10**6


def trained(weights=(1.5, 0.3)) -> Blend:
    return Blend(SOURCES, np.tile(np.array([*weights, 0.1]), (N_CONTEXTS, 1)))


def questions(n: int, right=(0.0, 2.0), seed: int = 0, length: int = 10):
    """Yield questions whose truths are drawn by the weights `right`, each about somebody else."""
    generator = np.random.default_rng(seed)
    for person in range(n):
        columns = np.zeros((30, 3), np.float32)
        columns[:, :2] = generator.normal(size=(30, 2))
        truth = int(np.argmax(columns[:, :2] @ np.array(right) + generator.gumbel(size=30)))
        yield person, Sample(columns, np.ones((30, 2), np.bool_), truth, length)


def taught(asked, options: OnlineOptions | None = None) -> OnlineWeights:
    weights = OnlineWeights(trained(), options)
    for person, sample in asked:
        weights.learn(sample, person)
    return weights


def test_what_counts_now_is_followed():
    before, after = trained().row(10), taught(questions(3000)).blend.row(10)
    assert after[1] > before[1] + 0.3
    assert after[0] < before[0] - 0.3


def test_where_nothing_changed_next_to_nothing_moves():
    weights = taught(questions(3000, right=(1.5, 0.3)))
    assert np.abs(weights.shift).max() < 0.2


def test_one_person_alone_moves_nothing_with_ten_thousand_events():
    weights = taught((BOT, sample) for _, sample in questions(10_000))
    assert weights.steps == 0
    assert weights.blend is weights.trained


def test_a_bot_among_people_moves_weights_by_less_than_its_part():
    """Every person's question comes with twenty of the bot, all the opposite of what people take to."""
    options = OnlineOptions()
    people = list(questions(1000, right=(1.5, 0.3)))
    bot = list(questions(20_000, right=(-3.0, 3.0), seed=1))
    mixed = []
    for number, each in enumerate(people):
        mixed.append(each)
        mixed += [(BOT, sample) for _, sample in bot[20 * number : 20 * number + 20]]
    alone, beside = taught(people, options), taught(mixed, options)
    part = options.per_person / options.batch
    assert beside.steps >= alone.steps
    assert np.abs(beside.shift - alone.shift).max() <= part * options.rate / options.pull + options.step


def test_no_step_and_no_distance_is_beyond_its_bound():
    options = OnlineOptions(rate=100.0)
    weights, last = OnlineWeights(trained(), options), np.zeros(2)
    for person, sample in questions(4000):
        if weights.learn(sample, person):
            assert np.abs(weights.shift - last).max() <= options.step + 1e-12
            last = weights.shift.copy()
    assert np.abs(last).max() <= options.reach
    assert (weights.blend.weights >= 0.0).all()


def test_the_same_questions_give_the_same_weights_to_the_bit():
    one, same = (taught(questions(1500)).blend.weights.tobytes() for _ in range(2))
    assert one == same


def test_going_on_from_a_snapshot_is_as_if_there_had_been_no_break():
    asked = list(questions(1500))
    first = taught(asked[:777])
    second = OnlineWeights(trained())
    second.restore(first.snapshot())
    for person, sample in asked[777:]:
        second.learn(sample, person)
    whole = taught(asked)
    assert second.blend.weights.tobytes() == whole.blend.weights.tobytes()
    assert all(np.array_equal(array, whole.snapshot()[name]) for name, array in second.snapshot().items())


def test_a_snapshot_of_another_blend_is_refused():
    other = OnlineWeights(Blend.even(("one", "two", "three")))
    with pytest.raises(CorruptSnapshotError):
        other.restore(taught(questions(10)).snapshot())


def test_what_turns_out_worse_than_what_was_trained_is_forgotten():
    """First all take to the new source, then for long to the old one again."""
    weights = taught([*questions(2000), *questions(4000, right=(3.0, 0.0), seed=5)])
    assert weights.blend.row(10)[0] >= trained().row(10)[0] * 0.9


def test_questions_without_history_or_reachable_truth_teach_nothing():
    strangers = questions(500, length=0)
    missed = ((who, Sample(s.columns, s.proposed, -1, 10)) for who, s in questions(500))
    assert taught([*strangers, *missed]).snapshot()["person"].size == 0


def test_what_strangers_are_told_stays_as_trained():
    learnt = taught(questions(3000)).blend
    assert learnt.weights[:2].tolist() == trained().weights[:2].tolist()
