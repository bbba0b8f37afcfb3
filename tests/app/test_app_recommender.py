"""The Python face: train, recommend, record, explain, keep."""

import doctest
import shutil

import pytest

import foretaste as ft
from foretaste.app import recommender as module
from foretaste.app.settings import Settings
from foretaste.domain.errors import (
    InvalidEventError,
    InvalidInputError,
    InvalidItemError,
    InvalidQueryError,
    NotFoundError,
    UnavailableError,
    UnknownItemError,
    UnknownModelError,
    UnknownScenarioError,
    UnknownUserError,
)
from foretaste.training import recipe
from foretaste.training.gate import GateReport

NOW = 1_712_000_000_000_000
"""Shortly after the synthetic events."""


@pytest.fixture(scope="module")
def shop():
    return ft.datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3)


@pytest.fixture(scope="module")
def trained_home(shop, tmp_path_factory):
    """A directory with a trained recommender in it; copy it to change it."""
    home = tmp_path_factory.mktemp("python") / "home"
    ft.Recommender.train(shop.events, home=home, seed=1).close()
    return home


@pytest.fixture
def rec(trained_home, tmp_path):
    with ft.Recommender.open(shutil.copytree(trained_home, tmp_path / "home")) as opened:
        yield opened


def ids(slate):
    return [place.item_id for place in slate]


def test_the_face_of_the_design_works_as_written(shop):
    events = shop.events
    rec = ft.Recommender.train(events.until("2024-03-01"), items=events.items)
    slate = rec.recommend("u1", k=10)
    assert isinstance(slate, ft.Slate)
    assert len(slate) == 10
    rec.record(user_id="u1", item_id=slate[0].item_id, type="like")
    after = rec.recommend("u1", k=10, explain=True)
    assert ids(after) != ids(slate)
    assert after[0].explanation
    evaluation = ft.evaluate(rec, events.after("2024-03-01"))
    assert evaluation["blend"].accuracy["ndcg"].value > evaluation["random"].accuracy["ndcg"].value
    rec.close()


def test_an_event_is_in_the_very_next_answer(rec):
    before = rec.recommend("u1", k=5, now=NOW)
    rec.record(user_id="u1", item_id=before[0].item_id, type="purchase")
    after = rec.recommend("u1", k=5)
    assert before[0].item_id not in ids(after)
    assert after.versions.state_seq == before.versions.state_seq + 1


def test_one_event_is_enough_to_be_known(rec):
    assert rec.recommend("new").source == "trending"
    rec.record(user_id="new", item_id="i1", type="click")
    assert rec.recommend("new").source == "personalized"


def test_nobody_gets_what_is_trending(rec):
    assert rec.recommend(None, k=3).source == "trending"


def test_explanations_sum_to_one_hundred(rec):
    for place in rec.recommend("u1", k=5, explain=True, explain_top_k=4):
        assert 0 < len(place.explanation) <= 4
        assert sum(past.contribution_pct for past in place.explanation) == pytest.approx(100.0)


def test_the_same_question_on_the_same_state_has_the_same_answer(rec):
    first, again = (rec.recommend("u2", now=NOW, seed=4) for _ in range(2))
    assert first == again


def test_training_is_a_function_of_data_and_seed(shop, trained_home, tmp_path):
    with (
        ft.Recommender.train(shop.events, home=tmp_path / "again", seed=1) as again,
        ft.Recommender.open(trained_home, read_only=True) as before,
    ):
        assert again.home.artifact.version == before.home.artifact.version


def test_memory_and_directory_answer_alike(shop, rec):
    with ft.Recommender.train(shop.events, seed=1) as in_memory:
        for user in ("u1", "u2", "nobody"):
            one, other = (each.recommend(user, now=NOW, seed=1) for each in (in_memory, rec))
            assert [(place.item_id, place.score) for place in one] == [
                (place.item_id, place.score) for place in other
            ]


def test_a_restart_keeps_everything(rec):
    rec.record(user_id="u1", item_id="i5", type="purchase")
    before = rec.recommend("u1", now=NOW, seed=1)
    directory = rec.home.directory
    rec.close()
    with ft.Recommender.open(directory) as again:
        assert again.recommend("u1", now=NOW, seed=1).items == before.items


def test_a_home_can_be_read_beside_its_owner_but_not_written(rec):
    with ft.Recommender.open(rec.home.directory, read_only=True) as reader:
        assert ids(reader.recommend("u1", now=NOW, seed=1)) == ids(rec.recommend("u1", now=NOW, seed=1))
        with pytest.raises(UnavailableError, match="reading only"):
            reader.record(user_id="u1", item_id="i1", type="click")
    with pytest.raises(UnavailableError, match="in use by process"):
        ft.Recommender.open(rec.home.directory)


