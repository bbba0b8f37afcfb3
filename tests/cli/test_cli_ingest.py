"""`foretaste ingest`."""

import json

import polars as pl
import pytest

from foretaste.app.wiring import open_home


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
    assert "--column timestamp=NAME" in outcome.out


def test_it_says_how_the_columns_of_events_were_understood(foretaste, tmp_path):
    (tmp_path / "plays.csv").write_text("user,artist,plays,date\nanna,a-1,7,2024-03-01\n")
    outcome = foretaste("ingest", "events", "plays.csv", "--column", "item_id=artist")
    assert "item_id is artist, user_id is user, timestamp is date" in outcome.out
    assert "no column says what: each is a click; not used: plays" in outcome.out


def test_it_says_what_a_file_without_times_and_types_counts_as(foretaste, tmp_path):
    (tmp_path / "bought.csv").write_text("user_id,item_id\nanna,a-1\n")
    outcome = foretaste("ingest", "events", "bought.csv", "--type", "purchase")
    assert "no column says when: each counts as a day old" in outcome.out
    assert "no column says what: each is a purchase" in outcome.out


@pytest.mark.parametrize(("kind", "id_field"), [("items", "item_id"), ("users", "user_id")])
def test_it_says_what_became_attributes(foretaste, tmp_path, kind, id_field):
    (tmp_path / "things.csv").write_text("id,price,colour\na,2,red\n")
    report = foretaste("ingest", kind, "things.csv", "--json").json
    assert (report["columns"], report["others"]) == ({id_field: "id"}, ["price", "colour"])
    assert "attributes: price, colour" in foretaste("ingest", kind, "things.csv").out


def test_names_in_brackets_are_shown_as_they_are(foretaste, tmp_path):
    (tmp_path / "log[old].csv").write_text("user_id,item_id,[draft]\nanna,a-1,1\n,a-1,1\n")
    (tmp_path / "films.csv").write_text("item_id,title\na-1,[rec] :smile: (2007)\n")
    outcome = foretaste("ingest", "events", "log[old].csv")
    assert "see log[old].csv.rejected.jsonl" in outcome.out
    assert "not used: [draft]" in outcome.out
    foretaste("ingest", "items", "films.csv")
    assert "[rec] :smile: (2007)" in foretaste("recommend", "ben").out


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


@pytest.mark.parametrize("kind", ["events", "items", "users"])
def test_a_file_of_which_no_row_can_be_used_is_an_error(foretaste, tmp_path, kind):
    (tmp_path / "empty.csv").write_text("user_id,item_id\n,\n")
    outcome = foretaste("ingest", kind, "empty.csv")
    assert outcome.code == 2
    assert "no row could be used; empty.csv.rejected.jsonl says why" in outcome.err
    (tmp_path / "none.csv").write_text("user_id,item_id\n")
    assert foretaste("ingest", kind, "none.csv").code == 0


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


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_what_is_known_of_people_goes_in(foretaste, tmp_path, ending):
    file = tmp_path / f"people.{ending}"
    people = pl.DataFrame({"customer_id": ["anna", "ben"], "age": [24, None], "country": ["France", "Japan"]})
    {"csv": people.write_csv, "parquet": people.write_parquet, "jsonl": people.write_ndjson}[ending](file)
    assert foretaste("ingest", "users", file, "--json").json["accepted"] == 2
    with open_home(tmp_path / ".foretaste") as home:
        assert home.profiles.get("anna") == {"age": 24.0, "country": "France"}
        assert home.profiles.get("ben") == {"country": "Japan"}
        assert home.circumstances_of("anna") == ("age=20", "country=france")


def test_people_that_cannot_be_used_are_set_aside(foretaste, tmp_path):
    rows = [
        {"user_id": "anna", "attributes": {"age": 24, "member": True}},
        {"user_id": "", "age": 30},
        {"user_id": "ben", "tags": ["a", "b"]},
        {"user_id": "cleo", "a=b": 1},
    ]
    (tmp_path / "people.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    outcome = foretaste("ingest", "users", "people.jsonl")
    assert "1 users taken in" in outcome.out
    assert "3 rows could not be used" in outcome.out
    reasons = (tmp_path / "people.jsonl.rejected.jsonl").read_text()
    for reason in ("user_id is missing", "tags must be a text", "'a=b' cannot name an attribute"):
        assert reason in reasons
    with open_home(tmp_path / ".foretaste") as home:
        assert home.profiles.all() == {"anna": {"age": 24.0, "member": True}}


def test_people_without_a_column_of_ids_are_refused_with_the_remedy(foretaste, tmp_path):
    (tmp_path / "people.csv").write_text("login,age\nanna,24\n")
    outcome = foretaste("ingest", "users", "people.csv")
    assert outcome.code == 2
    assert "it has: login, age" in outcome.err
    assert "--column user_id=NAME" in outcome.err
    assert foretaste("ingest", "users", "people.csv", "--column", "user_id=login").code == 0


@pytest.mark.parametrize("kind", ["events", "items", "users"])
def test_a_file_without_its_columns_leaves_no_home_behind(foretaste, tmp_path, kind):
    (tmp_path / "other.csv").write_text("colour,size\nred,2\n")
    outcome = foretaste("ingest", kind, "other.csv", "--home", "home")
    assert outcome.code == 2
    assert "no column" in outcome.err
    assert not (tmp_path / "home").exists()
