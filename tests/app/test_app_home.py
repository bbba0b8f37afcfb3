"""A home: the champion that serves, swapped without a pause; the catalog followed."""

import logging
import shutil

import pytest

import foretaste as ft
from foretaste.app.grievance import Grievance
from foretaste.app.learning import train_home
from foretaste.app.wiring import home_in_memory, home_registry, open_home
from foretaste.domain.errors import NotFoundError, UnavailableError
from foretaste.domain.item import Item
from foretaste.testing.waiting import until


@pytest.fixture(scope="module")
def two_models(tmp_path_factory):
    """A home with a champion, and a challenger of another seed."""
    directory = tmp_path_factory.mktemp("two") / "home"
    events = ft.datasets.synthetic(n_users=30, n_items=20, n_events=800, seed=1).events
    with ft.Recommender.train(events, home=directory) as rec:
        train_home(rec.home, seed=99, publish=False)
    return directory


@pytest.fixture
def directory(two_models, tmp_path):
    return shutil.copytree(two_models, tmp_path / "home")


def test_the_champion_serves_after_opening(directory):
    aliases = home_registry(directory).aliases()
    with open_home(directory) as home:
        assert home.artifact.version == aliases["champion"] != aliases["challenger"]


def test_a_running_home_takes_the_new_champion(directory):
    with open_home(directory) as home:
        home.follow(seconds=0.02)
        first = home.artifact.version
        registry = home_registry(directory)
        registry.promote(registry.aliases()["challenger"])
        until(lambda: home.artifact.version != first)
        registry.rollback()
        until(lambda: home.artifact.version == first)


def test_a_damaged_new_champion_leaves_the_old_one_serving(directory, caplog):
    registry = home_registry(directory)
    challenger = registry.aliases()["challenger"]
    manifest = next((directory / "models").rglob(f"{challenger}/*.safetensors"))
    with open_home(directory) as home:
        first = home.artifact.version
        registry.promote(challenger)
        manifest.write_bytes(b"")
        home.follow(seconds=0.02)
        until(lambda: "the old one goes on" in caplog.text)
        assert home.artifact.version == first
        (said,) = home.condition.wrong()
        assert challenger in said
        registry.promote(first)
        until(lambda: not home.condition.wrong())


def test_what_goes_wrong_again_and_again_is_said_once(caplog):
    grievance = Grievance(logging.getLogger("foretaste"))
    for reason in (
        UnavailableError("gone"),
        UnavailableError("gone"),
        OSError("full"),
        None,
        OSError("full"),
    ):
        with grievance.heard("it goes on"):
            if reason is not None:
                raise reason
    said = [record.getMessage() for record in caplog.records]
    assert said == ["it goes on: gone", "it goes on: full", "it goes on: full"]


def test_training_works_beside_the_process_that_owns_the_home(directory):
    with open_home(directory) as owner:
        with open_home(directory, read_only=True) as reader:
            report = train_home(reader, seed=5)
        assert owner.artifact.version != report.version
        assert owner.refresh()
        assert owner.artifact.version == report.version
        assert not owner.refresh()


def test_one_process_owns_a_home(directory):
    with open_home(directory), pytest.raises(UnavailableError, match="in use by process"):
        open_home(directory)


def test_a_closed_home_can_be_opened_again(directory):
    open_home(directory).close()
    with open_home(directory) as home:
        assert home.state.seq == 800


def test_the_catalog_of_a_restart_is_that_of_before(directory):
    with open_home(directory) as home:
        home.put_items([Item(item_id="new", title="New"), Item(item_id="old", title="Old")])
        home.delete_items(["old"])
        version = home.catalog_columns.version
    with open_home(directory) as home:
        assert home.catalog_columns.version == version
        new, old = home.id_map.find("item", ["new", "old"])
        assert home.catalog_columns.item(int(new)).title == "New"
        assert home.catalog_columns.deleted[old]


def test_putting_nothing_changes_nothing():
    with home_in_memory() as home:
        assert home.put_items([]) == 0


def test_there_are_no_models_where_there_is_no_home(tmp_path):
    with pytest.raises(NotFoundError):
        home_registry(tmp_path / "absent")
