"""A service of several processes that tests ask, and do not hurt."""

import shutil

import pytest

from foretaste.testing.many_processes import many_processes
from foretaste.testing.trained_homes import trained_home


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A small home with two models; copy it."""
    home = tmp_path_factory.mktemp("trained") / "home"
    return trained_home(home, n_users=25, n_items=20, n_events=700, effort="quick")


@pytest.fixture(scope="session")
def service(tmp_path_factory, trained):
    """A service of a keeper and two workers over a copy of the home."""
    home = tmp_path_factory.mktemp("many") / "home"
    shutil.copytree(trained, home)
    with many_processes(home, 2) as running:
        yield running
