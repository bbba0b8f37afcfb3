"""Candidates that the caller brings along are put in order for a person, new ones by what is said of them."""

import pytest

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.domain.errors import InvalidQueryError

SECOND = 1_000_000
NOW = 10**15


@pytest.fixture(scope="module")
def rec(tmp_path_factory):
    """Return a shop of two kinds of things and people who like one of them."""
    folder = tmp_path_factory.mktemp("log")
    rows = ["user_id,item_id,type,timestamp"]
    for step in range(8):
        for user in range(30):
            number = 2 * ((user + 3 * step) % 20) + user % 2
            rows.append(f"u{user},i{number},click,{(NOW + (step * 30 + user) * 60 * SECOND) // SECOND}")
    (folder / "events.csv").write_text("\n".join(rows) + "\n")
    items = [
        {
            "item_id": f"i{number}",
            "title": f"thing {number}",
            "text": "calm quiet slow river" if number % 2 else "loud quick bright engine",
        }
        for number in range(40)
    ]
    settings = Settings(sources=("popularity", "content", "transitions"))
    with ft.Recommender.train(ft.read_events(folder / "events.csv"), items, settings=settings) as trained:
        yield trained


def names(slate):
    return [place.item_id for place in slate]


def test_known_candidates_alone_are_ordered(rec):
    slate = rec.personalize("u1", ["i0", "i39", "i2", "i37", "i4"])
    assert sorted(names(slate)) == ["i0", "i2", "i37", "i39", "i4"]
    assert set(names(slate)[:2]) == {"i39", "i37"}
    assert len(rec.personalize("u1", ["i0", "i39", "i2"], k=2)) == 2


def test_a_new_item_is_judged_by_its_text_and_not_kept(rec):
    before = rec.home.catalog_columns.version
    candidates = [
        {"id": "new-loud", "title": "new", "content": "loud quick bright engine", "topics": ["noise"]},
        {"id": "new-calm", "title": "new", "content": "calm quiet slow river", "source": "paper"},
    ]
    assert names(rec.personalize("u1", candidates)) == ["new-calm", "new-loud"]
    assert names(rec.personalize("u2", candidates)) == ["new-loud", "new-calm"]
    slate = rec.personalize("u1", candidates)
    assert [place.item_idx for place in slate] == [-1, -1]
    assert rec.home.exposures.get(slate.recommendation_id).items == ()
    assert rec.home.catalog_columns.version == before
    assert slate.versions.catalog_version == before


def test_what_a_new_candidate_is_worth_does_not_depend_on_those_beside_it(rec):
    calm = {"item_id": "calm", "title": "new", "text": "calm quiet slow river"}
    others = [{"item_id": f"other {n}", "text": "loud quick engine calm"} for n in range(40)]
    (alone,) = rec.personalize("u1", [calm])
    among = {place.item_id: place for place in rec.personalize("u1", [*others, calm], k=41)}
    assert among["calm"].score == alone.score
    assert among["calm"].reason == alone.reason


def test_a_person_without_history_is_answered_too(rec):
    assert len(rec.personalize("nobody", ["i1", "i2"])) == 2
    assert len(rec.personalize(None, ["i1", {"item_id": "quite new"}])) == 2


def test_an_item_that_may_not_be_shown_is_left_out(rec):
    rec.put_items([{"item_id": "i8", "title": "thing 8", "hidden": True}])
    rec.delete_items(["i10"])
    slate = rec.personalize("u2", ["i8", "i10", "i12"])
    assert names(slate) == ["i12"]
    assert slate.filtered == 2


def test_the_same_candidate_counts_once(rec):
    assert sorted(names(rec.personalize("u1", ["i1", "i1", "x", "x"]))) == ["i1", "x"]


@pytest.mark.parametrize(
    "candidates",
    [[], ["x"] * 10_000, [{"title": "no id"}], [{"item_id": "a", "price": float("nan")}], [3], [""]],
    ids=["none", "too many", "no id", "not a number", "no text", "empty id"],
)
def test_candidates_that_make_no_sense_are_refused(rec, candidates):
    with pytest.raises(InvalidQueryError, match="candidate"):
        rec.personalize("u1", candidates)
