"""From files to PostgreSQL and back, with nothing lost: the same answers, the same export."""

import gzip
from contextlib import contextmanager

import pytest

import foretaste as ft
from foretaste.app.moving import export_home, import_home
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home

NOW = 1_712_000_000_000_000
FILES = Settings(exposure_days=100_000.0, sources=("popularity", "transitions", "content", "ials"))


@pytest.fixture
def server(postgres, schema):
    return Settings(
        exposure_days=100_000.0,
        database_url=postgres,
        database_schema=schema,
        database_write_seconds=60.0,
        database_answer_seconds=20.0,
    )


@contextmanager
def home_of(folder, settings):
    with open_home(folder, settings=settings, create=True, with_model=False) as home:
        yield home


def slates(folder, settings):
    with ft.Recommender.open(folder, settings=settings) as rec:
        return [
            [
                (place.item_id, place.score, place.match, place.reason)
                for place in rec.recommend(user, now=NOW)
            ]
            for user in ("u1", "u2", "u3", "anna", "anonymous", "nobody")
        ]


def contents(folder):
    kinds = ("ids-user", "ids-item", "ids-type", "events", "people", "exposures")
    found = {}
    for kind in kinds:
        with gzip.open(folder / f"{kind}-00000.jsonl.gz") as file:
            found[kind] = file.read()
    return found


def test_there_and_back_answers_are_the_same(server, tmp_path):
    shop = ft.datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3)
    with ft.Recommender.train(
        shop.events, items=shop.events.items, home=tmp_path / "files", settings=FILES, seed=1
    ) as rec:
        rec.record(user_id="anonymous", item_id="i1", type="click", context={"device": "phone"})
        rec.record(user_id="anna", item_id="🦊", type="rating", value=0.1)
        rec.merge_users("anonymous", "anna")
        rec.delete_items(["i7"])
        rec.add_users({"u1": {"country": "FR"}})
        rec.recommend("u1", now=NOW)
        rec.home.log.submit([], reached={"events/0": 7}).result(10)
    before = slates(tmp_path / "files", FILES)
    with open_home(tmp_path / "files", settings=FILES, read_only=True, with_model=False) as home:
        export_home(home, tmp_path / "first")
    with home_of(tmp_path / "served", server) as home:
        import_home(home, tmp_path / "first")
        assert home.log.reached() == {"events/0": 7}
        export_home(home, tmp_path / "second")
    assert slates(tmp_path / "served", server) == before
    with home_of(tmp_path / "back", FILES) as home:
        import_home(home, tmp_path / "second")
    assert slates(tmp_path / "back", FILES) == before
    assert contents(tmp_path / "second") == contents(tmp_path / "first")
