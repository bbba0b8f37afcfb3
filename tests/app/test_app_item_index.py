"""An index of items: nearest ones, many at once, of every kind, kept on disk."""

import numpy as np
import pytest

import foretaste as ft
from foretaste.domain.errors import (
    CorruptArtifactError,
    InvalidQueryError,
    UnknownItemError,
    UnknownModelError,
)


@pytest.fixture(scope="module")
def rec():
    events = ft.datasets.synthetic(n_users=60, n_items=40, n_events=3_000, seed=5).events
    with ft.Recommender.train(events) as trained:
        yield trained


@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
def test_many_items_are_asked_about_at_once(rec, kind):
    index = ft.ItemIndex.of(rec, kind=kind)
    answers = index.nearest(["i1", "i2", "i3"], k=5)
    assert [len(answer) for answer in answers] == [5, 5, 5]
    for asked, answer in zip(["i1", "i2", "i3"], answers, strict=True):
        cosines = [cosine for _, cosine in answer]
        assert asked not in [item_id for item_id, _ in answer]
        assert cosines == sorted(cosines, reverse=True)


def test_the_flat_index_is_exact(rec):
    names = rec.home.id_map.names("item")
    vectors = rec.home.artifact.models["ials"].vectors(np.arange(len(names), dtype=np.int32))
    cosine = vectors @ vectors[names.index("i1")]
    cosine[names.index("i1")] = -2.0
    best = [names[ordinal] for ordinal in np.argsort(-cosine, kind="stable")[:5]]
    assert [item_id for item_id, _ in ft.ItemIndex.of(rec).nearest(["i1"], k=5)[0]] == best


def test_what_was_saved_answers_alike(rec, tmp_path):
    index = ft.ItemIndex.of(rec, kind="hnsw")
    index.save(tmp_path / "items")
    again = ft.ItemIndex.load(tmp_path / "items")
    assert again.nearest(["i1", "i7"]) == index.nearest(["i1", "i7"])


@pytest.mark.parametrize("file", ["index", "items.json"])
def test_a_damaged_index_is_refused(rec, tmp_path, file):
    ft.ItemIndex.of(rec).save(tmp_path / "items")
    damaged = tmp_path / "items" / file
    damaged.write_bytes(damaged.read_bytes()[:-7])
    with pytest.raises(CorruptArtifactError):
        ft.ItemIndex.load(tmp_path / "items")


def test_what_is_not_there_is_named(rec):
    index = ft.ItemIndex.of(rec)
    with pytest.raises(UnknownItemError, match="nothing"):
        index.nearest(["nothing"])
    with pytest.raises(InvalidQueryError, match="k must"):
        index.nearest(["i1"], k=0)
    with pytest.raises(UnknownModelError, match="transitions"):
        ft.ItemIndex.of(rec, model="transitions")
