"""How much is kept of people from one answer to the next is a setting, and changes no answer."""

import pytest

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.query import Query


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory):
    shop = ft.datasets.synthetic(n_users=20, n_items=30, n_events=800, seed=3)
    home = tmp_path_factory.mktemp("roomy") / "home"
    ft.Recommender.train(shop.events, items=shop.events.items, home=home, seed=1).close()
    return home


@pytest.mark.parametrize(("people_mb", "is_kept"), [(0, False), (1, True)])
def test_what_is_known_of_a_person_is_kept_where_there_is_memory_for_it(trained_home, people_mb, is_kept):
    with open_home(trained_home, settings=Settings(people_mb=people_mb)) as home, home.state.lock:
        known = home.answerer.known
        assert (known.of(home.state, 1) is known.of(home.state, 1)) == is_kept


def test_answers_are_the_same_with_any_memory(trained_home):
    slates = []
    for people_mb in (0, 96):
        with open_home(trained_home, settings=Settings(people_mb=people_mb)) as home:
            asked = [Query(user_id=f"u{number % 5}", k=5, now=10**15, seed=1) for number in range(10)]
            slates.append([home.answerer.recommend(query, dry_run=True).items for query in asked])
    assert slates[0] == slates[1]
