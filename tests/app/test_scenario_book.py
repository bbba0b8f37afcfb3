"""Scenarios of a home: what ships, a file, what is put; changed while it serves, never for the worse."""

import logging
import os
import threading

import pytest

import foretaste as ft
from foretaste.adapters.memory.scenario_store import MemoryScenarioStore
from foretaste.app.reproducing import given_again, recorded
from foretaste.app.scenario_book import ScenarioBook
from foretaste.app.scenario_watch import ScenarioWatch
from foretaste.app.settings import Settings
from foretaste.domain.errors import InvalidInputError, UnavailableError, UnknownScenarioError
from foretaste.domain.query import Query
from foretaste.events.vocabulary import KNOWN_TYPES
from foretaste.features.expressions.compiled import compiled_boost, compiled_filter
from foretaste.models.kinds import MODEL_KINDS
from foretaste.pipeline.recipes import Around, RecipeError
from foretaste.pipeline.scenario import HOME, SHIPPED
from foretaste.testing.waiting import until
from foretaste.training.sources import usual_sources

NOW = 1_712_000_000_000_000
ITEMS = [
    {"item_id": f"i{n}", "title": f"Item {n}", "categories": ["ab"[n % 2]], "price": float(n)}
    for n in range(12)
]
EVENTS = [
    {"user_id": f"u{n % 4}", "item_id": f"i{(n * 5) % 12}", "type": "watch", "timestamp": 1_711_000_000 + n}
    for n in range(20)
]


def fill(rec):
    rec.put_items(ITEMS)
    rec.record_many(EVENTS)
    return rec


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def opened(folder):
    recs = []

    def again(**more):
        while recs:
            recs.pop().close()
        recs.append(ft.Recommender.open(folder, **more))
        return recs[-1]

    yield again
    while recs:
        recs.pop().close()


def write(folder, text):
    path = folder / "scenarios.toml"
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    if path.stat().st_mtime_ns <= before:
        os.utime(path, ns=(before + 1, before + 1))


def test_a_home_without_a_file_has_what_ships(opened):
    book = opened().home.scenario_book
    assert book.scenarios == SHIPPED
    assert set(book.shelf.origins.values()) == {"shipped"}
    assert book.complaint() is None


def test_a_file_is_read_at_the_start_and_goes_before_what_ships(folder, opened):
    write(folder, "[home]\nk = 3\n[landing]\nk = 2\n")
    rec = fill(opened())
    assert [len(rec.recommend("u1", scenario=name)) for name in ("home", "landing", "discover")] == [3, 2, 9]
    assert rec.home.scenario_book.shelf.origins["home"] == "file"


def test_a_file_that_changes_is_read_again(folder, opened):
    rec = fill(opened())
    book = rec.home.scenario_book
    assert not book.refresh()
    write(folder, "[home]\nk = 3\n")
    assert book.refresh()
    assert len(rec.recommend("u1")) == 3
    assert not book.refresh()
    (folder / "scenarios.toml").unlink()
    assert book.refresh()
    assert book.scenarios == SHIPPED


def test_a_running_service_takes_a_file_that_changes_by_itself_and_never_a_bad_one(folder, opened):
    rec = fill(opened())
    rec.home.follow(seconds=0.02)
    write(folder, "[home]\nk = 3\n")
    until(lambda: len(rec.recommend("u1")) == 3)
    write(folder, "[home]\nk = 0\n")
    assert "line 2" in until(rec.home.scenario_book.complaint)
    assert len(rec.recommend("u1")) == 3
    write(folder, "[home]\nk = 4\n")
    until(lambda: len(rec.recommend("u1")) == 4)


def test_a_file_may_begin_with_a_byte_order_mark(folder, opened):
    write(folder, "\ufeff[home]\nk = 3\n")
    assert len(fill(opened()).recommend("u1")) == 3


def test_a_bad_file_changes_nothing_and_is_complained_of_with_its_line(folder, opened, caplog):
    write(folder, "[home]\nk = 3\n")
    rec = fill(opened())
    write(folder, "[home]\nk = 4\nfilter = ['prise < 3']\n")
    with caplog.at_level(logging.ERROR):
        assert not rec.home.scenario_book.refresh()
        assert not rec.home.scenario_book.refresh()
    assert len(rec.recommend("u1")) == 3
    complaint = rec.home.scenario_book.complaint()
    assert "line 3" in complaint
    assert "did you mean price?" in complaint
    assert rec.home.condition.wrong() == (complaint,)
    assert caplog.text.count("line 3") == 1
    write(folder, "[home]\nk = 5\n")
    assert rec.home.scenario_book.refresh()
    assert rec.home.scenario_book.complaint() is None


def test_a_restart_beside_a_bad_file_goes_on_with_the_last_good_one(folder, opened):
    write(folder, "[home]\nk = 3\n")
    fill(opened())
    write(folder, "[home]\nk = 'many'\n")
    rec = opened()
    assert len(rec.recommend("u1")) == 3
    assert "line 2" in rec.home.scenario_book.complaint()


