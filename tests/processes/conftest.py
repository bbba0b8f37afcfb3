"""A service of several processes that tests ask, and do not hurt."""

import shutil

import pytest

from foretaste.app import datasets
from foretaste.app.learning import train_home
from foretaste.app.recommender import Recommender
from foretaste.testing.many_processes import many_processes


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A small home with two models; copy it."""
    events = datasets.synthetic(n_users=25, n_items=20, n_events=700, seed=4).events
    home = tmp_path_factory.mktemp("trained") / "home"
    with Recommender.train(events, home=home) as rec:
        train_home(rec.home, seed=9, effort="quick")
    return home


@pytest.fixture(scope="session")
def service(tmp_path_factory, trained):
    """A service of a keeper and two workers over a copy of the home."""
    home = tmp_path_factory.mktemp("many") / "home"
    shutil.copytree(trained, home)
    with many_processes(home, 2) as running:
        yield running
