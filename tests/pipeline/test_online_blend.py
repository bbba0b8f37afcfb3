"""The fold by which the blend goes on learning is a function of the log."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from pipeline_world import N_ITEMS, N_USERS, NOW, TYPES, a_world, columns_of

from foretaste.domain.errors import CorruptSnapshotError
from foretaste.pipeline.artifact import with_blend
from foretaste.pipeline.online_blend import OnlineBlend, Sampling, Surround
from foretaste.ranking.online import OnlineOptions

SECOND = 1_000_000
EVERY = Sampling(per_second=1000.0, spacing=1)


def later_events(world, n=300):
    """Return clicks on whatever follows in the order of ordinals, by everyone in turn, a second apart."""
    generator = np.random.default_rng(4)
    start = world.state.seq
    user = np.arange(n) % N_USERS
    item = 3 * generator.integers(N_ITEMS // 3, size=n) + user % 3
    return columns_of(user, item, np.full(n, 1), NOW + SECOND * np.arange(n), start + np.arange(n), start)


def online(world, sampling=EVERY, changed=lambda _fold: None, asked=lambda _fold: None):
    around = Surround(lambda: world.catalog, tuple, lambda: TYPES)
    options = OnlineOptions(batch=6, doubt=1e9)
    return OnlineBlend(
        world.state, world.artifact, around, options=options, sampling=sampling, changed=changed, asked=asked
    )


@pytest.fixture(scope="module")
def folded():
    world = a_world()
    versions = []
    fold = online(world, changed=lambda fold: versions.append(fold.artifact.blend_version))
    fold.apply(later_events(world))
    return fold, versions


def test_events_reach_the_state_and_the_weights_move(folded):
    fold, _ = folded
    world = a_world()
    world.state.apply(later_events(world))
    assert fold.state.fingerprint() == world.state.fingerprint()
    assert fold.weights.steps > 3
    assert fold.weights.blend.weights.tobytes() != world.artifact.blend.weights.tobytes()


def test_every_change_has_a_blend_version_of_its_own(folded):
    fold, versions = folded
    assert len(set(versions)) == len(versions) == fold.weights.steps
    assert fold.artifact.blend_version == versions[-1]
    assert fold.artifact.version == a_world().artifact.version


def test_the_ranker_of_slates_stays(folded):
    fold, _ = folded
    ranker = object()
    taught = with_blend(replace(fold.artifact, ranker=ranker), fold.weights.blend)
    assert taught.ranker is ranker


@pytest.mark.parametrize("size", [1, 7])
def test_folding_in_pieces_gives_the_same_weights_to_the_bit(folded, size):
    world = a_world()
    fold, events = online(world), later_events(world)
    for start in range(0, len(events), size):
        fold.apply(events.take(start, min(start + size, len(events))))
    assert fold.weights.blend.weights.tobytes() == folded[0].weights.blend.weights.tobytes()


def test_events_that_were_seen_are_ignored(folded):
    world = a_world()
    fold, events = online(world), later_events(world)
    fold.apply(events)
    assert fold.apply(events) == 0
    assert fold.weights.blend.weights.tobytes() == folded[0].weights.blend.weights.tobytes()


def test_a_restored_fold_goes_on_as_if_there_had_been_no_break(folded):
    first = a_world()
    events = later_events(first)
    before = online(first)
    before.apply(events.take(0, 100))
    second = a_world()
    after = online(second)
    after.restore(before.snapshot())
    after.apply(events.take(100, len(events)))
    assert after.weights.blend.weights.tobytes() == folded[0].weights.blend.weights.tobytes()
    assert after.state.fingerprint() == folded[0].state.fingerprint()


def test_where_the_blend_gives_no_source_a_say_nothing_is_learnt_and_learning_goes_on(folded):
    """All sources answer alike there, those too that the blend does not know."""
    world = a_world()
    blend = world.artifact.blend.without("content")
    silent = blend.weights.copy()
    silent[:, :-1] = 0.0
    world.artifact = with_blend(world.artifact, replace(blend, weights=silent))
    fold, events = online(world), later_events(world)
    assert fold.apply(events) == len(events)
    assert (fold.weights.steps, fold.state.fingerprint()) == (0, folded[0].state.fingerprint())


def test_a_snapshot_without_weights_is_refused():
    world = a_world()
    with pytest.raises(CorruptSnapshotError):
        online(world).restore(world.state.snapshot())


def test_at_most_so_many_questions_a_second_of_the_log_are_asked():
    world = a_world()
    asked = []
    fold = online(world, sampling=Sampling(per_second=0.1, spacing=1))
    fold.weights.learn = lambda _sample, person: bool(asked.append(person))
    fold.apply(later_events(world))
    assert 0 < len(asked) <= 30


def test_none_asked_means_nothing_learnt():
    world = a_world()
    fold = online(world, sampling=Sampling(per_second=0.0))
    fold.apply(later_events(world))
    assert fold.artifact is world.artifact


def test_what_the_model_was_trained_on_is_not_asked_about():
    world = a_world()
    events = later_events(world)
    window = {"last_seq": events.last_seq}
    manifest = type(world.artifact.manifest)(
        name="shop", version="v1", created_at=0, seed=0, window=window, n_users=0, n_items=0, models={}
    )
    world.artifact = type(world.artifact)(
        world.artifact.models, world.artifact.blend, world.artifact.calibration, manifest, "b"
    )
    fold = online(world)
    fold.apply(events)
    assert fold.artifact is world.artifact


def test_who_keeps_what_was_learnt_holds_up_nobody():
    world, free = a_world(), []

    def asked(_fold):
        with ThreadPoolExecutor(1) as other:
            free.append(other.submit(world.state.lock.acquire, blocking=False).result())

    fold = online(world, asked=asked)
    fold.apply(later_events(world, 3))
    assert free == [True]
