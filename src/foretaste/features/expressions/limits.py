"""How large an expression may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one expression, and how many expressions one request may have.

    `length` counts characters, `depth` how deep conditions are nested, `nodes` values and operations,
    `cost` steps over the catalog (see `foretaste.features.expressions.cost`).
    """

    length: int = 4096
    depth: int = 24
    nodes: int = 1000
    cost: int = 200
    count: int = 16


USUAL = Limits()
WIDEST = Limits(length=65_536, depth=48, nodes=10_000, cost=10_000, count=256)
"""What settings may allow at most, and what was accepted once is read again under."""
