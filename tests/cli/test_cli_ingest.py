"""`foretaste ingest`."""

import json


def test_events_and_items_go_in_and_twice_changes_nothing(foretaste, shop_files):
    first = foretaste("ingest", "events", shop_files / "log.parquet", "--json").json
    again = foretaste("ingest", "events", shop_files / "log.parquet", "--json").json
    assert (first["accepted"], first["duplicates"]) == (1500, 0)
    assert (again["accepted"], again["duplicates"]) == (0, 1500)
    assert foretaste("ingest", "items", shop_files / "items.csv", "--json").json["accepted"] == 30


def test_it_says_in_words_what_happened(foretaste, tmp_path):
    (tmp_path / "shop.csv").write_text("user_id,item_id,purchased\n1,101,1\n1,102,0\n,101,1\n")
    outcome = foretaste("ingest", "events", "shop.csv")
    assert outcome.code == 0
    assert "1 events taken in" in outcome.out
    assert "1 rows say that nothing happened" in outcome.out
    assert "1 rows could not be used, see shop.csv.rejected.jsonl" in outcome.out


def test_bad_rows_are_set_aside_beside_the_file(foretaste, tmp_path):
    (tmp_path / "clicks.csv").write_text("visitor,article\nanna,a-1\nben,\n")
    columns = ("--column", "user_id=visitor", "--column", "item_id=article")
    assert foretaste("ingest", "events", "clicks.csv", *columns, "--json").json["rejected"] == 1
    (line,) = (tmp_path / "clicks.csv.rejected.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "line": 3,
        "reason": "item_id is missing",
        "row": {"visitor": "ben", "article": ""},
    }


def test_bad_items_are_set_aside_too(foretaste, tmp_path):
    (tmp_path / "items.csv").write_text("item_id,in_stock\na,yes\nb,perhaps\n")
    report = foretaste("ingest", "items", "items.csv", "--json").json
    assert (report["accepted"], report["rejected"]) == (1, 1)


def test_a_missing_column_says_which_there_are_and_how_to_map(foretaste, tmp_path):
    (tmp_path / "clicks.csv").write_text("visitor,article\nanna,a-1\n")
    outcome = foretaste("ingest", "events", "clicks.csv")
    assert outcome.code == 2
    assert "it has: visitor, article" in outcome.err
    assert "--column user_id=NAME" in outcome.err


def test_a_mapping_that_is_none_is_refused(foretaste, tmp_path):
    (tmp_path / "clicks.csv").write_text("visitor,article\nanna,a-1\n")
    outcome = foretaste("ingest", "events", "clicks.csv", "--column", "visitor")
    assert outcome.code == 2
    assert "FIELD=NAME" in outcome.err


def test_the_home_is_where_the_option_says(foretaste, shop_files, tmp_path):
    foretaste("ingest", "events", shop_files / "log.parquet", "--home", "elsewhere")
    assert (tmp_path / "elsewhere" / "foretaste.db").is_file()
    assert not (tmp_path / ".foretaste").exists()
