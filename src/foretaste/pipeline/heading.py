"""The heading of an answer: what its scenario calls it, with the item that it starts from."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from foretaste.domain.history import History
from foretaste.pipeline.explain import item_name
from foretaste.pipeline.view import View

DID: Mapping[str, str] = MappingProxyType(
    {
        "watch": "watched",
        "complete": "watched",
        "play": "played",
        "purchase": "bought",
        "rating": "rated",
        "like": "liked",
        "read": "read",
        "share": "shared",
        "add_to_cart": "put aside",
        "add_to_wishlist": "wished for",
    }
)
"""What is said of events in a heading."""
LOOKED = "looked at"
"""What is said of all others."""


def heading(view: View, start: History) -> str:
    """Return the scenario's title, `{item}` and `{did}` in it as the history that was scored says."""
    title = view.scenario.title
    if "{" not in title or not len(start):
        return title
    item = int(start.item[-1])
    return title.replace("{did}", _did(view, item)).replace("{item}", item_name(view, item))


def _did(view: View, item: int) -> str:
    """Return in words what the person did with an item last."""
    own = view.known.of(view.state, view.user).history
    deeds = np.flatnonzero(own.item == item)
    return DID.get(view.type_names[int(own.type[deeds[-1]])], LOOKED) if len(deeds) else LOOKED
