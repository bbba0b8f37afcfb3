"""`foretaste export` and `import`: a home out to files and in again."""

import pytest


def test_a_home_moves_and_answers_as_before(foretaste, shop_files):
    foretaste("ingest", "events", shop_files / "log.parquet", "--home", "old")
    foretaste("ingest", "items", shop_files / "items.csv", "--home", "old")
    out = foretaste("export", "everything", "--home", "old", "--json")
    taken = foretaste("import", "everything", "--home", "new", "--json")
    assert out.json == taken.json
    assert out.json["events"] == 1_500
    slates = [foretaste("recommend", "u1", "--home", home, "--json").json["items"] for home in ("old", "new")]
    assert [place["item_id"] for place in slates[0]] == [place["item_id"] for place in slates[1]]


def test_it_says_in_words_what_moved(foretaste, shop_files):
    foretaste("ingest", "events", shop_files / "log.parquet", "--home", "old")
    outcome = foretaste("export", "everything", "--home", "old")
    assert outcome.code == 0
    assert "1,500 events" in outcome.out


@pytest.mark.parametrize("name", [".", "a.tar"])
def test_importing_what_is_no_export_says_so_and_leaves_no_home(foretaste, tmp_path, name):
    (tmp_path / "a.tar").touch()
    outcome = foretaste("import", name, "--home", "new")
    assert outcome.code == 3
    assert "manifest.json" in outcome.err
    assert not (tmp_path / "new").exists()


def test_an_export_to_below_a_file_says_what_helps(foretaste, shop_files, tmp_path):
    foretaste("ingest", "events", shop_files / "log.parquet", "--home", "old")
    (tmp_path / "notes").touch()
    outcome = foretaste("export", "notes/everything", "--home", "old")
    assert outcome.code == 4
    assert "choose another place" in outcome.err
