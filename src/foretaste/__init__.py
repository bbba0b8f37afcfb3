"""Foretaste: recommendations that learn from the very last click, and say why.

>>> import foretaste as ft
>>> events = ft.datasets.movielens_100k()
>>> rec = ft.Recommender.train(events.until("1998-03-01"), items=events.items)
>>> rec.recommend("196", k=10)
>>> rec.record(user_id="196", item_id="242", type="click")
>>> rec.recommend("196", k=10, explain=True)
>>> ft.evaluate(rec, events.after("1998-03-01"))

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretaste.adapters.files.event_table import Events
    from foretaste.adapters.files.reading import read_events, read_items
    from foretaste.app import datasets
    from foretaste.app.evaluating import evaluate
    from foretaste.app.item_index import ItemIndex
    from foretaste.app.judging.evaluation import Evaluation
    from foretaste.app.judging.running import judge
    from foretaste.app.recommender import Recommender
    from foretaste.app.slates import Slate
    from foretaste.domain.errors import ForetasteError
    from foretaste.domain.event import Event
    from foretaste.domain.item import Item

__version__ = "0.1.0"
__all__ = [
    "Evaluation",
    "Event",
    "Events",
    "ForetasteError",
    "Item",
    "ItemIndex",
    "Recommender",
    "Slate",
    "datasets",
    "evaluate",
    "judge",
    "read_events",
    "read_items",
]

_MODULE_OF = {
    "Evaluation": "foretaste.app.judging.evaluation",
    "Event": "foretaste.domain.event",
    "Events": "foretaste.adapters.files.event_table",
    "ForetasteError": "foretaste.domain.errors",
    "Item": "foretaste.domain.item",
    "ItemIndex": "foretaste.app.item_index",
    "Recommender": "foretaste.app.recommender",
    "Slate": "foretaste.app.slates",
    "evaluate": "foretaste.app.evaluating",
    "judge": "foretaste.app.judging.running",
    "read_events": "foretaste.adapters.files.reading",
    "read_items": "foretaste.adapters.files.reading",
}


def __getattr__(name: str) -> Any:
    if name == "datasets":
        return import_module("foretaste.app.datasets")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'foretaste' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
