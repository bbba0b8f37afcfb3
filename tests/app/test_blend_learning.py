"""A service's blend goes on learning; every version that served can be had again."""

import gc
import shutil
import weakref

import msgspec
import pytest

import foretaste as ft
from foretaste.adapters.files.blend_store import FileBlendStore
from foretaste.adapters.memory.blend_store import MemoryBlendStore
from foretaste.app.blend_records import artifact_served
from foretaste.app.blend_shared import SharedBlend
from foretaste.app.home import Home
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.errors import NotFoundError
from foretaste.domain.event import Event
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State, StateConfig
from foretaste.pipeline.online_blend import OnlineBlend, Surround

SETTINGS = Settings(
    sources=("popularity", "popularity_day", "transitions", "together"), blend_questions=1000.0
)
EVENTS = ft.datasets.synthetic(n_users=120, n_items=60, n_events=3000, seed=3).events
CUT = EVENTS.quantile(0.5)


@pytest.fixture(scope="module")
def untaught(tmp_path_factory):
    """Return a home that was trained on half of the events."""
    directory = tmp_path_factory.mktemp("home")
    with ft.Recommender.train(EVENTS.until(CUT), items=EVENTS.items, home=directory, settings=SETTINGS):
        return directory


@pytest.fixture(scope="module")
def trained(untaught, tmp_path_factory):
    """Return a home that was trained on half of the events and then met the rest."""
    directory = shutil.copytree(untaught, tmp_path_factory.mktemp("met") / "home")
    with open_home(directory, settings=SETTINGS) as home:
        first = home.artifact
        meet(home)
        return directory, first, home.artifact


def meet(home: Home, n: int = 1200, after: int = 0) -> None:
    rows = EVENTS.after(CUT).frame[after : after + n].iter_rows(named=True)
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
    store = FileBlendStore(directory / "blends.jsonl")
    again = artifact_served(store, first, last.blend_version)
    assert again.blend_version == last.blend_version
    assert again.blend.weights.tobytes() == last.blend.weights.tobytes()
    with pytest.raises(NotFoundError, match="never served"):
        artifact_served(store, first, "another")


def test_a_restart_goes_on_from_the_last_blend(trained):
    directory, _, last = trained
    with open_home(directory, settings=SETTINGS) as home:
        assert home.artifact.blend_version == last.blend_version


@pytest.mark.parametrize("pause", [7, 633, 1100])
def test_a_restart_between_two_steps_changes_nothing(trained, untaught, tmp_path, pause):
    _, _, last = trained
    home = shutil.copytree(untaught, tmp_path / "home")
    with open_home(home, settings=SETTINGS) as opened:
        meet(opened, pause)
    with open_home(home, settings=SETTINGS) as opened:
        meet(opened, 1200 - pause, after=pause)
        assert opened.artifact.blend_version == last.blend_version


def test_switched_off_what_was_trained_serves_and_nothing_learnt_is_lost(trained, tmp_path):
    directory, first, last = trained
    copied = shutil.copytree(directory, tmp_path / "home")
    with open_home(copied, settings=msgspec.structs.replace(SETTINGS, blend_questions=0.0)) as home:
        assert home.artifact.blend_version == first.blend_version
    with open_home(copied, settings=SETTINGS) as home:
        assert home.artifact.blend_version == last.blend_version


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


def test_a_line_cut_off_by_a_crash_is_passed_over_and_nothing_after_it_is_lost(trained, tmp_path):
    directory, first, last = trained
    whole = (directory / "blends.jsonl").read_bytes()
    path = tmp_path / "blends.jsonl"
    path.write_bytes(whole + whole.splitlines()[-1][:50])
    store = FileBlendStore(path)
    latest = store.standing(first.version, 2**62)[-1]
    assert latest.blend_version == last.blend_version
    following = msgspec.structs.replace(latest, number=latest.number + 1)
    assert store.agree(following) == following
    assert store.standing(first.version, 2**62)[-1] == following


def test_who_was_merged_into_somebody_is_asked_about_as_that_person(untaught, tmp_path):
    learnt = []
    for name in ("u1", "u2"):
        home = shutil.copytree(untaught, tmp_path / name)
        with ft.Recommender.open(home, settings=SETTINGS) as rec:
            rec.merge_users("u2", "u1")
            for n in range(80):
                rec.record(
                    user_id=name,
                    item_id=f"i{n % 50}",
                    type="purchase",
                    event_id=f"later-{n}",
                    timestamp=1_750_000_000_000_000 + n * 1_000_000,
                )
            learnt.append(rec.home._stores.keeper.learner.learnt())
    one, other = learnt
    assert one["slope"].any()
    assert {name: array.tolist() for name, array in one.items()} == {
        name: array.tolist() for name, array in other.items()
    }


def test_what_learns_beside_others_goes_with_its_models_when_another_takes_its_place(trained):
    _, artifact, _ = trained
    state, around = State(StateConfig(), tuple), Surround(CatalogColumns.empty, tuple, tuple)

    def learner(changed, asked):
        return OnlineBlend(state, artifact, around, changed=changed, asked=asked)

    shared = SharedBlend(MemoryBlendStore(), artifact, learner, lambda _artifact: None, clock=lambda: 0)
    gone = weakref.ref(shared)
    gc.disable()
    try:
        del shared
        assert gone() is None
    finally:
        gc.enable()
