"""A service's blend goes on learning; every version that served can be had again."""

import shutil

import msgspec
import pytest

import foretaste as ft
from foretaste.app.blend_log import BlendLog, record_of
from foretaste.app.home import Home
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.errors import NotFoundError
from foretaste.domain.event import Event

SETTINGS = Settings(
    sources=("popularity", "popularity_day", "transitions", "together"), blend_questions=1000.0
)
EVENTS = ft.datasets.synthetic(n_users=120, n_items=60, n_events=3000, seed=3).events
CUT = EVENTS.quantile(0.5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a home that was trained on half of the events and then met the rest."""
    directory = tmp_path_factory.mktemp("home")
    with ft.Recommender.train(EVENTS.until(CUT), items=EVENTS.items, home=directory, settings=SETTINGS):
        pass
    with open_home(directory, settings=SETTINGS) as home:
        first = home.artifact
        meet(home)
        return directory, first, home.artifact


def meet(home: Home, n: int = 1200) -> None:
    rows = EVENTS.after(CUT).frame.head(n).iter_rows(named=True)
    events = [
        Event(
            event_id=row["event_id"],
            user_id=row["user_id"],
            item_id=row["item_id"],
            type=row["type"],
            timestamp=row["timestamp"],
        )
        for row in rows
    ]
    for start in range(0, len(events), 100):
        home.log.submit(events[start : start + 100]).result()


def test_a_serving_blend_learns_from_the_events_that_come(trained):
    _, first, last = trained
    assert last.version == first.version
    assert last.blend_version != first.blend_version
    assert last.blend.sources == first.blend.sources


def test_a_blend_that_served_can_be_had_again(trained):
    directory, first, last = trained
    log = BlendLog(directory / "blends.jsonl")
    again = log.artifact_with(first, last.blend_version)
    assert again.blend_version == last.blend_version
    assert again.blend.weights.tobytes() == last.blend.weights.tobytes()
    with pytest.raises(NotFoundError, match="never served"):
        log.artifact_with(first, "another")


def test_a_restart_goes_on_from_the_last_blend(trained):
    directory, _, last = trained
    with open_home(directory, settings=SETTINGS) as home:
        assert home.artifact.blend_version == last.blend_version


def test_switched_off_what_was_trained_serves_and_nothing_learnt_is_lost(trained, tmp_path):
    directory, first, last = trained
    copied = shutil.copytree(directory, tmp_path / "home")
    with open_home(copied, settings=msgspec.structs.replace(SETTINGS, blend_questions=0.0)) as home:
        assert home.artifact.blend_version == first.blend_version
    with open_home(copied, settings=SETTINGS) as home:
        assert home.artifact.blend_version == last.blend_version


def test_what_served_at_a_moment_can_be_told(trained, tmp_path):
    log = BlendLog(tmp_path / "blends.jsonl")
    assert log.serving_at(10) is None
    _, first, last = trained
    for time, artifact in ((5, first), (7, last), (9, first)):
        log.add(record_of(artifact, (0.0,), 0, time))
    served = [log.serving_at(moment) for moment in (4, 5, 8, 9)]
    assert [record and record.blend_version for record in served] == [
        None,
        first.blend_version,
        last.blend_version,
        first.blend_version,
    ]


def test_learning_that_fails_stops_and_the_state_goes_on():
    class Fails:
        def apply(self, _events):
            raise ArithmeticError

    with ft.Recommender.train(EVENTS.until(CUT), items=EVENTS.items, settings=SETTINGS) as rec:
        keeper = rec.home._stores.keeper
        keeper.learner = Fails()
        seq = rec.home.state.seq
        meet(rec.home, 100)
        assert keeper.learner is None
        assert rec.home.state.seq == seq + 100


def test_a_line_cut_off_by_a_crash_is_passed_over(trained):
    directory, first, last = trained
    path = directory / "blends.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:50])
    try:
        assert BlendLog(path).latest(first.version).blend_version == last.blend_version
    finally:
        path.write_bytes(whole)
