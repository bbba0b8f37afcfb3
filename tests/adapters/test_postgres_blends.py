"""Replicas on one PostgreSQL serve one blend, whenever they started."""

import shutil
from contextlib import ExitStack, closing

import pytest

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.errors import UnavailableError
from foretaste.domain.event import Event
from foretaste.domain.query import Query
from foretaste.testing.postgres_sites import PostgresSite

EVENTS = ft.datasets.synthetic(n_users=80, n_items=50, n_events=4000, seed=3).events
CUT = EVENTS.quantile(0.3)
LATER = EVENTS.after(CUT).frame
NOW = 1_800_000_000_000_000


@pytest.fixture(scope="module")
def site(postgres):
    with closing(PostgresSite(postgres)) as opened:
        yield opened


@pytest.fixture(scope="module")
def settings(site, postgres):
    return Settings(
        database_url=postgres,
        database_schema=site.schema,
        database_connections=3,
        database_answer_seconds=30.0,
        database_write_seconds=60.0,
        sources=("popularity", "popularity_day", "transitions", "together"),
        blend_questions=1000.0,
    )


class Replicas:
    """Replicas that start one after the other, each with the same model in a folder of its own."""

    def __init__(self, trained, folder, settings, stack):
        self.homes = []
        self.open = lambda: self.homes.append(
            stack.enter_context(
                open_home(
                    shutil.copytree(trained, folder / str(len(self.homes)), dirs_exist_ok=True),
                    settings=settings,
                )
            )
        )

    def agree(self):
        """Return the blend version that all serve now, once each has followed the log to its end."""
        for home in self.homes:
            assert home.catch_up("u1")
            home.log.catch_up()
        served = {(home.state.seq, home.artifact.blend_version) for home in self.homes}
        assert len(served) == 1
        return served.pop()[1]


@pytest.fixture(scope="module")
def trained(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "home"
    with ft.Recommender.train(EVENTS.until(CUT), items=EVENTS.items, home=folder, settings=settings):
        pass
    (folder / "state.safetensors").unlink(missing_ok=True)
    return folder


@pytest.fixture(scope="module")
def lived(trained, settings, tmp_path_factory):
    """Give replicas of three ages, what each step served, and the blends that were seen on the way."""
    with ExitStack() as stack:
        replicas, seen = Replicas(trained, tmp_path_factory.mktemp("replicas"), settings, stack), []
        replicas.open()
        for start in range(0, len(LATER), 100):
            if start in (900, 1700):
                replicas.open()
            writer = replicas.homes[start // 100 % len(replicas.homes)]
            batch = LATER[start : start + 100].iter_rows(named=True)
            names = ("event_id", "user_id", "item_id", "type")
            events = [
                Event(**{name: row[name] for name in names}, timestamp=row["timestamp"]) for row in batch
            ]
            writer.log.submit(events).result()
            seen.append(replicas.agree())
        yield replicas, seen


def test_replicas_of_different_age_serve_the_same_blend_at_every_place_of_the_log(lived):
    _, seen = lived
    assert len(set(seen)) > 2


def test_replicas_of_different_age_answer_alike(lived):
    replicas, _ = lived
    for user in ("u1", "u2", "u3", "nobody"):
        query = Query(now=NOW, seed=1, user_id=user)
        answers = [home.answerer.recommend(query, dry_run=True) for home in replicas.homes]
        assert len({answer.recommendation_id for answer in answers}) == 1
        assert len({tuple((place.item_id, place.score) for place in answer.items) for answer in answers}) == 1


def test_a_replica_that_starts_anew_serves_what_the_others_do(lived):
    replicas, seen = lived
    replicas.open()
    assert replicas.agree() == seen[-1]


def test_an_answer_of_one_replica_is_given_again_by_another(lived):
    replicas, _ = lived
    here, there = replicas.homes[:2]
    slate = here.answerer.recommend(Query(now=NOW, seed=1, user_id="u1"))
    here.exposures.flush()
    again = ft.Recommender(there).reproduce(slate.recommendation_id)
    assert again.identical


def test_who_learns_no_more_serves_what_the_others_learn(lived, monkeypatch):
    replicas, seen = lived
    fold = replicas.homes[0]._stores.keeper.learner._fold
    monkeypatch.setattr(fold, "apply", lambda _events: 1 / 0)
    more = [
        Event(
            event_id=f"again-{n}",
            user_id=row["user_id"],
            item_id=row["item_id"],
            type=row["type"],
            timestamp=NOW + n * 1_000_000,
        )
        for n, row in enumerate(LATER[:2000].iter_rows(named=True))
    ]
    for start in range(0, len(more), 100):
        replicas.homes[0].log.submit(more[start : start + 100]).result()
        seen.append(replicas.agree())
    assert len(set(seen[-20:])) > 1


def test_what_serves_is_not_known_while_the_blends_cannot_be_asked_for(lived, monkeypatch):
    replicas, _ = lived
    home = replicas.homes[1]
    shared = home._stores.keeper.learner

    def away(_artifact, _seq):
        raise UnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(shared._store, "standing", away)
        patched.setattr(shared, "_known_to", 0)
        assert not home.learning.is_known()
        assert home.answerer.recommend(Query(now=NOW, seed=1, user_id="u1")).source == "stale"
    assert home.learning.is_known()
