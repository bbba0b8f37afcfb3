"""`foretaste evaluate` on files, without a home."""

import json

import polars as pl
import pytest

QUICK = ("--effort", "quick", "--limit", "40", "--no-peers")


@pytest.fixture(scope="module")
def parts(shop_files, tmp_path_factory):
    """The made-up shop's events, the first part and the last."""
    folder = tmp_path_factory.mktemp("parts")
    frame = pl.read_parquet(shop_files / "log.parquet").sort("timestamp")
    frame.head(1_200).write_csv(folder / "train.csv")
    frame.tail(300).write_csv(folder / "test.csv")
    return folder


def test_a_file_of_events_is_enough(foretaste, shop_files):
    outcome = foretaste("evaluate", "--events", shop_files / "log.parquet", *QUICK)
    assert outcome.code == 0
    for word in ("live, in time order", "blend", "popularity", "random", "Gini", "is so many times that of"):
        assert word in outcome.out
    assert "now the judging part is opened" in outcome.err


def test_items_give_groups_and_a_report_is_written_where_asked(foretaste, shop_files, tmp_path):
    found = foretaste(
        "evaluate", "--events", shop_files / "log.parquet", "--items", shop_files / "items.csv",
        "--groups", "category", "--out", tmp_path / "report", "--json", *QUICK,
    ).json  # fmt: skip
    assert set(found["groups"]) == {"all items", "what people had"}
    assert found["grouped_by"] == "category"
    assert json.loads((tmp_path / "report" / "report.json").read_text())["version"] == found["version"]
    assert (tmp_path / "report" / "report.html").is_file()


def test_a_curve_is_drawn_where_asked(foretaste, shop_files, tmp_path):
    pytest.importorskip("matplotlib")
    curve = tmp_path / "curve"
    assert foretaste("evaluate", "--events", shop_files / "log.parquet", "--curve", curve, *QUICK).code == 0
    assert {path.name for path in curve.iterdir()} == {"curve.png", "curve.html"}


@pytest.mark.parametrize("protocol", ["live", "static", "sequence"])
def test_a_split_that_is_given_is_kept(foretaste, parts, protocol):
    found = foretaste(
        "evaluate", "--train", parts / "train.csv", "--test", parts / "test.csv", "--protocol", protocol,
        "--json", *QUICK,
    ).json  # fmt: skip
    assert "/ 300 events to fit" in found["split"]
    assert found["questions"] > 0


def test_no_limit_asks_all(foretaste, shop_files):
    found = foretaste(
        "evaluate", "--events", shop_files / "log.parquet", *QUICK, "--limit", "0", "--json"
    ).json
    assert found["questions"] == found["questions_possible"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--test", "parts.csv"), "go with --events"),
        (("--events", "nowhere.csv"), "nowhere.csv"),
        (("--events", "bad.csv"), "line 2"),
        (("--events", "bad.csv", "--column", "user_id"), "FIELD=NAME"),
    ],
)
def test_what_is_wrong_is_said(foretaste, tmp_path, arguments, said):
    (tmp_path / "bad.csv").write_text("user_id,item_id\n,i1\nu1,i1\n")
    outcome = foretaste("evaluate", *arguments)
    assert outcome.code in {2, 3}
    assert said in outcome.err
