"""`ft.judge`: honest protocols, peers beside, reports that stand alone."""

import importlib
import json
import sys
from dataclasses import replace
from math import inf

import msgspec
import numpy as np
import polars as pl
import pytest

import foretaste as ft
from foretaste.app.judging import implicit_peers
from foretaste.app.judging.corpora import corpus_of_events
from foretaste.app.judging.drawing import ticks
from foretaste.app.settings import Settings
from foretaste.domain.errors import InvalidInputError, MissingExtraError
from foretaste.evaluation.bootstrap import Interval

QUICK = {"effort": "quick", "limit": 80, "peers": False}


@pytest.fixture(scope="module")
def events():
    return ft.datasets.synthetic(n_users=60, n_items=50, n_events=2_400, seed=5).events


@pytest.fixture(scope="module")
def full(events):
    return ft.judge(events, effort="quick", limit=120, groups="category", curve=True)


@pytest.mark.parametrize(
    ("protocol", "kind"), [("live", "time"), ("sequence", "sequence"), ("static", "hold-out")]
)
def test_each_protocol_splits_as_it_says(events, protocol, kind):
    found = ft.judge(events, protocol=protocol, **QUICK)
    assert (found.protocol, found.kind) == (protocol, kind)
    assert 0 < found.questions <= 80
    assert found["blend"].accuracy["ndcg"].value > found["random"].accuracy["ndcg"].value
    assert (found.liveness is not None) == (protocol == "live")


@pytest.mark.parametrize("protocol", ["live", "sequence"])
def test_what_judges_changes_nothing_that_is_learnt(events, protocol):
    judged = judging_rows(events.frame, protocol)
    spoilt = ft.Events(
        events.frame.with_columns(
            item_id=pl.when(pl.Series(judged)).then(pl.lit("i1")).otherwise(pl.col("item_id"))
        ),
        events.items,
    )
    kept, other = (ft.judge(each, protocol=protocol, **QUICK) for each in (events, spoilt))
    assert kept.version == other.version
    assert kept["blend"] != other["blend"]


def judging_rows(frame, protocol):
    order = np.argsort(frame["timestamp"].to_numpy(), kind="stable")
    judged = np.zeros(frame.height, bool)
    if protocol == "live":
        judged[order[int(0.9 * frame.height) :]] = True
    else:
        users = frame["user_id"].to_numpy()[order]
        last = {user: place for place, user in enumerate(users)}
        judged[order[list(last.values())]] = True
    return judged


def test_a_given_split_learns_from_all_of_one_part_and_asks_about_the_other(events):
    cut = events.quantile(0.8)
    found = ft.judge(events.until(cut), events.items, test=events.after(cut), **{**QUICK, "limit": None})
    assert found.possible > 0
    assert f"/ {len(events.after(cut)):,} events" in found.split
    other = ft.judge(events.until(cut), events.items, test=events.after(events.quantile(0.95)), **QUICK)
    assert other.version == found.version


def test_a_split_without_times_is_judged_by_all_held_back_items(events):
    pairs = events.frame.select("user_id", "item_id").unique(maintain_order=True)
    test = pl.Series(np.random.default_rng(0).random(pairs.height) < 0.2)
    train, rest = (ft.read_events(pairs.filter(which)) for which in (~test, test))
    found = ft.judge(train, test=rest, protocol="static", **{**QUICK, "limit": None})
    assert found.kind == "hold-out"
    assert found.possible == rest.frame["user_id"].n_unique()
    clicked = found["popularity"].accuracy["ndcg"].value
    bought, kept = (ft.read_events(pairs.filter(which), event_type="purchase") for which in (~test, test))
    again = ft.judge(bought, test=kept, protocol="static", **{**QUICK, "limit": None})
    assert again["popularity"].accuracy["ndcg"].value == pytest.approx(clicked)  # nothing had is listed


