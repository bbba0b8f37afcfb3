"""Homes with models, learnt from a made-up log."""

from pathlib import Path

from foretaste.app import datasets
from foretaste.app.learning import train_home
from foretaste.app.recommender import Recommender
from foretaste.training.sources import Effort


def trained_home(home: Path, *, n_users: int, n_items: int, n_events: int, effort: Effort) -> Path:
    """Make a home of so many people, items and events with two models, the second of this effort."""
    events = datasets.synthetic(n_users=n_users, n_items=n_items, n_events=n_events, seed=4).events
    with Recommender.train(events, home=home) as rec:
        train_home(rec.home, seed=9, effort=effort)
    return home
