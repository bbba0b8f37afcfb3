"""`foretaste import gorse`: exports of all its versions and a running server, taken over once."""

import json
from pathlib import Path

import pytest
from gorse_server import gorse

from foretaste.adapters.gorse.rest_api import GorseApi
from foretaste.app.wiring import open_home
from foretaste.domain.errors import UnavailableError

USERS = [
    {"UserId": "ann", "Labels": {"country": "se", "age": 31, "likes": ["jazz"]}, "Comment": "regular"},
    {"UserId": "bob", "Labels": None, "Comment": ""},
]
ITEMS = [
    {
        "ItemId": "heat",
        "IsHidden": False,
        "Categories": ["Crime"],
        "Timestamp": "2024-05-01T00:00:00Z",
        "Labels": {"year": 1995, "tags": ["heist"], "embedding": [0.5, 0.25]},
        "Comment": "Heat",
    },
    {"ItemId": "gone", "IsHidden": True, "Categories": None, "Timestamp": "0001-01-01T00:00:00Z"},
    {"ItemId": "clue", "Categories": ["Comedy", "Crime"], "Comment": "Six guests,\nand one of them did it."},
]


def feedback(kind, user, item, time="2024-06-01T10:00:00.123456789Z", value=0.0, **rest):
    key = {"FeedbackType": kind, "UserId": user, "ItemId": item}
    return {**key, "Value": value, "Timestamp": time, "Updated": time, "Comment": "", **rest}


FEEDBACK = [
    feedback("read", "ann", "heat", value=3.0),
    feedback("star", "ann", "clue", Labels={"device": "phone"}, Comment="at last"),
    feedback("rating", "bob", "heat", value=4.0),
    feedback("skip", "bob", "clue"),
    feedback("buy", "bob", "clue", time="0001-01-01T00:00:00Z"),
]
ALL = {"users": USERS, "items": ITEMS, "feedback": FEEDBACK}


@pytest.fixture
def exported(tmp_path):
    """A folder as the dashboard of Gorse 0.5 exports it."""
    folder = tmp_path / "export"
    folder.mkdir()
    for kind, records in ALL.items():
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{kind}.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture
def exported_csv(tmp_path):
    """A folder as the dashboard of Gorse 0.4 exported it."""
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "users.csv").write_bytes(b"user_id,labels\r\nann,jazz|vip\r\nbob,\r\n")
    (folder / "items.csv").write_bytes(
        b"item_id,is_hidden,categories,time_stamp,labels,description\r\n"
        b'heat,false,Crime|Drama,2024-05-01 00:00:00 +0000 UTC,heist,"Heat, 1995"\r\n'
        b"gone,true,,0001-01-01 00:00:00 +0000 UTC,,\r\n"
    )
    (folder / "feedback.csv").write_bytes(
        b"feedback_type,user_id,item_id,time_stamp\r\n"
        b"read,ann,heat,2024-06-01 12:00:00.5 +0200 CEST\r\n"
        b"star,bob,heat,2024-06-02 10:00:00 +0000 UTC\r\n"
    )
    return folder


def taken(tmp_path):
    """What the home holds: events, items and people by their ids."""
    with open_home(tmp_path / "shop", read_only=True, with_model=False) as home:
        events = {(event.user_id, event.item_id, event.type): event for _, event in home.log.events(0, 1000)}
        entries = home.catalog.changes(0)
        items = {entry.item.item_id: entry.item for entry in entries}
        return events, items, dict(home.profiles.all())


def test_an_export_of_today_becomes_events_items_and_people(foretaste, tmp_path, exported):
    outcome = foretaste("import", "gorse", exported, "--home", "shop", "--json")
    assert outcome.code == 0, outcome.err
    assert {name: outcome.json[name] for name in ("events", "items", "people", "rejected")} == {
        "events": 5,
        "items": 3,
        "people": 1,
        "rejected": 0,
    }
    assert outcome.json["types"]["read → view"] == 1
    events, items, people = taken(tmp_path)
    assert set(events) == {
        ("ann", "heat", "view"),
        ("ann", "clue", "like"),
        ("bob", "heat", "rating"),
        ("bob", "clue", "skip"),
        ("bob", "clue", "purchase"),
    }
    assert events["bob", "heat", "rating"].value == 4.0
    assert events["ann", "clue", "like"].context == {"device": "phone", "comment": "at last"}
    assert events["ann", "heat", "view"].timestamp == 1_717_236_000_123_456
    assert items["heat"].categories == ("Crime", "heist")
    assert items["heat"].attributes["year"] == 1995.0
    assert len(items["heat"].vector) == 8
    assert items["gone"].hidden
    assert people == {"ann": {"country": "se", "age": 31.0, "jazz": True, "comment": "regular"}}


