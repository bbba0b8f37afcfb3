"""Rules about a slate as a whole: what it holds of each group, what stands where, what rests."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from foretaste.domain.errors import InvalidQueryError

MOST_RULES = 50
MOST_FORBIDDEN = 1000
MOST_PLACES = 1000

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Place = Annotated[int, Meta(ge=1, le=MOST_PLACES)]
Count = Annotated[int, Meta(ge=0, le=MOST_PLACES)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Quota(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many places a group of items has: `at_least` if there are so many, and not more than `at_most`.

    The group is what `filter`, an expression, is true of; or, with `each`, there is a group for each value
    of that attribute (or of `category`), and items without a value are in none.
    """

    filter: Annotated[str, Meta(min_length=1)] | None = None
    each: Name | None = None
    at_least: Count = 0
    at_most: Count | None = None


class Slot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What has the first claim to a `place` (from 1): an item, or the best that `filter` is true of."""

    place: Place
    item_id: Name | None = None
    filter: Annotated[str, Meta(min_length=1)] | None = None


class Rest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Items shown `impressions` times to whom did nothing with them rest `seconds` since the last time."""

    impressions: Annotated[int, Meta(ge=1, le=1_000_000)]
    seconds: Annotated[float, Meta(gt=0.0, le=1e9)] = 7 * 86_400.0


class SlateRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rules of a scenario or of one request; hashable.

    `forbidden` are ids of items that are never shown. `own_mix` is how much the slate's categories follow
    those of the person's own history, `serendipity_weight` how much it counts for an item that it is unlike
    all of that; None is as the scenario has it, or else not at all.

    Raises `InvalidQueryError` naming the rule that contradicts itself or another one.
    """

    quotas: Annotated[tuple[Quota, ...], Meta(max_length=MOST_RULES)] = ()
    slots: Annotated[tuple[Slot, ...], Meta(max_length=MOST_RULES)] = ()
    forbidden: Annotated[tuple[Name, ...], Meta(max_length=MOST_FORBIDDEN)] = ()
    rest: Rest | None = None
    own_mix: Share | None = None
    serendipity_weight: Share | None = None

    def __post_init__(self) -> None:
        """Check what types do not say."""
        for at, quota in enumerate(self.quotas):
            _check(_wrong_in_quota(quota), f"rules.quotas[{at}]")
        for at, slot in enumerate(self.slots):
            if (slot.item_id is None) == (slot.filter is None):
                _check("needs either `item_id` or `filter`", f"rules.slots[{at}]")
            if slot.item_id is not None and slot.item_id in self.forbidden:
                _check(f"pins {slot.item_id!r}, which `forbidden` names too", f"rules.slots[{at}]")
        _check(_twice("place", (slot.place for slot in self.slots)), "rules.slots")
        _check(_twice("item", (slot.item_id for slot in self.slots if slot.item_id)), "rules.slots")

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """Every expression with the name of the field that holds it."""
        quotas = ((f"rules.quotas[{at}].filter", quota.filter) for at, quota in enumerate(self.quotas))
        slots = ((f"rules.slots[{at}].filter", slot.filter) for at, slot in enumerate(self.slots))
        return tuple((field, text) for field, text in (*quotas, *slots) if text is not None)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items that have a place."""
        return tuple(slot.item_id for slot in self.slots if slot.item_id is not None)


def _wrong_in_quota(quota: Quota) -> str | None:
    if (quota.filter is None) == (quota.each is None):
        return "needs either `filter` or `each`"
    if quota.at_most is None and not quota.at_least:
        return "needs `at_least` or `at_most`"
    if quota.at_most is not None and quota.at_most < quota.at_least:
        return f"has `at_least` {quota.at_least} above `at_most` {quota.at_most}"
    return None


def _twice(what: str, values: Iterable[str | int]) -> str | None:
    several = [value for value, count in Counter(values).items() if count > 1]
    return f"name the {what} {several[0]!r} twice; keep one of them" if several else None


def _check(wrong: str | None, field: str) -> None:
    if wrong is not None:
        raise InvalidQueryError(f"{field} {wrong}", field=field)
