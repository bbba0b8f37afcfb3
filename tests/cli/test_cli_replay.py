"""`foretaste replay` and `recommend --as-of`: the log, folded anew."""

import pytest


@pytest.fixture
def home(foretaste, shop_files):
    foretaste("ingest", "events", shop_files / "log.parquet", "--home", "home")
    return "home"


def test_the_log_folded_anew_is_what_is_served(foretaste, home):
    outcome = foretaste("replay", "--home", home, "--json")
    assert outcome.code == 0
    assert outcome.json["events"] == 1_500
    assert outcome.json["identical"] is True


def test_it_stops_at_a_moment(foretaste, home):
    outcome = foretaste("replay", "--home", home, "--as-of", "2024-02-01", "--json")
    assert 0 < outcome.json["events"] < 1_500
    assert outcome.json["identical"] is None


def test_what_would_have_been_shown_then(foretaste, home):
    now = foretaste("recommend", "u1", "--home", home, "--json").json
    then = foretaste("recommend", "u1", "--home", home, "--as-of", "2024-02-01", "--json").json
    assert then["generated_at"] == 1_706_745_600_000_000
    assert [item["item_id"] for item in then["items"]] != [item["item_id"] for item in now["items"]]


def test_a_moment_that_is_none_names_the_option(foretaste, home):
    outcome = foretaste("replay", "--home", home, "--as-of", "yesterday")
    assert outcome.code == 2
    assert "--as-of" in outcome.err
