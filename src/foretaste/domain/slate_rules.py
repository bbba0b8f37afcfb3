"""Rules about a slate as a whole: what it holds of each group, what stands where, what rests."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
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
_KEPT = 512


class InvalidRuleError(InvalidQueryError, ValueError):
    """A rule contradicts itself or another one. While JSON is read, msgspec adds where it stands."""


class Quota(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many places a group of items has: `at_least` if there are so many, and not more than `at_most`.

    The group is what `filter`, an expression, is true of; or, with `each`, there is a group for each value
    of that attribute (or of `category`), and items without a value are in none.
    """

    filter: Annotated[str, Meta(min_length=1)] | None = None
    each: Name | None = None
    at_least: Count = 0
    at_most: Count | None = None

    def __post_init__(self) -> None:
        """Check what types do not say."""
        if (self.filter is None) == (self.each is None):
            raise InvalidRuleError("a quota needs either `filter` or `each`", field="rules.quotas")
        if self.at_most is None and not self.at_least:
            raise InvalidRuleError("a quota needs `at_least` or `at_most`", field="rules.quotas")
        if self.at_most is not None and self.at_most < self.at_least:
            raise InvalidRuleError(
                f"a quota has `at_least` {self.at_least} above `at_most` {self.at_most}; swap them",
                field="rules.quotas",
            )


class Slot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What has the first claim to a `place` (from 1): an item, or the best that `filter` is true of."""

    place: Place
    item_id: Name | None = None
    filter: Annotated[str, Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        """Check what types do not say."""
        if (self.item_id is None) == (self.filter is None):
            raise InvalidRuleError("a slot needs either `item_id` or `filter`", field="rules.slots")


class Rest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Items shown `impressions` times to whom did nothing with them rest `seconds` since the last time."""

    impressions: Annotated[int, Meta(ge=1, le=1_000_000)]
    seconds: Annotated[float, Meta(gt=0.0, le=1e9)] = 7 * 86_400.0


class SlateRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rules of a scenario or of one request.

    `forbidden` are ids of items that are never shown. `own_mix` is how much the slate's categories follow
    those of the person's own history, `serendipity_weight` how much it counts for an item that it is unlike
    all of that; None is as the scenario has it, or else not at all.

    Raises `InvalidRuleError` for rules that contradict each other.
    """

    quotas: Annotated[tuple[Quota, ...], Meta(max_length=MOST_RULES)] = ()
    slots: Annotated[tuple[Slot, ...], Meta(max_length=MOST_RULES)] = ()
    forbidden: Annotated[tuple[Name, ...], Meta(max_length=MOST_FORBIDDEN)] = ()
    rest: Rest | None = None
    own_mix: Share | None = None
    serendipity_weight: Share | None = None

    def __post_init__(self) -> None:
        """Check what types do not say."""
        place = _twice(slot.place for slot in self.slots)
        item = _twice(self.item_ids)
        both = next((name for name in self.item_ids if name in self.forbidden), None)
        wrong = (
            (place, f"two slots have the place {place}; keep one of them"),
            (item, f"two slots have the item {item!r}; keep one of them"),
            (both, f"{both!r} has a slot and is `forbidden` too; take it out of one of them"),
        )
        for found, said in wrong:
            if found is not None:
                raise InvalidRuleError(said, field="rules.slots")

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """Every expression with the name of the field that holds it."""
        quotas = ((f"rules.quotas[{at}].filter", quota.filter) for at, quota in enumerate(self.quotas))
        slots = ((f"rules.slots[{at}].filter", slot.filter) for at, slot in enumerate(self.slots))
        return tuple((field, text) for field, text in (*quotas, *slots) if text is not None)

    @property
    def arranges(self) -> bool:
        """Whether they say anything of the slate beside what may not be on it."""
        return bool(self.quotas or self.slots or self.own_mix) or self.serendipity_weight is not None

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items that have a place."""
        return tuple(slot.item_id for slot in self.slots if slot.item_id is not None)


def together(own: SlateRules | None, scenario: SlateRules | None) -> SlateRules | None:
    """Return the rules of a request on top of those of its scenario.

    All quotas and all that is forbidden hold; of two slots with one place or item the request's own counts,
    and so do its `rest`, `own_mix` and `serendipity_weight`. Raises `InvalidRuleError`.
    """
    if own is None or scenario is None:
        return scenario if own is None else own
    return _joined(own, scenario)


@lru_cache(maxsize=_KEPT)
def _joined(own: SlateRules, scenario: SlateRules) -> SlateRules:
    places, items = {slot.place for slot in own.slots}, {*own.item_ids, *own.forbidden}
    others = tuple(slot for slot in scenario.slots if slot.place not in places and slot.item_id not in items)
    weight = own.serendipity_weight
    return SlateRules(
        quotas=own.quotas + scenario.quotas,
        slots=own.slots + others,
        forbidden=tuple(dict.fromkeys(own.forbidden + scenario.forbidden)),
        rest=own.rest or scenario.rest,
        own_mix=scenario.own_mix if own.own_mix is None else own.own_mix,
        serendipity_weight=scenario.serendipity_weight if weight is None else weight,
    )


def _twice(values: Iterable[str | int]) -> str | int | None:
    return next((value for value, count in Counter(values).items() if count > 1), None)