def test_an_export_of_older_versions_is_understood(foretaste, tmp_path, exported_csv):
    outcome = foretaste("import", "gorse", exported_csv, "--home", "shop", "--json")
    assert outcome.json["rejected"] == 0
    events, items, people = taken(tmp_path)
    assert events["ann", "heat", "view"].timestamp == 1_717_236_000_500_000
    assert items["heat"].title == "Heat, 1995"
    assert items["heat"].categories == ("Crime", "Drama", "heist")
    assert items["gone"].hidden
    assert people == {"ann": {"jazz": True, "vip": True}}


def test_to_import_again_takes_only_what_is_new(foretaste, exported):
    foretaste("import", "gorse", exported, "--home", "shop")
    with (exported / "feedback.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(feedback("read", "bob", "heat")) + "\n")
        file.write(json.dumps(feedback("read", "ann", "heat", time="2024-07-01T10:00:00Z")) + "\n")
    again = foretaste("import", "gorse", exported, "--home", "shop", "--json").json
    assert (again["events"], again["duplicates"]) == (2, 5)


def test_a_running_server_gives_the_same(foretaste, exported):
    with gorse(ALL, api_key="secret") as address:
        over_api = foretaste(
            "import", "gorse", address, "--api-key", "secret", "--home", "shop", "--json"
        ).json
    assert (over_api["events"], over_api["items"], over_api["people"]) == (5, 3, 1)
    by_file = foretaste("import", "gorse", exported, "--home", "shop", "--json").json
    assert (by_file["events"], by_file["duplicates"]) == (0, 5)


def test_what_a_type_is_can_be_said(foretaste, tmp_path, exported):
    foretaste(
        *("import", "gorse", exported, "--home", "shop"), *("--type", "star=purchase", "--type", "skip=")
    )
    events, _, _ = taken(tmp_path)
    assert ("ann", "clue", "purchase") in events
    assert not [kind for _, _, kind in events if kind == "skip"]


def test_another_mapping_does_not_double_what_was_taken(foretaste, exported):
    foretaste("import", "gorse", exported, "--home", "shop")
    again = foretaste("import", "gorse", exported, "--home", "shop", "--type", "read=click", "--json")
    assert (again.json["events"], again.json["duplicates"]) == (0, 5)


def test_what_cannot_be_used_is_set_aside_with_the_reason(foretaste, exported):
    bad = [{"FeedbackType": "read", "UserId": "", "ItemId": "heat"}, feedback("read", "a", "b", time="soon")]
    lines = "".join(json.dumps(record) + "\n" for record in bad) + "no json\n"
    (exported / "feedback.jsonl").write_text(lines, encoding="utf-8")
    report = foretaste("import", "gorse", exported, "--home", "shop", "--json").json
    assert (report["events"], report["rejected"]) == (0, 3)
    lines = Path(report["rejected_file"]).read_text(encoding="utf-8").splitlines()
    reasons = [json.loads(line)["reason"] for line in lines]
    assert any("timestamp" in reason for reason in reasons)
    assert any("user_id" in reason for reason in reasons)


def test_a_folder_without_an_export_is_said_so(foretaste, tmp_path):
    outcome = foretaste("import", "gorse", tmp_path, "--home", "shop")
    assert outcome.code == 3
    assert "users, items and feedback" in outcome.err


def test_a_wrong_key_is_said_so_before_there_is_a_home(foretaste, tmp_path):
    with gorse(ALL, api_key="secret") as address:
        outcome = foretaste("import", "gorse", address, "--home", "shop")
    assert outcome.code == 2
    assert "--api-key" in outcome.err
    assert not (tmp_path / "shop").exists()


def test_a_mapping_that_is_none_is_refused(foretaste, exported):
    outcome = foretaste("import", "gorse", exported, "--type", "star", "--home", "shop")
    assert outcome.code == 2
    assert "THERE=HERE" in outcome.err


def test_a_page_that_fails_is_asked_for_again():
    pauses = []
    with gorse(ALL, failures=[503, 500]) as address:
        pages = list(GorseApi(address, sleep=pauses.append).batches("items"))
    assert [len(page) for page in pages] == [2, 1]
    assert len(pauses) == 2


def test_a_server_that_stays_away_is_said_so():
    with gorse(ALL) as address:
        pass
    with pytest.raises(UnavailableError, match="cannot be read"):
        list(GorseApi(address, sleep=lambda _: None).batches("items"))
