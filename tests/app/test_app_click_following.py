"""While a model serves, its ranker goes on hearing what is shown and clicked."""

import shutil
import sqlite3
import time
from itertools import pairwise

import pytest
from slate_home import N_PEOPLE, SETTINGS, a_home_with_slates, a_slate, an_event

import foretaste as ft
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.batch.answering import PartAnswerer
from foretaste.app.batch.plan import BatchManifest, BatchOrder, pinned
from foretaste.app.click_following import SETTLE_SECONDS, ClickFollowing
from foretaste.app.learning import train_home
from foretaste.app.processes.page import SharedPage
from foretaste.app.processes.wiring import Meeting, open_keeper, open_reader
from foretaste.app.reproducing import PastHome, given_again
from foretaste.app.stores import state_config
from foretaste.app.wiring import open_home
from foretaste.domain.errors import NotDurableError, UnavailableError
from foretaste.domain.item import Item
from foretaste.domain.query import Query
from foretaste.domain.slate import ClickEdition
from foretaste.testing.waiting import until
from foretaste.training import click_log

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
PAIR = ("new0", "new1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = a_home_with_slates(tmp_path_factory.mktemp("slates") / "home")
    with open_home(directory, settings=SETTINGS) as home:
        home.put_items([Item(item_id=name, text="calm loud") for name in PAIR])
        train_home(home, effort="quick")
        assert home.artifact.ranker is not None
    return directory


@pytest.fixture
def home(trained, tmp_path):
    with open_home(shutil.copytree(trained, tmp_path / "home"), settings=SETTINGS) as opened:
        yield opened


@pytest.fixture
def began(home):
    return home.artifact.ranker.knowledge.until


def following(home, now, seconds=60.0):
    weights = state_config(home.settings).weights
    home.click_following = ClickFollowing(home, seconds=seconds, weights=weights, clock=lambda: now)
    return home.click_following


def show_and_click(home, begin, clicked="new0", people=range(N_PEOPLE), pair=PAIR):
    """Show everybody the new items with an old one, and let them click one."""
    home.log.submit([an_event("somebody", name, "impression", begin) for name in pair]).result()
    shown = tuple(home.id_map.ordinal("item", name) for name in (*pair, "i1"))
    for user in people:
        now = begin + (1 + user) * SECOND // 4
        home.exposures.record(a_slate(f"later-{begin}-{user}", f"u{user}", now, shown))
    clicks = [an_event(f"u{user}", clicked, "click", begin + 40 * SECOND) for user in people]
    home.log.submit(clicks).result()


def answer(home, now, user="u3"):
    return home.answerer.recommend(Query(user_id=user, now=now, seed=1, k=100))


def rank_of(slate, item_id):
    return [place.item_id for place in slate.items].index(item_id)


@pytest.mark.parametrize("young", [False, True], ids=["known in training", "younger than the ranker"])
@pytest.mark.parametrize("clicked", PAIR)
def test_what_others_click_goes_up_without_training(home, began, clicked, young):
    other = next(name for name in PAIR if name != clicked)
    if young:
        home.delete_items(PAIR)
        clicked, other = f"young {clicked}", f"young {other}"
        home.put_items([Item(item_id=name, text="calm loud") for name in (clicked, other)])
    now = began + HOUR
    before = answer(home, now)
    others = [user for user in range(N_PEOPLE) if user != 3]
    show_and_click(home, began + MINUTE, clicked, people=others, pair=(clicked, other))
    assert following(home, now).refresh()
    after = answer(home, now, "u3")
    assert rank_of(after, clicked) < rank_of(after, other)
    assert rank_of(after, clicked) <= rank_of(before, clicked)
    assert before.versions.clicks is None
    assert after.versions.clicks == ClickEdition(
        until=(now - 5 * SECOND) // MINUTE * MINUTE, seq=home.log.last_seq(), people=N_PEOPLE + 1
    )


def test_looks_and_clicks_are_added_to_what_was_learnt_from(home, began):
    show_and_click(home, began + MINUTE)
    following(home, began + HOUR).refresh()
    learnt, fresh = home.artifact.ranker.knowledge, home.clicks.ranker.knowledge
    first, second, old = home.id_map.find("item", [*PAIR, "i1"]).tolist()
    added = fresh.rates.clicks[: len(learnt.rates.clicks)] - learnt.rates.clicks
    assert added[first] == N_PEOPLE == added.sum()
    looks = fresh.rates.looks[: len(learnt.rates.looks)] - learnt.rates.looks
    places = N_PEOPLE * learnt.look[:3]
    assert looks[[first, second, old]] == pytest.approx(places)
    assert fresh.rates.rate[first] > 0.5 > learnt.rates.rate[first]


def test_what_is_not_yet_settled_waits_for_a_later_edition(home, began):
    end = (began // MINUTE + 3) * MINUTE
    show_and_click(home, end - MINUTE)
    item = home.id_map.ordinal("item", "new0")
    for seconds, clicks in ((-1, 0), (1, N_PEOPLE)):
        at = following(home, end + round((SETTLE_SECONDS + seconds) * SECOND))
        assert at.refresh()
        assert not at.refresh()
        assert home.clicks.ranker.knowledge.rates.clicks[item] == clicks


def test_answers_are_given_again_by_what_was_known_then(home, began):
    names = []
    for step in range(1, 5):
        show_and_click(home, began + step * 5 * MINUTE, PAIR[step % 2], people=range(step, N_PEOPLE, 3))
        now = began + step * 5 * MINUTE + 3 * MINUTE
        if step == 1:
            follower = following(home, now)
        follower._clock = lambda now=now: now
        assert follower.refresh()
        names += [answer(home, now, f"u{user}").recommendation_id for user in (1, 2)]
    directory = home.directory
    home.close()
    with open_home(directory, settings=SETTINGS) as again:
        records = [again.exposures.get(name) for name in names]
        assert len({record.versions.clicks for record in records}) == 4
        assert all(found.identical for _, found in given_again(again, records))


def test_a_change_of_clicks_alone_would_be_noticed(home, began):
    """What is given again hangs on the edition: with another one it differs."""
    show_and_click(home, began + MINUTE)
    follower = following(home, began + HOUR)
    follower.refresh()
    slate = answer(home, began + HOUR)
    home.click_following.fresh = None
    assert [place.score for place in answer(home, began + HOUR).items] != [p.score for p in slate.items]


def test_zero_seconds_never_count(home, began):
    show_and_click(home, began + MINUTE)
    follower = following(home, began + HOUR, seconds=0.0)
    follower.follow()
    assert not follower.refresh()
    assert answer(home, began + HOUR).versions.clicks is None


def test_a_model_trained_since_begins_from_what_it_learnt_itself(home, began):
    show_and_click(home, began + MINUTE)
    follower = following(home, began + HOUR)
    follower.refresh()
    report = train_home(home, effort="quick")
    assert "the ranker orders" in report.ranker
    assert answer(home, began + HOUR).versions.clicks is None
    assert follower.refresh()
    item = home.id_map.ordinal("item", "new0")
    learnt = home.artifact.ranker.knowledge
    assert learnt.rates.clicks[item] == N_PEOPLE == home.clicks.ranker.knowledge.rates.clicks[item]
    assert answer(home, began + HOUR).versions.clicks is not None


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("flush", NotDurableError("the disk is full; free some")),
        ("between", sqlite3.OperationalError("disk I/O error")),
    ],
    ids=["nothing is written", "nothing is read"],
)
def test_while_the_store_is_away_the_ranker_goes_by_what_it_knew(
    home, began, call, error, monkeypatch, caplog
):
    follower = following(home, began + HOUR)

    def refused(*_asked):
        raise error

    show_and_click(home, began + MINUTE)
    monkeypatch.setattr("foretaste.app.click_following.LOOK_SECONDS", 0.01)
    with monkeypatch.context() as away:
        away.setattr(home.exposures, call, refused)
        follower.follow()
        until(lambda: str(error) in caplog.text)
        assert home.clicks is None
    until(lambda: home.clicks is not None)


