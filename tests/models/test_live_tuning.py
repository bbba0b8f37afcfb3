"""Settings of models that read the state are chosen by a replay of the window's end."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from foretaste.domain.interactions import Interactions
from foretaste.models.live_tuning import settled

N_ITEMS, N_USERS, LENGTH = 40, 80, 8
CHOICES = {"step": (3, 1, 2), "known": (False, True), "idle": (0, 1)}


class StepConfig(msgspec.Struct, frozen=True):
    """What comes next is near the last item and `step`; unless `known`, five other items come first."""

    step: int | None = None
    known: bool | None = None
    idle: int | None = None

    def fit(self, _interactions, _seed, _catalog):
        return StepModel(self)


class StepModel:
    def __init__(self, config):
        self.config = config

    def score(self, history, _moment):
        from_there = (np.arange(N_ITEMS) - history.item[-1] - self.config.step) % N_ITEMS
        scores = (1.0 / (1.0 + np.minimum(from_there, N_ITEMS - from_there))).astype(np.float32)
        if not self.config.known:
            scores[:5] += 2.0
        return scores


@pytest.fixture(params=[False, True], ids=["in time", "sequential"])
def walks(request):
    """Everyone walks on by one item."""
    generator = np.random.default_rng(0)
    start = generator.integers(0, N_ITEMS, N_USERS)
    step, user = np.divmod(np.arange(N_USERS * LENGTH), N_USERS)
    return Interactions(
        user=user.astype(np.int32),
        item=((start[user] + step) % N_ITEMS).astype(np.int32),
        weight=np.ones(len(user), np.float32),
        time=(step if request.param else np.arange(len(user))).astype(np.int64) * 60_000_000,
        n_users=N_USERS,
        n_items=N_ITEMS,
        sequential=request.param,
    )


def test_settings_that_gain_alone_and_together_are_chosen(walks):
    assert settled(StepConfig(), CHOICES, walks, seed=0) == StepConfig(step=1, known=True, idle=0)


def test_what_is_given_is_not_touched(walks):
    config = settled(StepConfig(step=2), CHOICES, walks, seed=0)
    assert config.step == 2
    assert config.idle == 0


def test_without_an_order_or_with_too_little_of_it_the_usual_is_taken(walks):
    usual = StepConfig(step=3, known=False, idle=0)
    assert settled(StepConfig(), CHOICES, replace(walks, timed=False, sequential=False), seed=0) == usual
    few = Interactions(*(getattr(walks, name)[:20] for name in ("user", "item", "weight", "time")), 60, 40)
    assert settled(StepConfig(), CHOICES, few, seed=0) == usual
    none = Interactions(*(getattr(walks, name)[:0] for name in ("user", "item", "weight", "time")), 0, 0)
    assert settled(StepConfig(), CHOICES, none, seed=0) == usual


def test_the_same_seed_chooses_the_same(walks):
    assert settled(StepConfig(), CHOICES, walks, seed=3) == settled(StepConfig(), CHOICES, walks, seed=3)