def test_peers_stand_beside_and_see_the_same_questions(full):
    pytest.importorskip("implicit")
    names = {score.name for score in full.scores}
    assert {implicit_peers.ALS, implicit_peers.KNN, "blend", "popularity", "random"} <= names
    assert full[implicit_peers.KNN].accuracy["ndcg"].value > full["random"].accuracy["ndcg"].value


def test_without_the_package_there_are_no_peers(events, monkeypatch):
    monkeypatch.setattr(implicit_peers, "_module", lambda _name: None)
    found = ft.judge(events, **{**QUICK, "peers": True})
    assert not [score.name for score in found.scores if score.name.startswith("implicit")]


def test_every_kind_of_measure_is_there(full):
    score = full["blend"]
    assert set(score.accuracy) == {"ndcg", "recall", "precision", "hit_rate", "mrr", "map"}
    measured = (score.diversity, score.popularity, score.lift, score.serendipity, score.calibration)
    assert all(found is not None and found.low <= found.value <= found.high for found in measured)
    assert 0.0 <= score.own_lists <= 1.0
    assert sum(score.exposure.values()) == pytest.approx(1.0)
    assert set(full.groups["all items"]) == set(score.exposure)
    assert full.liveness.changed > 0.9


def test_factors_over_popularity_and_chance_are_ratios_of_precision(full):
    for rival, factor in full.factors.items():
        ours, theirs = (full[name].accuracy["precision"].value for name in ("blend", rival))
        assert factor.value == pytest.approx(ours / theirs)
        assert factor.low <= factor.value <= factor.high
    assert set(full.factors) == {"popularity", "random"}


def test_a_factor_over_what_foretold_nothing_is_told_in_words_and_read_by_programs(full, tmp_path):
    endless = replace(full, factors={"random": Interval(value=inf, low=3.0, high=inf)})
    assert "infinite [3.00, infinite]" in str(endless)
    assert "infinite: that one foretold nothing" in endless.to_markdown()
    endless.save(tmp_path)
    read = json.loads((tmp_path / "report.json").read_text())["factors"]["random"]
    assert (float(read["value"]), float(read["low"])) == (inf, 3.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"k": 0}, "k must be a whole number from 1 to 1000, not 0"),
        ({"k": -1}, "k must be a whole number"),
        ({"k": 2000}, "k must be a whole number"),
        ({"limit": 0}, "limit must be a whole number from 1"),
        ({"limit": -1}, "limit must be a whole number from 1"),
        ({"protocol": "backwards"}, "protocol must be one of live, sequence, static, not 'backwards'"),
        ({"effort": "enormous"}, "effort must be one of quick, usual, best, not 'enormous'"),
    ],
)
def test_an_argument_that_cannot_be_is_named(events, wrong, message):
    with pytest.raises(InvalidInputError, match=message):
        ft.judge(events, **{**QUICK, **wrong})


@pytest.mark.parametrize("wrong", [{"k": 0}, {"k": 2000}, {"limit": 0}])
def test_what_a_replay_cannot_be_asked_is_named(events, wrong):
    message = f"{next(iter(wrong))} must be a whole number"
    rec = ft.Recommender.train(events, settings=Settings(effort="quick"))
    with rec, pytest.raises(InvalidInputError, match=message):
        ft.evaluate(rec, events, **wrong)


@pytest.mark.parametrize("protocol", ["live", "sequence", "static"])
def test_where_no_question_can_be_asked_it_says_so_instead_of_tables_of_zeros(protocol, tmp_path):
    lonely = [(f"u{n}", f"i{n % 7}", 1_700_000_000 + n) for n in range(60)]
    frame = pl.DataFrame(lonely, schema=["user_id", "item_id", "timestamp"], orient="row")
    found = ft.judge(ft.read_events(frame), protocol=protocol, **QUICK)
    assert (found.questions, found.sheets(), found.factors) == (0, [], {})
    assert "nothing was judged" in str(found)
    assert "nothing was judged" in (found.save(tmp_path)[0]).read_text()


