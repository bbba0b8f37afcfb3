"""An index of items: nearest ones, many at once, of every kind, kept on disk."""

from contextlib import closing

import numpy as np
import pytest
from qdrant_client import QdrantClient

import foretaste as ft
from foretaste.adapters.memory.vector_index import MemoryVectorIndex
from foretaste.adapters.qdrant import server as qdrant_server
from foretaste.app import vector_indexes
from foretaste.app.settings import Settings
from foretaste.app.settings_loading import load_settings
from foretaste.domain.errors import (
    CorruptArtifactError,
    InvalidInputError,
    InvalidQueryError,
    MissingExtraError,
    UnavailableError,
    UnknownItemError,
    UnknownModelError,
)
from foretaste.testing.servers.fixtures import required
from foretaste.testing.servers.postgres import own_postgres


@pytest.fixture(scope="module")
def rec():
    events = ft.datasets.synthetic(n_users=60, n_items=40, n_events=3_000, seed=5).events
    with ft.Recommender.train(events) as trained:
        yield trained


@pytest.mark.parametrize("kind", ["auto", "flat", "ivf", "hnsw"])
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


@pytest.mark.parametrize("file", ["index", "items"])
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


@pytest.fixture
def shop():
    """A shop of its own, whose catalog a test may change."""
    made = ft.datasets.synthetic(n_users=60, n_items=40, n_events=2_000, seed=6)
    with ft.Recommender.train(made.events) as trained:
        yield trained


def category_of(rec, item_id: str) -> str:
    (ordinal,) = rec.home.id_map.find("item", [item_id])
    return rec.home.catalog_columns.item(int(ordinal)).categories[0]


def test_filters_and_exclusions_leave_as_many_as_there_are(rec):
    index = ft.ItemIndex.of(rec)
    wanted = category_of(rec, "i1")
    among = [item_id for item_id, _ in index.nearest(["i1"], k=5, filters={"category": [wanted]})[0]]
    assert len(among) == 5
    assert {category_of(rec, item_id) for item_id in among} == {wanted}
    others = index.nearest(["i1"], k=5, exclude={"category": [wanted]})[0]
    assert len(others) == 5
    assert wanted not in {category_of(rec, item_id) for item_id, _ in others}


def test_with_the_shop_at_hand_only_what_it_shows_now_is_found(shop):
    index = ft.ItemIndex.of(shop)
    first, second = (item_id for item_id, _ in index.nearest(["i1"], k=2)[0])
    shop.delete_items([first])
    shop.put_items([{"item_id": second, "in_stock": False, "categories": ["other"]}])
    found = [item_id for item_id, _ in index.nearest(["i1"], k=40, rec=shop)[0]]
    assert found
    assert not {first, second} & set(found)
    assert not index.nearest(["i1"], k=5, filters={"category": ["other"]}, rec=shop)[0]


def test_numbers_and_truth_values_are_found_by_their_text(shop):
    shop.put_items([{"item_id": "i2", "attributes": {"price": 3, "new": True, "colour": "grün"}}])
    index = ft.ItemIndex.of(shop)
    for filters in ({"price": ["3"]}, {"price": ["3.0"]}, {"new": ["True"]}, {"colour": "grün"}):
        assert [item_id for item_id, _ in index.nearest(["i1"], filters=filters)[0]] == ["i2"]
        assert [item_id for item_id, _ in index.nearest(["i1"], filters=filters, rec=shop)[0]] == ["i2"]


def test_it_is_built_again_only_if_something_changed(shop):
    index = ft.ItemIndex.of(shop, kind="hnsw")
    assert index.refreshed(shop) is index
    shop.put_items([{"item_id": "i2", "categories": ["brand new"]}])
    again = index.refreshed(shop)
    assert again is not index
    assert not index.nearest(["i1"], filters={"category": ["brand new"]})[0]
    assert [item_id for item_id, _ in again.nearest(["i1"], filters={"category": ["brand new"]})[0]] == ["i2"]
    assert again.refreshed(shop) is again


def test_an_index_and_the_items_of_another_are_not_taken_together(rec, shop, tmp_path):
    ft.ItemIndex.of(rec).save(tmp_path / "one")
    ft.ItemIndex.of(shop).save(tmp_path / "two")
    (tmp_path / "one" / "items").write_bytes((tmp_path / "two" / "items").read_bytes())
    with pytest.raises(CorruptArtifactError, match="another index"):
        ft.ItemIndex.load(tmp_path / "one")


