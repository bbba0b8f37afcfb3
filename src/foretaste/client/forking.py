"""What a forked process has to begin anew: threads do not come along, and connections are its parent's."""

import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")
_known: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()


def renew_in_children(one: T, renew: Callable[[T], object]) -> None:
    """Call `renew` with `one` in every process that this one forks, before anything else runs there.

    Only as long as `one` is there otherwise.
    """
    _known[one] = renew


def _renew() -> None:
    for one, renew in list(_known.items()):
        renew(one)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