def test_a_bad_file_is_good_once_the_catalog_has_what_it_speaks_of(folder, opened):
    rec = fill(opened())
    write(folder, "[home]\nfilter = ['brand == \"acme\"']\n")
    assert not rec.home.scenario_book.refresh()
    rec.put_items([{"item_id": "new", "title": "New", "brand": "acme"}])
    assert rec.home.scenario_book.refresh()
    assert [item.item_id for item in rec.recommend("u1")] == ["new"]


def test_before_there_are_items_any_attribute_will_do(folder, opened):
    write(folder, "[home]\nfilter = ['price < 3']\n")
    rec = fill(opened())
    assert {item.item_id for item in rec.recommend(None)} == {"i0", "i1", "i2"}


def test_while_recipes_change_no_request_is_lost_and_each_answer_is_by_one_of_them(opened):
    rec = fill(opened())
    book = rec.home.scenario_book
    long = {book.scenarios["home"].version: 10}
    done = threading.Event()

    def change():
        for number in range(40):
            length = 1 + number % 5
            scenario = book.checked("home", {"k": length, "diversity_lambda": number / 100})
            long[scenario.version] = length
            book.put("home", {"k": length, "diversity_lambda": number / 100})
        done.set()

    changing = threading.Thread(target=change)
    changing.start()
    seen = set()
    while not done.is_set():
        slate = rec.recommend(None)
        assert len(slate) == long[slate.versions.scenario_version]
        seen.add(slate.versions.scenario_version)
    changing.join()
    assert len(seen) > 1


def test_what_is_put_goes_before_the_file_and_outlives_a_restart(folder, opened):
    write(folder, "[home]\nk = 3\n")
    rec = fill(opened())
    put = rec.home.scenario_book.put("home", {"k": 2})
    assert len(rec.recommend("u1")) == 2
    rec = opened()
    assert rec.home.scenarios["home"] == put
    assert rec.home.scenario_book.shelf.origins["home"] == "api"
    assert rec.home.scenario_book.delete("home").k == 3
    assert len(opened().recommend("u1")) == 3


def test_what_was_not_put_cannot_be_taken_back(opened):
    with pytest.raises(UnknownScenarioError, match="nothing was put as 'home'"):
        opened().home.scenario_book.delete("home")


def test_a_bad_recipe_is_refused_and_nothing_changes(opened):
    book = fill(opened()).home.scenario_book
    for name, recipe in {
        "home": {"diversity": 1},
        "a": {"fallback": ["b"]},
        "Bad name": {},
        "trending": {"fallback": ["home"]},
        "new": {"filter": ["prise < 1"]},
        "popular": {"rules": {"quotas": [{"each": "prise", "at_most": 1}]}},
    }.items():
        with pytest.raises(RecipeError):
            book.put(name, recipe)
    assert book.scenarios == SHIPPED


def test_what_others_speak_of_cannot_be_taken_back(opened):
    book = opened().home.scenario_book
    book.put("calm", {})
    book.put("landing", {"fallback": ["calm"]})
    with pytest.raises(RecipeError, match="'calm'"):
        book.delete("calm")
    assert book.delete("landing") is None
    assert book.delete("calm") is None


def test_a_home_opened_for_reading_takes_no_recipe(opened):
    opened()
    with pytest.raises(UnavailableError, match="for reading"):
        opened(read_only=True).home.scenario_book.put("home", {})


def test_who_only_reads_tells_of_a_bad_file_too(folder, opened):
    opened()
    home = opened(read_only=True).home
    assert home.condition.wrong() == ()
    write(folder, "[home]\nk = 0\n")
    (wrong,) = home.condition.wrong()
    assert "line 2" in wrong


def test_settings_change_what_ships_and_name_another_file(tmp_path, opened):
    other = tmp_path / "other.toml"
    other.write_text("[discover]\nk = 4\n")
    settings = Settings(diversity_threshold=0.4, scenarios_file=str(other))
    scenarios = opened(settings=settings).home.scenarios
    assert (scenarios["home"].diversity_threshold, scenarios["trending"].diversity_threshold) == (0.4, 0.0)
    assert (scenarios["discover"].k, scenarios["discover"].diversity_threshold) == (4, 0.4)


def test_other_settings_hold_for_a_home_that_was_there_before(opened):
    fill(opened())
    home = opened(settings=Settings(diversity_threshold=0.4)).home
    assert home.answerer.ready("home").scenario.diversity_threshold == 0.4
    slate = home.answerer.recommend(Query(now=NOW, seed=1, user_id="u1"))
    assert home.scenario_records.named(slate.versions.scenario_version) is not None


def test_a_file_that_the_settings_name_must_be_there(tmp_path, opened):
    home = opened(settings=Settings(scenarios_file=str(tmp_path / "none.toml"))).home
    assert home.scenarios == SHIPPED
    assert "none.toml: the file cannot be read" in home.scenario_book.complaint()