def test_the_setting_chooses_and_what_is_no_kind_is_refused(rec, monkeypatch):
    assert Settings().vector_index == "auto"
    for value in ("flat", "pgvector", "qdrant://h:1", "https://h/path"):
        chosen = load_settings(environment={"FORETASTE_VECTOR_INDEX": value}, dotenv=None)
        assert chosen.vector_index == value
    with pytest.raises(InvalidInputError, match="FORETASTE_VECTOR_INDEX"):
        load_settings(environment={"FORETASTE_VECTOR_INDEX": "annoy"}, dotenv=None)
    with pytest.raises(InvalidInputError, match="vector_index must be"):
        ft.ItemIndex.of(rec, kind="annoy")
    with pytest.raises(InvalidInputError, match="database_url"):
        ft.ItemIndex.of(rec, kind="pgvector")
    with pytest.raises(UnavailableError, match="Qdrant at 127"):
        ft.ItemIndex.of(rec, kind="qdrant://127.0.0.1:1")
    monkeypatch.setattr(rec.home, "settings", Settings(vector_index="hnsw"))
    assert ft.ItemIndex.of(rec)._index.kind == "hnsw"


def test_without_faiss_auto_is_exact_in_memory(rec, monkeypatch, tmp_path):
    def missing(*_):
        raise MissingExtraError("no FAISS")

    expected = ft.ItemIndex.of(rec).nearest(["i1"])
    monkeypatch.setattr(vector_indexes, "with_extra", missing)
    index = ft.ItemIndex.of(rec)
    assert isinstance(index._index, MemoryVectorIndex)
    assert [item_id for item_id, _ in index.nearest(["i1"])[0]] == [item_id for item_id, _ in expected[0]]
    index.save(tmp_path)
    assert ft.ItemIndex.load(tmp_path).nearest(["i1"]) == index.nearest(["i1"])
    with pytest.raises(MissingExtraError):
        ft.ItemIndex.of(rec, kind="ivf")


def agree(index, rec) -> bool:
    """Return whether an index answers as the exact one does, filters included."""
    exact = ft.ItemIndex.of(rec, kind="flat")
    asked = ["i1", "i2", "i3"]
    wanted = {"category": [category_of(rec, "i1")]}
    return all(
        [item_id for item_id, _ in found] == [item_id for item_id, _ in right]
        for filters in (None, wanted)
        for found, right in zip(
            index.nearest(asked, filters=filters), exact.nearest(asked, filters=filters), strict=True
        )
    )


def test_in_postgres_the_answers_are_those_of_the_exact_index(rec, monkeypatch, tmp_path):
    with required(own_postgres({"fsync": "off"}, from_wheel=True)) as server:
        settings = Settings(vector_index="pgvector", database_url=server.url)
        monkeypatch.setattr(rec.home, "settings", settings)
        with ft.ItemIndex.of(rec) as index:
            assert agree(index, rec)
            index.save(tmp_path)
            with ft.ItemIndex.load(tmp_path, settings=settings) as again:
                assert again.nearest(["i1"]) == index.nearest(["i1"])
                assert again.refreshed(rec) is again
        with pytest.raises(InvalidInputError, match="kept by pgvector"):
            ft.ItemIndex.load(tmp_path, settings=Settings())


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
@pytest.mark.filterwarnings("ignore:Local mode performs exact")
def test_in_qdrant_the_answers_are_those_of_the_exact_index(rec, monkeypatch, tmp_path):
    with closing(QdrantClient(":memory:")) as local:
        monkeypatch.setattr(qdrant_server, "QdrantClient", lambda **_: local)
        settings = Settings(vector_index="qdrant://shop:6333")
        monkeypatch.setattr(rec.home, "settings", settings)
        index = ft.ItemIndex.of(rec)
        assert agree(index, rec)
        index.save(tmp_path)
        again = ft.ItemIndex.load(tmp_path, settings=settings)
        assert again.nearest(["i1"]) == index.nearest(["i1"])
        assert b"qdrant_retrieve_duration_seconds_count" in rec.home.telemetry.exposition()
