"""`scenarios` on the command line, and `recommend` by one."""

import pytest

import foretaste as ft
from foretaste.pipeline.scenario import SHIPPED


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A home without a model that answered a few requests; do not change it."""
    home = tmp_path_factory.mktemp("scenarios") / "home"
    home.mkdir()
    with ft.Recommender.open(home) as rec:
        rec.put_items([{"item_id": f"i{n}", "title": f"Item {n}", "price": float(n)} for n in range(12)])
        rec.record_many(
            {"user_id": f"u{n % 3}", "item_id": f"i{n % 7}", "type": "watch", "timestamp": 1_711_000_000 + n}
            for n in range(20)
        )
        for user in ("u1", "u2", "new"):
            rec.recommend(user, k=4)
    return home


@pytest.fixture
def file(tmp_path):
    def written(text):
        path = tmp_path / "ours.toml"
        path.write_text(text)
        return path

    return written


def test_all_scenarios_are_listed_with_where_they_come_from(foretaste, shop):
    listed = foretaste("scenarios", "list", "--home", shop, "--json").json
    assert {one["name"]: one["origin"] for one in listed["scenarios"]} == dict.fromkeys(SHIPPED, "shipped")
    assert listed["wrong"] is None


def test_a_narrow_terminal_does_not_cut_off_their_names(foretaste, shop, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    listed = foretaste("scenarios", "list", "--home", shop).out
    assert all(name in listed for name in SHIPPED)


def test_what_is_shown_can_stand_in_a_file(foretaste, shop, file):
    shown = foretaste("scenarios", "show", "cart", "--home", shop).out
    checked = foretaste("scenarios", "check", file(shown), "--home", shop, "--json")
    assert (checked.code, checked.json["scenarios"]) == (0, ["cart"])
    described = foretaste("scenarios", "show", "cart", "--home", shop, "--json").json
    assert described["version"] == SHIPPED["cart"].version
    assert foretaste("scenarios", "show", "none", "--home", shop).code == 3


def test_a_bad_file_is_refused_with_line_and_key(foretaste, shop, file, tmp_path):
    bad = file("[home]\n\nfilter = ['prise < 3']\n")
    refused = foretaste("scenarios", "check", bad, "--home", shop)
    assert refused.code == 2
    assert "ours.toml, line 3, column 12, home.filter[0]" in refused.err
    assert "did you mean price?" in refused.err
    without = foretaste("scenarios", "check", bad, "--home", tmp_path / "none")
    assert (without.code, "attributes were not checked" in without.out) == (0, True)


def test_a_preview_shows_what_changes_side_by_side(foretaste, shop, file):
    changed = file("[home]\nfilter = ['price > 8']\n\n[cart]\n")
    (preview,) = foretaste("scenarios", "preview", changed, "--home", shop, "--json").json
    assert (preview["scenario"], preview["requests"], preview["changed"]) == ("home", 3, 3)
    said = foretaste("scenarios", "preview", changed, "--home", shop, "--examples", "1").out
    assert "3 lists change (100%)" in said
    assert "Item" in said
    assert foretaste("scenarios", "preview", file("[home]\n"), "--home", shop).code == 2


def test_a_scenario_may_be_named(foretaste, shop):
    slate = foretaste(
        *("recommend", "u1", "--home", shop, "--scenario", "cart", "--item", "i2", "--item", "i3", "--json")
    ).json
    assert slate["scenario"] == "cart"
    assert not {"i2", "i3"} & {item["item_id"] for item in slate["items"]}
    because = foretaste("recommend", "u1", "--home", shop, "--scenario", "because-you-watched").out
    assert "Because you watched Item" in because
    assert foretaste("recommend", "u1", "--home", shop, "--scenario", "cart").code == 2