def test_after_a_clock_was_set_back_what_is_shown_then_counts(home, began):
    follower = following(home, began + 5 * HOUR)
    follower.refresh()
    follower._clock = lambda: began + HOUR
    show_and_click(home, began + MINUTE)
    assert follower.refresh()
    item = home.id_map.ordinal("item", "new0")
    assert home.clicks.ranker.knowledge.rates.clicks[item] == N_PEOPLE


def test_many_answers_given_again_read_what_was_shown_once(home, began, monkeypatch):
    read, windows = home.exposures.between, []

    def noted(since, before):
        windows.append((since, before))
        return read(since, before)

    monkeypatch.setattr(home.exposures, "between", noted)
    past, ranker = home.click_following.past(), home.artifact.ranker
    editions = [ClickEdition(until=began + step * MINUTE, seq=10**9, people=9) for step in (1, 3, 4)]
    for edition in editions:
        assert past(home.artifact, edition).edition == edition
    assert windows == list(pairwise([ranker.knowledge.until, *(edition.until for edition in editions)]))
    assert past(home.artifact, editions[0]).edition == editions[0]
    assert windows[-1] == windows[0]


@pytest.mark.parametrize("read_only", [False, True])
def test_in_python_clicks_are_heard_too(home, began, monkeypatch, read_only):
    show_and_click(home, began + MINUTE)
    item, directory = home.id_map.ordinal("item", "new0"), home.directory
    home.close()
    monkeypatch.setattr("foretaste.app.click_following.LOOK_SECONDS", 0.01)
    with ft.Recommender.open(directory, settings=SETTINGS, read_only=read_only) as rec:
        clicks = until(lambda: rec.home.clicks)
        assert clicks.ranker.knowledge.rates.clicks[item] == N_PEOPLE


