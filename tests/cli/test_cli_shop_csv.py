"""The shop's way: a CSV of purchases, non-negative factorization, names and matches for every customer."""

import polars as pl
import pytest

from foretaste.app.wiring import open_home

PEOPLE = 30


@pytest.fixture
def shop(foretaste, tmp_path, monkeypatch):
    """A home that learnt by non-negative factorization from who bought what: two groups of people."""
    bought = [
        f"{person},{item},{int((person + item) % 2 == 0 and (person * 7 + item * 3) % 10 < 7)}"
        for person in range(PEOPLE)
        for item in range(101, 121)
    ]
    (tmp_path / "purchases.csv").write_text("\n".join(["user_id,item_id,purchased", *bought]))
    products = [f"{item},Product {item}" for item in range(101, 121)]
    (tmp_path / "products.csv").write_text("\n".join(["item_id,item_name", *products]))
    monkeypatch.setenv("FORETASTE_SOURCES", "popularity,nmf")
    foretaste("ingest", "items", "products.csv", "--column", "title=item_name", "--home", "shop")
    outcome = foretaste("ingest", "events", "purchases.csv", "--home", "shop")
    assert outcome.code == 0, outcome.err
    outcome = foretaste("train", "--home", "shop")
    assert outcome.code == 0, outcome.err
    return tmp_path / "shop"


def test_a_csv_of_purchases_is_learnt_by_non_negative_factorization_of_ten_factors(shop):
    with open_home(shop, read_only=True) as home:
        model = home.artifact.models["nmf"]
        assert model.arrays()["items"].shape == (20, 10)
        assert model.arrays()["items"].min() >= 0.0


def test_every_customer_gets_named_products_of_their_own_kind(foretaste, shop):
    slate = foretaste("recommend", "4", "--home", shop, "-k", "2", "--json").json
    assert slate["source"] == "personalized"
    assert all(item["title"] == f"Product {item['item_id']}" for item in slate["items"])
    assert all(0.0 <= item["match"] <= 1.0 for item in slate["items"])
    assert all(int(item["item_id"]) % 2 == 0 for item in slate["items"])


def test_everyone_is_written_to_a_file(foretaste, shop, tmp_path):
    assert foretaste("batch", tmp_path / "all.csv", "--home", shop, "-k", "3").code == 0
    written = pl.read_csv(tmp_path / "all.csv")
    assert written["user_id"].n_unique() == PEOPLE


def test_a_source_that_is_none_is_refused_with_those_there_are(foretaste, shop, monkeypatch):
    monkeypatch.setenv("FORETASTE_SOURCES", "popularity,magic")
    outcome = foretaste("train", "--home", shop)
    assert outcome.code == 2
    assert "magic" in outcome.err
    assert "transitions" in outcome.err