def test_where_a_file_and_what_was_put_do_not_go_together_what_was_good_goes_on(folder, opened):
    book = opened().home.scenario_book
    write(folder, "[calm]\nk = 2\n")
    assert book.refresh()
    book.put("landing", {"fallback": ["calm"]})
    (folder / "scenarios.toml").unlink()
    assert not book.refresh()
    assert "calm" in book.scenarios
    assert "'calm'" in book.complaint()
    again = opened().home.scenario_book
    assert again.scenarios == SHIPPED
    assert "'calm'" in again.complaint()


def test_a_past_answer_is_given_again_by_the_recipe_it_was_given_with(folder, opened):
    long = Settings(exposure_days=100_000.0)
    write(folder, "[home]\nk = 3\nfilter = ['price > 4']\n")
    rec = fill(opened(settings=long))
    shown = [rec.recommend(user, now=NOW).recommendation_id for user in ("u1", "u2", None)]
    rec.home.scenario_book.put("home", {"k": 5, "boost": ["price > 2 : 2"]})
    shown += [rec.recommend("u1", now=NOW).recommendation_id]
    shown += [rec.recommend("u1", scenario="cart", item_ids=["i3", "i4"], now=NOW).recommendation_id]
    shown += [rec.recommend("u1", scenario="because-you-watched", now=NOW).recommendation_id]
    (folder / "scenarios.toml").unlink()
    rec = opened(settings=long)
    rec.home.scenario_book.delete("home")
    again = list(given_again(rec.home, [recorded(rec.home, name) for name in shown]))
    assert len(again) == len(shown)
    assert all(found.identical for _, found in again)
    versions = {exposure.versions.scenario_version for exposure, _ in again}
    assert len(versions) == 4


def test_kept_answers_are_not_given_once_the_recipe_is_another(opened):
    rec = fill(opened(settings=Settings(answer_cache="memory")))
    first, again = rec.recommend("u1"), rec.recommend("u1")
    assert (first.source == "cache", again.source) == (False, "cache")
    for weight in (0.7, 0.6):
        rec.home.scenario_book.put("home", {"k": 10, "diversity_lambda": weight})
        assert [rec.recommend("u1").source == "cache" for _ in range(2)] == [False, True]
    rec.home.scenario_book.delete("home")
    assert rec.recommend("u1").versions.scenario_version == first.versions.scenario_version


class Shop:
    """A book on a store that others share."""

    def __init__(self, store, path=None):
        self.served = []
        watch = ScenarioWatch(path, None, lambda: 0, writable=True)
        around = Around(
            sources=usual_sources(effort="best").keys() | MODEL_KINDS.keys(),
            types=KNOWN_TYPES,
            check=lambda kind, text: compiled_filter(text) if kind == "filter" else compiled_boost(text),
        )
        self.book = ScenarioBook(
            {"home": HOME, **SHIPPED},
            store,
            watch,
            around=lambda: around,
            serve=self.served.append,
            clock=lambda: NOW,
            writable=True,
        )


def test_what_one_replica_is_told_the_others_take_over():
    store = MemoryScenarioStore()
    one, other = Shop(store), Shop(store)
    one.book.put("home", {"k": 4, "consumed": ["watch"]})
    assert other.book.scenarios["home"].k == 10
    assert other.book.refresh()
    assert other.book.scenarios["home"].k == other.served[-1]["home"].k == 4
    one.book.delete("home")
    assert other.book.refresh()
    assert other.book.scenarios == SHIPPED
    assert not other.book.refresh()


def test_every_recipe_that_answers_is_recorded_once():
    store = MemoryScenarioStore()
    Shop(store)
    shop = Shop(store)
    shop.book.put("home", {"k": 4, "consumed": ["watch"]})
    shop.book.delete("home")
    noted = [record.version for record in store.records() if record.recipe is not None]
    assert len(noted) == len(set(noted)) == len(SHIPPED) + 1
    assert all(shop.book.recipe(version).version == version for version in noted)
    assert shop.book.recipe("never") is None


def test_where_recipes_cannot_be_recorded_answers_go_on(caplog):
    class Full(MemoryScenarioStore):
        def append(self, _records):
            raise UnavailableError("the disk is full")

    shop = Shop(Full())
    assert shop.served[-1] == SHIPPED
    assert "cannot be given again" in caplog.text
    with pytest.raises(UnavailableError):
        shop.book.put("home", {"k": 4, "consumed": ["watch"]})
    assert shop.book.scenarios["home"].k == 10


def test_a_recipe_of_another_release_that_cannot_be_read_leaves_the_rest(caplog):
    store = MemoryScenarioStore()
    Shop(store).book.put("landing", {"consumed": ["watch"]})
    (record,) = store.standing().values()
    store.append([type(record)(time=1, name="odd", version="x", put=True, recipe={"future": 1})])
    shop = Shop(store)
    assert "landing" in shop.book.scenarios
    assert "'odd'" in shop.book.complaint()
    assert "odd" in caplog.text


def test_an_unusable_recipe_is_an_input_error():
    assert issubclass(RecipeError, InvalidInputError)