def test_a_home_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(NotFoundError, match="no home at"):
        ft.Recommender.open(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


def test_what_was_learnt_in_memory_serves_whatever_the_gate_says(monkeypatch, tmp_path):
    refusal = GateReport(passed=False, words="refused: worse than popularity")
    monkeypatch.setattr(recipe, "judge_candidate", lambda *_, **__: refusal)
    shop = ft.datasets.synthetic(n_users=20, n_items=15, n_events=300, seed=3)
    quick = Settings(effort="quick")
    with ft.Recommender.train(shop.events, items=shop.events.items, settings=quick) as rec:
        assert (rec.report.gate, rec.report.promoted) == (refusal, True)
        assert rec.home.artifact.version == rec.report.version
    kept = tmp_path / "home"
    with ft.Recommender.train(shop.events, items=shop.events.items, home=kept, settings=quick) as rec:
        assert (rec.report.gate, rec.report.promoted) == (refusal, False)
        assert rec.home.artifact is None


def test_nothing_to_learn_from_is_said():
    nothing = ft.datasets.synthetic(n_events=1).events.until("1999-01-01")
    with pytest.raises(InvalidInputError, match="log is empty"):
        ft.Recommender.train(nothing)


def test_ten_events_are_enough_to_train(shop):
    few = ft.Events(shop.events.frame.head(10), shop.events.items)
    with ft.Recommender.train(few) as rec:
        assert len(rec.recommend("u1", k=5)) == 5


def test_events_without_times_train_too():
    frame = ft.datasets.synthetic(n_users=30, n_items=12, n_events=600, seed=2).events.frame
    untimed = ft.read_events(frame.select("user_id", "item_id"))
    with ft.Recommender.train(untimed) as rec:
        assert rec.report.kind == "hold-out"
        assert rec.recommend("u1", k=3).source == "personalized"


def test_a_new_item_is_known_at_once_and_a_deleted_one_never_shown(rec):
    rec.put_items([{"item_id": "fresh", "title": "Fresh Kettle", "categories": ["fresh"]}])
    assert ids(rec.recommend("u1", k=3, filters={"category": "fresh"})) == ["fresh"]
    rec.delete_items(["fresh"])
    assert ids(rec.recommend("u1", k=3, filters={"category": "fresh"})) == []
    with pytest.raises(UnknownItemError):
        rec.similar("fresh")


def test_items_sold_out_or_hidden_are_not_shown(rec):
    first, second, *_ = ids(rec.recommend("u1", k=5, now=NOW))
    rec.put_items([{"item_id": first, "in_stock": False}, {"item_id": second, "hidden": True}])
    assert not {first, second} & set(ids(rec.recommend("u1", k=30, now=NOW)))


def test_filters_exclusions_and_bounds_of_k(rec):
    everything = rec.recommend("nobody", k=1000)
    assert len(everything) == 30
    chosen = rec.recommend("nobody", k=1000, filters={"category": ["toys", "music"]}, exclude_ids=["i1"])
    assert {place.categories[0] for place in chosen} <= {"toys", "music"}
    assert len(rec.recommend("nobody", k=5, filters={"category": "no such"})) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": 0},
        {"k": 1001},
        {"k": 10**9},
        {"k": "ten"},
        {"k": True},
        {"explain_top_k": 0},
        {"diversity_lambda": 1.5},
        {"diversity_lambda": float("nan")},
    ],
)
def test_a_parameter_out_of_range_is_named(rec, wrong):
    with pytest.raises(InvalidQueryError) as caught:
        rec.recommend("u1", **wrong)
    assert caught.value.field == next(iter(wrong))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda rec: rec.recommend(196), "user_id must be text, not 196"),
        (lambda rec: rec.recommend("u1", scenario="similar", item_id=5), "item_id must be text, not 5"),
        (lambda rec: rec.recommend("u1", exclude_ids=[5]), "exclude_ids must be text, not 5"),
        (lambda rec: rec.recommend("u1", filters={"year": [1995]}), "the value of year must be text"),
        (lambda rec: rec.recommend("u1", filters={"year": 1995}), "the value of year must be text"),
        (lambda rec: rec.recommend("u1", now=10**20), "now must be a whole number"),
        (lambda rec: rec.as_of(1.5), "time must be a whole number"),
        (lambda rec: rec.similar(5), "item_id must be text, not 5"),
        (lambda rec: rec.personalize(5, ["i1"]), "user_id must be text, not 5"),
        (lambda rec: rec.profile(5), "user_id must be text, not 5"),
        (lambda rec: rec.profile("u1", recent_limit="x"), "recent_limit must be a whole number"),
        (lambda rec: rec.recommend("u1", min_score="x"), "min_score must be a number"),
        (lambda rec: rec.recommend("u1", min_score=float("nan")), "min_score must be a number"),
        (lambda rec: rec.recommend("u1", seed=2**70), "seed must be a whole number"),
        (lambda rec: rec.personalize("u1", ["i1"], seed=2**70), "seed must be a whole number"),
        (lambda rec: rec.as_of(2**50).recommend("u1", seed=2**70), "seed must be a whole number"),
        (lambda rec: rec.recommend("u1", context=[1]), "context must have names and values"),
        (lambda rec: rec.recommend("u1", context={"a": object()}), "context.a must be text"),
        (lambda rec: rec.recommend("u1", filters=[1]), "filters must have names and values"),
        (lambda rec: rec.recommend("u1", cursor=1), "cursor must be text, not 1"),
        (lambda rec: rec.recommend("u1", diversity_lambda="x"), "diversity_lambda must be from 0 to 1"),
        (lambda rec: rec.delete_items([5]), "item_ids must be text, not 5"),
    ],
)
def test_what_is_no_text_or_no_moment_is_named(rec, ask, message):
    with pytest.raises(InvalidQueryError, match=message):
        ask(rec)


