"""Batches: everyone answered as one by one, once each, however often it is cut off."""

import errno
from pathlib import Path

import batch_child
import polars as pl
import pytest

from foretaste.app import datasets
from foretaste.app.batch.people import people_of
from foretaste.app.batch.plan import BatchOrder
from foretaste.app.batch.running import run_batch
from foretaste.app.recommender import Recommender
from foretaste.app.settings import Settings
from foretaste.domain.clock import system_clock
from foretaste.domain.errors import (
    InvalidInputError,
    InvalidQueryError,
    UnavailableError,
    UnknownScenarioError,
)
from foretaste.serving.answerer import Answerer
from foretaste.testing.forks import Fork

SMALL = BatchOrder(k=3, users_per_part=7)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A home of 40 people with a model of factors, live sources and words."""
    home = tmp_path_factory.mktemp("batch") / "home"
    events = datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3).events
    settings = Settings(sources=("popularity", "ials", "transitions", "content"), effort="quick")
    Recommender.train(events, home=home, settings=settings).close()
    return home


@pytest.fixture
def cut_off(trained, tmp_path):
    """A batch to `some.parquet` that was killed after two of its six parts."""
    out = tmp_path / "some.parquet"
    with Fork(batch_child.main, str(trained), str(out), SMALL.users_per_part) as process:
        assert [process.stdout.readline() for _ in range(2)] == [b"0\n", b"1\n"]
        process.kill()
    assert not out.exists()
    return out


def rows_of(path):
    return pl.read_parquet(path)


def test_everyone_gets_what_they_would_get_if_they_asked(trained, tmp_path):
    now = system_clock()
    report = run_batch(trained, tmp_path / "all.parquet", SMALL, clock=lambda: now)
    rows = rows_of(tmp_path / "all.parquet")
    with Recommender.open(trained, read_only=True) as rec:
        asked = {user: rec.recommend(user, k=3, now=now, seed=0) for user in rec.users()}
    assert report.users == len(asked) == 40
    for user, slate in asked.items():
        mine = rows.filter(pl.col("user_id") == user)
        assert mine["item_id"].to_list() == [place.item_id for place in slate]
        assert mine["reason"].to_list() == [place.reason for place in slate]
        assert mine["score"].to_list() == pytest.approx([place.score for place in slate], abs=1e-5)


def test_the_report_says_what_the_answers_are_made_from(trained, tmp_path):
    report = run_batch(trained, tmp_path / "all.parquet", SMALL)
    with Recommender.open(trained, read_only=True) as rec:
        assert report.state_seq == rec.home.state.seq == 1_500
        assert report.model_version == rec.home.artifact.version
        assert report.model_hash == rec.home.artifact.manifest.hash
    assert not list(tmp_path.glob(".*"))


def test_a_batch_that_was_killed_goes_on_and_nothing_is_doubled_or_missing(trained, cut_off):
    report = run_batch(trained, cut_off, SMALL)
    rows = rows_of(cut_off)
    assert 14 <= report.kept < 40
    assert rows.group_by("user_id").len()["len"].to_list() == [3] * 40
    assert rows["user_id"].to_list()[::3] == people(trained)


def test_what_happened_meanwhile_is_in_no_answer(trained, cut_off):
    kept = pl.concat([pl.read_parquet(path) for path in sorted(cut_off.parent.glob(".*/*.parquet"))])
    with Recommender.open(trained) as rec:
        before = rec.home.state.seq
        rec.record(user_id="u40", item_id="i1", type="purchase")
        rec.record(user_id="late", item_id="i2", type="purchase")
    report = run_batch(trained, cut_off, SMALL)
    rows = rows_of(cut_off)
    assert report.state_seq == before
    assert "late" not in rows["user_id"]
    assert rows.head(kept.height).equals(kept)


def test_a_batch_that_was_cut_off_is_not_gone_on_with_otherwise(trained, cut_off):
    with pytest.raises(InvalidInputError, match=r"k was 3, not 4; scenario was 'home', not 'trending'"):
        run_batch(trained, cut_off, BatchOrder(k=4, scenario="trending", users_per_part=7))
    (cut_off.parent / "who.txt").write_text("u1\n")
    with pytest.raises(InvalidInputError, match="users was"):
        run_batch(trained, cut_off, SMALL, users_file=cut_off.parent / "who.txt")


def test_it_can_begin_anew(trained, cut_off):
    report = run_batch(trained, cut_off, BatchOrder(k=4, users_per_part=7), anew=True)
    assert (report.kept, rows_of(cut_off).height) == (0, 4 * len(people(trained)))


def test_two_batches_do_not_write_one_file(trained, tmp_path):
    with Fork(batch_child.main, str(trained), str(tmp_path / "a.parquet"), 1) as process:
        process.stdout.readline()
        with pytest.raises(UnavailableError, match="another batch writes this file"):
            run_batch(trained, tmp_path / "a.parquet", SMALL)


def test_several_processes_write_what_one_does(trained, tmp_path):
    now = system_clock()
    for name, processes in (("one.parquet", 1), ("two.parquet", 2)):
        run_batch(trained, tmp_path / name, SMALL, processes=processes, clock=lambda: now)
    assert rows_of(tmp_path / "one.parquet").equals(rows_of(tmp_path / "two.parquet"))


def test_who_fails_is_set_aside_and_the_others_are_answered(trained, tmp_path, monkeypatch):
    tried = Answerer.tried

    def fails_for_one(self, query, ready):
        if query.user_id == "u7":
            raise ZeroDivisionError("broken history")
        return tried(self, query, ready)

    monkeypatch.setattr(Answerer, "tried", fails_for_one)
    report = run_batch(trained, tmp_path / "all.parquet", SMALL)
    assert report.failed == 1
    assert report.errors_file
    assert "broken history" in (tmp_path / "all.parquet.errors.jsonl").read_text()
    assert "u7" not in rows_of(tmp_path / "all.parquet")["user_id"]


def test_where_people_cannot_be_scored_together_they_are_one_by_one(trained, tmp_path, monkeypatch):
    now = system_clock()
    run_batch(trained, tmp_path / "a.parquet", SMALL, clock=lambda: now)
    monkeypatch.setattr("foretaste.models.ials.IALS.score_many", lambda *_: 1 / 0)
    run_batch(trained, tmp_path / "b.parquet", SMALL, clock=lambda: now)
    first, second = rows_of(tmp_path / "a.parquet"), rows_of(tmp_path / "b.parquet")
    assert first["item_id"].equals(second["item_id"])


def test_filters_boosts_and_scenarios_are_those_of_a_question(trained, tmp_path):
    order = BatchOrder(k=2, filter=('item_id in ("i1", "i2", "i3")',), scenario="discover")
    run_batch(trained, tmp_path / "some.parquet", order)
    assert set(rows_of(tmp_path / "some.parquet")["item_id"]) <= {"i1", "i2", "i3"}


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (BatchOrder(scenario="nope"), UnknownScenarioError),
        (BatchOrder(filter=("pric <",)), InvalidQueryError),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_written(trained, tmp_path, order, error):
    with pytest.raises(error):
        run_batch(trained, tmp_path / "all.parquet", order)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "u1\n\n u2 \nu1\n"),
        ("a.csv", "name,user_id\nx,u1\ny,u2\n,\n"),
        ("a.jsonl", '{"user_id": "u1"}\n{"user_id": "u2"}\n'),
        ("a.json", '[{"user_id": "u1"}, {"user_id": "u2"}]'),
        ("a.tsv", "name\tuser_id\nx\tu1\ny\tu2\n"),
        ("a.csv", "name;user_id\nx;u1\ny;u2\n"),
        ("mark.csv", "\ufeffuser_id\nu1\nu2\n"),
        ("mark.txt", "\ufeffu1\nu2\n"),
    ],
)
def test_people_are_read_once_each_in_their_order(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert people_of(tmp_path / name) == ["u1", "u2"]


@pytest.mark.parametrize(("name", "text"), [("a.csv", "who\nu1\n"), ("a.jsonl", "{"), ("a.docx", "u1")])
def test_a_file_without_people_says_so(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInputError):
        people_of(tmp_path / name)


def test_a_folder_is_no_file_to_write_and_nobody_is_answered_for_it(trained, tmp_path):
    (tmp_path / "all.csv").mkdir()
    with pytest.raises(InvalidInputError, match="is a folder; name a file"):
        run_batch(trained, tmp_path / "all.csv", SMALL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("name", ["all.parquet", "all.csv", "all.jsonl"])
def test_a_full_disk_is_told_with_its_number_and_the_batch_goes_on_later(trained, tmp_path, name):
    out = tmp_path / name
    unfinished = tmp_path / f".{name}.partial"
    unfinished.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as full:
        run_batch(trained, out, SMALL)
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, str(unfinished))
    unfinished.unlink()
    again = run_batch(trained, out, SMALL)
    assert again.kept == again.users >= 40
    assert out.stat().st_size > 0


def test_people_who_are_not_known_are_answered_too(trained, tmp_path):
    (tmp_path / "who.txt").write_text("u3\nstranger\n")
    run_batch(trained, tmp_path / "some.parquet", SMALL, users_file=tmp_path / "who.txt")
    rows = rows_of(tmp_path / "some.parquet")
    assert rows["user_id"].unique(maintain_order=True).to_list() == ["u3", "stranger"]
    assert rows.filter(pl.col("user_id") == "stranger")["source"].unique().to_list() == ["trending"]


def people(home):
    with Recommender.open(home, read_only=True) as rec:
        return rec.users()
