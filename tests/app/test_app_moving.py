"""A deployment moves with all that it holds, and answers as before."""

import gzip

import pytest

import foretaste as ft
from foretaste.app import moving
from foretaste.app.moving import export_home, import_home
from foretaste.app.settings import Settings
from foretaste.app.wiring import home_in_memory, open_home
from foretaste.domain.errors import CorruptDataError, InvalidInputError, NotFoundError

NOW = 1_712_000_000_000_000
SETTINGS = Settings(exposure_days=100_000.0, sources=("popularity", "transitions", "content", "ials"))


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A home with a model, awkward ids, a deleted item, people, and answers that were shown."""
    shop = ft.datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3)
    home = tmp_path_factory.mktemp("moving") / "home"
    with ft.Recommender.train(
        shop.events, items=shop.events.items, home=home, settings=SETTINGS, seed=1
    ) as rec:
        rec.put_items([{"item_id": "🦊/ \n", "title": "Fox", "vector": [0.5] * 8, "price": 0.1}])
        rec.record(user_id="ünï", item_id="🦊/ \n", type="rating", value=0.1, context={"device": "phone"})
        rec.delete_items(["i7"])
        rec.add_users({"u1": {"country": "FR", "age": 33}})
        for user in ("u1", "u2", "ünï"):
            rec.recommend(user, now=NOW)
        rec.home.scenario_book.put("landing", {"k": 3, "title": "Hello"})
    return home


@pytest.fixture
def exported(lived_in, tmp_path):
    with open_home(lived_in, settings=SETTINGS, read_only=True, with_model=False) as home:
        export_home(home, tmp_path / "out")
    return tmp_path / "out"


def slates(home):
    with ft.Recommender.open(home, settings=SETTINGS) as rec:
        return [
            [
                (place.item_id, place.score, place.match, place.reason)
                for place in rec.recommend(user, now=NOW)
            ]
            for user in ("u1", "u2", "u3", "ünï", "nobody")
        ]


def test_what_was_moved_answers_as_before(lived_in, exported, tmp_path):
    with open_home(tmp_path / "new", settings=SETTINGS, create=True, with_model=False) as home:
        moved = import_home(home, exported)
    assert (moved.events, moved.people, moved.exposures, moved.models) == (1_501, 1, 3, 1)
    assert slates(tmp_path / "new") == slates(lived_in)


def test_scenarios_that_were_put_move_too(exported, tmp_path):
    with open_home(tmp_path / "new", settings=SETTINGS, create=True, with_model=False) as home:
        import_home(home, exported)
        assert home.scenarios["landing"].title == "Hello"
        assert home.scenario_book.shelf.origins["landing"] == "api"


def test_there_and_back_is_the_same_export(exported, tmp_path):
    with open_home(tmp_path / "new", settings=SETTINGS, create=True, with_model=False) as home:
        import_home(home, exported)
        export_home(home, tmp_path / "again")
    for kind in ("ids-user", "ids-item", "ids-type", "events", "people", "exposures"):
        name = f"{kind}-00000.jsonl.gz"
        assert content(tmp_path / "again" / name) == content(exported / name)


def content(path):
    with gzip.open(path) as file:
        return file.read()


def test_a_past_answer_is_still_known_after_the_move(lived_in, exported, tmp_path):
    with open_home(lived_in, settings=SETTINGS, read_only=True, with_model=False) as home:
        shown = [exposure.recommendation_id for exposure in home.exposures.read()]
    with open_home(tmp_path / "new", settings=SETTINGS, create=True, with_model=False) as home:
        import_home(home, exported)
        assert [home.exposures.get(name).recommendation_id for name in shown] == shown


def test_a_deleted_item_stays_deleted(exported, tmp_path):
    with open_home(tmp_path / "new", settings=SETTINGS, create=True) as home:
        import_home(home, exported)
        place = int(home.id_map.find("item", ["i7"])[0])
        assert home.catalog_columns.deleted[place]


def test_an_import_that_was_cut_off_can_be_run_again(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(moving, "_import_items", stop)
    with open_home(tmp_path / "new", settings=SETTINGS, create=True, with_model=False) as home:
        with pytest.raises(KeyboardInterrupt):
            import_home(home, exported)
        monkeypatch.undo()
        assert import_home(home, exported).events == 1_501
        assert home.log.last_seq() == 1_501


def stop(*_):
    raise KeyboardInterrupt


def test_a_home_that_holds_something_else_is_refused(exported):
    with home_in_memory() as home:
        ft.Recommender(home).record(user_id="other", item_id="x", type="click")
        with pytest.raises(InvalidInputError, match="other user ids"):
            import_home(home, exported)


def test_a_damaged_file_is_noticed_before_anything_is_taken(exported):
    path = exported / "events-00000.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-10])
    with home_in_memory() as home, pytest.raises(CorruptDataError, match="events-00000"):
        import_home(home, exported)
    assert home.log.last_seq() == 0


def test_a_folder_without_an_export_and_one_that_is_there_are_refused(lived_in, exported, tmp_path):
    with home_in_memory() as home, pytest.raises(NotFoundError, match="manifest"):
        import_home(home, tmp_path)
    with (
        open_home(lived_in, settings=SETTINGS, read_only=True, with_model=False) as home,
        pytest.raises(InvalidInputError, match="there already"),
    ):
        export_home(home, exported)


def test_streams_are_read_on_from_where_they_were(tmp_path):
    reached = {"kafka:events:1/0": 17, "outbox:x/0": 3}
    with open_home(tmp_path / "old", settings=SETTINGS, create=True) as home:
        ft.Recommender(home).record(user_id="u", item_id="i", type="click")
        home.log.submit([], reached=reached).result(10)
        export_home(home, tmp_path / "out")
    with open_home(tmp_path / "new", settings=SETTINGS, create=True) as home:
        import_home(home, tmp_path / "out")
        assert home.log.reached() == reached
