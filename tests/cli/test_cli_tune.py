"""`tune` and `models show` on a small shop."""

import pytest
from typer.testing import CliRunner

from foretaste.app import datasets
from foretaste.app.cli import app


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with enough events to ask 200 questions."""
    folder = tmp_path_factory.mktemp("tune")
    events = datasets.synthetic(n_users=150, n_items=80, n_events=5_000, seed=3).events
    events.to_polars().write_parquet(folder / "log.parquet")
    arguments = ["ingest", "events", str(folder / "log.parquet"), "--home", str(folder / "home")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    return folder / "home"


def test_tune_trains_a_model_and_the_manifest_keeps_the_trials(foretaste, home, monkeypatch):
    monkeypatch.setenv("FORETASTE_SOURCES", "popularity,transitions,content")
    report = foretaste("tune", "--home", home, "--trials", "9", "--json").json
    assert len(report["tuning"]["trials"]) == 9
    shown = foretaste("models", "show", report["version"], "--home", home, "--json").json
    assert shown["trials"] == report["tuning"]["trials"]
    assert shown["tuned"] == report["tuning"]["chosen"]
    words = foretaste("models", "show", report["version"], "--home", home).out
    assert report["version"] in words
    assert "9 trials" in words


def test_a_version_that_is_not_there_cannot_be_shown(foretaste, home):
    outcome = foretaste("models", "show", "never", "--home", home)
    assert outcome.code == 3
    assert "never" in outcome.err


def test_an_effort_that_does_not_exist_is_refused(foretaste, home):
    assert foretaste("train", "--home", home, "--effort", "heroic").code == 2