@pytest.mark.parametrize(
    "ask",
    [
        lambda rec, text: rec.recommend(text),
        lambda rec, text: rec.recommend("u1", scenario=text),
        lambda rec, text: rec.recommend("u1", model=text),
        lambda rec, text: rec.recommend("u1", item_ids=[text]),
        lambda rec, text: rec.recommend("u1", exclude_ids=[text]),
        lambda rec, text: rec.recommend("u1", filters={"category": text}),
        lambda rec, text: rec.recommend("u1", filters={text: "x"}),
        lambda rec, text: rec.recommend("u1", context={"device": text}),
        lambda rec, text: rec.recommend("u1", rules={"forbidden": [text]}),
        lambda rec, text: rec.recommend("u1", page_id=text),
        lambda rec, text: rec.similar(text),
        lambda rec, text: rec.personalize(text, ["i1"]),
        lambda rec, text: rec.profile(text),
        lambda rec, text: rec.reproduce(text),
        lambda rec, text: rec.delete_items([text]),
        lambda rec, text: rec.merge_users(text, "u1"),
        lambda rec, text: rec.add_users({"u1": {"city": text}}),
        lambda rec, text: rec.add_users({"u1": {text: 1}}),
    ],
)
def test_what_is_no_character_is_named(rec, ask):
    with pytest.raises(InvalidInputError, match="lone surrogate"):
        ask(rec, "\ud800")


def test_circumstances_are_written_as_texts_and_none_is_left_out(rec):
    only = 'context.hour == "9" and context.member == "true" and context["place.city"] == "Oslo"'
    told = {"hour": 9, "member": True, "nothing": None, "place": {"city": "Oslo"}}
    assert len(rec.recommend("u1", k=3, context=told, filter=only)) == 3
    assert len(rec.personalize("u1", ["i1"], context=told, filter=only)) == 1


def test_one_id_stands_for_itself_not_for_its_letters(rec):
    (first,) = rec.recommend("u1", k=1, seed=0)
    assert first.item_id not in [place.item_id for place in rec.recommend("u1", exclude_ids=first.item_id)]
    assert [place.item_id for place in rec.personalize("u1", first.item_id)] == [first.item_id]


def test_unknown_names_are_said_with_those_there_are(rec):
    with pytest.raises(UnknownScenarioError, match="home"):
        rec.recommend("u1", scenario="nowhere")
    with pytest.raises(UnknownModelError):
        rec.recommend("u1", model="oracle")
    with pytest.raises(UnknownItemError):
        rec.similar("nothing")
    with pytest.raises(UnknownUserError):
        rec.profile("nobody")


def test_a_wrong_event_is_refused_and_nothing_of_it_remains(rec):
    before = rec.home.state.seq
    with pytest.raises(InvalidEventError, match="value"):
        rec.record(user_id="u1", item_id="i1", type="rating", value=float("nan"))
    assert rec.home.state.seq == before


def test_many_events_get_a_status_each(rec):
    event = ft.Event(event_id="e-1", user_id="u1", item_id="i1", type="click", timestamp=NOW)
    receipt = rec.record_many([event, event, {"user_id": "", "item_id": "i1", "type": "click"}])
    assert [status.status for status in receipt.events] == ["accepted", "duplicate", "rejected"]
    assert receipt.state_seq == rec.home.state.seq


def test_a_wrong_item_is_refused(rec):
    with pytest.raises(InvalidItemError):
        rec.put_items([{"title": "without id"}])


def test_a_profile_says_what_is_known(rec):
    rec.record(user_id="reader", item_id="i1", type="purchase")
    profile = rec.profile("reader")
    assert (profile.total_events, profile.total_purchases) == (1, 1)


def test_users_are_those_with_events(rec):
    assert len(rec.users()) == 40
    rec.record(user_id="newcomer", item_id="i1", type="click")
    assert rec.users()[-1] == "newcomer"


def test_it_shows_what_it_is(rec):
    assert "1,500 events" in repr(rec)


def test_closing_twice_is_fine(rec):
    rec.close()
    rec.close()


def test_every_public_method_has_help_and_most_an_example():
    tests = doctest.DocTestFinder(recurse=True).find(ft.Recommender, "Recommender", module=module)
    with_examples = {test.name.rpartition(".")[2] for test in tests if test.examples}
    public = [name for name in vars(ft.Recommender) if not name.startswith("_")]
    assert all(getattr(ft.Recommender, name).__doc__ for name in public)
    assert {"train", "open", "recommend", "similar", "record", "record_many", "put_items"} <= with_examples


def test_every_public_name_is_there_and_documented():
    for name in ft.__all__:
        assert getattr(ft, name).__doc__
        assert name in dir(ft)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ft.nonsense  # noqa: B018 # looking it up is the test
