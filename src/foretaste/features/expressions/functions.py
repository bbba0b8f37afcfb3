"""The functions of the language: few, total, and without surprises."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from foretaste.features.expressions.kinds import Kind

N, X, D, T, B = Kind.NUMBER, Kind.TEXT, Kind.DURATION, Kind.TIME, Kind.TRUTH


@dataclass(frozen=True, slots=True)
class Function:
    """What a function takes and gives; `takes` is repeated for its last argument up to `most` arguments.

    `gives` is None where it gives what its arguments are. `cost` counts steps over the catalog.
    """

    takes: tuple[Kind | None, ...]
    gives: Kind | None
    example: str
    most: int
    cost: int = 1


def _function(takes: tuple[Kind | None, ...], gives: Kind | None, example: str, *, cost: int = 1) -> Function:
    return Function(takes, gives, example, len(takes), cost)


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "now": _function((), T, "now()"),
        "time": _function((T,), T, "time(published)", cost=2),
        "recency": _function((T, D), N, "recency(published, 7d)", cost=10),
        "default": _function((None, None), None, "default(price, 0)"),
        "min": Function((N, N), N, "min(price, 100)", 8),
        "max": Function((N, N), N, "max(price, 1)", 8),
        "abs": _function((N,), N, "abs(price - 20)"),
        "log": _function((N,), N, "log(stock + 1)", cost=5),
        "lower": _function((X,), X, "lower(brand)", cost=10),
        "contains": _function((X, X), B, 'contains(title, "lamp")', cost=10),
        "starts_with": _function((X, X), B, 'starts_with(sku, "A-")', cost=10),
    }
)

EXISTS = "exists"
"""Written as a function, read as `not … is missing`."""
DID, TIMES = "did", "times"

DEEDS: Mapping[str, str] = MappingProxyType(
    {
        "viewed": "view",
        "clicked": "click",
        "shared": "share",
        "purchased": "purchase",
        "bought": "purchase",
        "rated": "rating",
        "liked": "like",
        "disliked": "dislike",
        "dismissed": "dismiss",
        "watched": "watch",
        "completed": "complete",
    }
)
"""Words for what the person did with the item, and the type of event each asks for."""