def test_what_fails_half_way_is_counted_once(home, began, monkeypatch):
    show_and_click(home, began + MINUTE)
    follower, read = following(home, began + HOUR), home.exposures.between

    def cut_off(since, before):
        yield from list(read(since, before))[:10]
        raise UnavailableError("the database is away")

    with monkeypatch.context() as away:
        away.setattr(click_log, "AT_ONCE", 4)
        away.setattr(home.exposures, "between", cut_off)
        with pytest.raises(UnavailableError):
            follower.refresh()
    assert follower.refresh()
    item = home.id_map.ordinal("item", "new0")
    trained, fresh = home.clicks.trained.knowledge, home.clicks.ranker.knowledge
    assert fresh.rates.looks[item] == pytest.approx(N_PEOPLE * trained.look[0])


def test_a_home_that_is_closed_reads_no_further(home, began, monkeypatch):
    show_and_click(home, began + MINUTE)
    follower, read, asked = following(home, began + HOUR), home.exposures.between, []

    def endless(since, before):
        while True:
            yield from read(since, before)
            asked.append(1)

    monkeypatch.setattr(home.exposures, "between", endless)
    monkeypatch.setattr("foretaste.app.click_following.LOOK_SECONDS", 0.01)
    follower.follow()
    until(lambda: asked)
    follower.close()
    assert home.clicks is None


def test_people_answered_all_at_once_get_what_they_would_get_alone(home, began):
    show_and_click(home, began + MINUTE)
    now = began + HOUR
    following(home, now).refresh()
    live, order = answer(home, now), BatchOrder(k=100)
    with open_home(home.directory, settings=SETTINGS, read_only=True) as reader:
        pin = pinned(reader, order, now)
        together = PartAnswerer(reader, BatchManifest(order=order, pin=pin, n_users=1))
        (slate,) = together.answer(0, ["u3"]).slates
    assert slate.versions.clicks == pin.clicks == live.versions.clicks is not None
    assert [(one.item_id, one.score) for one in slate.items] == [
        (one.item_id, pytest.approx(one.score, abs=1e-6)) for one in live.items
    ]


def test_a_past_moment_knows_the_clicks_before_it(home):
    now = time.time_ns() // 1_000
    show_and_click(home, now + MINUTE)
    item = home.id_map.ordinal("item", "new0")
    known = [PastHome(home, now + minutes * MINUTE).clicks for minutes in (0, 30)]
    assert [clicks.ranker.knowledge.rates.clicks[item] for clicks in known] == [0, N_PEOPLE]


def test_the_processes_of_a_service_know_the_same(trained, tmp_path):
    directory, meeting = shutil.copytree(trained, tmp_path / "home"), Meeting(tmp_path / "meeting")
    meeting.folder.mkdir()
    page = SharedPage.create(meeting.page)
    with (
        open_keeper(directory, SETTINGS, MemoryTelemetry(), page, meeting) as keeper,
        open_reader(directory, SETTINGS, MemoryTelemetry(), SharedPage(meeting.page), meeting, 0) as reader,
    ):
        keeper.refresh()
        began = keeper.artifact.ranker.knowledge.until
        show_and_click(keeper, began + MINUTE)
        keeper.exposures.flush()
        reader.refresh()
        reader.catch_up(None)
        for home in (keeper, reader):
            assert following(home, began + HOUR).refresh()
        known = [home.clicks.ranker.knowledge.rates for home in (keeper, reader)]
        assert keeper.clicks.edition == reader.clicks.edition
        assert known[0].clicks.sum() > keeper.artifact.ranker.knowledge.rates.clicks.sum()
        assert known[0].rate.tobytes() == known[1].rate.tobytes()