def test_lists_for_people_who_had_nothing_have_no_popularity_lift():
    pairs = [(f"u{n // 2}", f"i{n}", 1_700_000_000 + 60 * n) for n in range(600)]
    frame = pl.DataFrame(pairs, schema=["user_id", "item_id", "timestamp"], orient="row")
    found = ft.judge(ft.read_events(frame), **QUICK)
    assert found.questions > 0
    assert found["popularity"].lift is None


def test_the_curve_passes_through_what_ships(full):
    usual = [point for point in full.curve if point.usual]
    assert [point.knob for point in usual] == ["diversity_lambda", "popularity_correction"]
    for point in usual:
        assert point.score.accuracy == full["blend"].accuracy


def test_less_lambda_is_more_variety_and_correction_is_less_popularity(full):
    lambdas = [p.score.diversity.value for p in full.curve if p.knob == "diversity_lambda"]
    popularity = [p.score.popularity.value for p in full.curve if p.knob == "popularity_correction"]
    assert lambdas[-1] > lambdas[0]
    assert popularity[-1] < popularity[0]


def test_a_report_is_one_file_that_loads_nothing(full, tmp_path):
    written = {path.name: path.read_text() for path in full.save(tmp_path / "new")}
    assert set(written) == {"report.html", "report.md", "report.json", "report.csv"}
    for foreign in ("<script", "http:", "https:", "src=", "@import"):
        assert foreign not in written["report.html"]
    assert "<svg" in written["report.html"]
    assert json.loads(written["report.json"])["version"] == full.version
    assert written["report.csv"].startswith("name,metric,value,low,high")
    assert "| blend |" in written["report.md"]


def test_the_curve_is_saved_as_picture_and_page(full, tmp_path):
    pytest.importorskip("matplotlib")
    picture, html = full.save_curve(tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = html.read_text()
    assert "<title>diversity_lambda = 0.8 (as it ships)" in text
    assert "<script" not in text


def test_without_matplotlib_the_remedy_is_named(full, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    monkeypatch.delitem(sys.modules, "foretaste.app.judging.plots", raising=False)
    with pytest.raises(MissingExtraError, match=r"foretaste\[plots\]"):
        full.save_curve(tmp_path)
    monkeypatch.undo()
    importlib.import_module("foretaste.app.judging.plots")


def test_no_curve_is_said(events, tmp_path):
    with pytest.raises(InvalidInputError, match="curve=True"):
        ft.judge(events, **QUICK).save_curve(tmp_path)


def test_an_unknown_group_is_named_beside_those_there_are(events):
    with pytest.raises(InvalidInputError, match=r"'colour'.*category"):
        ft.judge(events, groups="colour", **QUICK)


def test_it_prints_within_a_narrow_terminal(full):
    long = replace(
        full, scores=tuple(msgspec.structs.replace(s, name=s.name.ljust(18, "x")) for s in full.scores)
    )
    tables = [line.rstrip() for line in str(long).splitlines() if line.startswith(" ")]
    assert max(map(len, tables)) <= 80
    assert full._repr_html_().count("<table>") == len(full.sheets())


def test_a_corpus_has_items_first_then_what_only_events_know(events):
    corpus, later = corpus_of_events(events.until(events.quantile(0.5)), events.items[:10], events)
    assert corpus.item_names[:10] == [item.item_id for item in events.items[:10]]
    assert corpus.catalog.n_items == 10
    assert len(later) == len(events)
    assert (np.diff(later.time) >= 0).all()
    with pytest.raises(InvalidInputError, match="no events"):
        corpus_of_events(events.after("2100-01-01"))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0613, 0.1342), (2.1, 8.4), (-3.0, 120.0)])
def test_ticks_are_few_round_and_inside(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 6
    assert low <= min(found) < max(found) <= high
