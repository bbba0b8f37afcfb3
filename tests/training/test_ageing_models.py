"""In order of time models age, and a blend that is hardly ahead of a live source leans on that source."""

import numpy as np
import pytest

from foretaste.models.ease import EaseConfig
from foretaste.models.recency import Recency
from foretaste.models.transitions import TransitionsConfig
from foretaste.ranking.blend import Blend
from foretaste.ranking.samples import Sample
from foretaste.training import evaluate
from foretaste.training.config import TrainConfig
from foretaste.training.evaluate import learn_blend, state_before
from foretaste.training.fit import fit_sources
from foretaste.training.prepare import prepare

SOURCES = {"ease": EaseConfig(regularization=20.0, recency=Recency()), "transitions": TransitionsConfig()}


def samples(noise):
    """Return lists whose truths both sources foretell, each with its own `noise`."""
    generator, found = np.random.default_rng(0), []
    for visit in range(2000):
        told, columns = generator.normal(size=20), np.zeros((20, 3), np.float32)
        columns[:, :2] = told[:, np.newaxis] + generator.normal(size=(20, 2)) * noise
        truth = int(np.argmax(3.0 * told + generator.gumbel(size=20)))
        found.append(Sample(columns, np.ones((20, 2), np.bool_), truth, 10, visit=visit, person=visit))
    return found


def learnt(corpus, taught, monkeypatch):
    """Return the blend that is learnt where the tuning part teaches `taught`."""
    monkeypatch.setattr(evaluate, "_learnt_from", lambda *_: taught)
    prepared = prepare(corpus, TrainConfig(sources=SOURCES, tuned=150), 0)
    window = prepared.interactions(prepared.tune)
    models = fit_sources(prepared.sources, window, corpus.catalog, seed=0).models
    return learn_blend(prepared, state_before(prepared, prepared.tune), models)


def share(blend):
    """Return how much of all weight the live source has."""
    return blend.row(10)[blend.sources.index("transitions")] / blend.row(10)[:-1].sum()


@pytest.mark.parametrize(("noise", "leans"), [((0.25, 0.2), True), ((0.2, 0.25), False)])
def test_a_blend_leans_on_its_best_source_if_that_one_does_not_age(timed_corpus, monkeypatch, noise, leans):
    taught = samples(noise)
    plain = Blend.fit(taught, sources=tuple(SOURCES), seed=0)
    found = learnt(timed_corpus, taught, monkeypatch)
    assert plain.sources == tuple(SOURCES)
    assert (share(found) > share(plain)) == leans
