"""What the curve of accuracy and variety shows: the same panels for PNG and HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from foretaste.evaluation.judgement import Score
from foretaste.training.trade_off import CORRECTION, LAMBDA, Point

KNOBS = {LAMBDA: "diversity λ, from 1 down", CORRECTION: "popularity correction, from 0 up"}
APART = (0.14, 0.075)
"""Labels stand at least this share of the width or of the height apart."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One setting: where it stands, what it is called, and all that is known of it."""

    x: float
    y: float
    label: str
    told: str
    usual: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """Accuracy, upwards, against one kind of variety, to the right; a line for each knob."""

    x_name: str
    y_name: str
    lines: dict[str, list[Spot]]


def panels_of(points: Sequence[Point], k: int) -> list[Panel]:
    """Return a panel for each kind of variety that was measured."""
    measures: list[tuple[str, Callable[[Score], float | None]]] = [
        ("diversity within a list →", lambda score: score.diversity.value if score.diversity else None),
        ("novelty, bits →", lambda score: score.novelty.value),
        ("evenness of exposure, 1 - Gini →", lambda score: 1.0 - score.gini),
    ]
    panels = []
    for name, measure in measures:
        lines = {
            title: [
                _spot(point, value, k)
                for point in points
                if point.knob == knob and (value := measure(point.score)) is not None
            ]
            for knob, title in KNOBS.items()
        }
        if all(lines.values()):
            panels.append(Panel(name, f"NDCG@{k}", _thinned(lines)))
    return panels


def _spot(point: Point, value: float, k: int) -> Spot:
    score, best = point.score, point.score.accuracy["ndcg"]
    told = [
        f"{point.knob} = {point.setting:g}{' (as it ships)' if point.usual else ''}",
        f"NDCG@{k} {best.value:.4f}, 95 % interval {best.low:.4f} to {best.high:.4f}",
        f"diversity {score.diversity.value:.3f}" if score.diversity else "",
        f"novelty {score.novelty.value:.2f} bits",
        f"Gini {score.gini:.3f}, coverage {score.coverage:.3f}",
    ]
    return Spot(value, best.value, f"{point.setting:g}", "\n".join(filter(None, told)), point.usual)


def _thinned(lines: dict[str, list[Spot]]) -> dict[str, list[Spot]]:
    """Return the lines without labels that would stand upon each other: the ends of lines come first."""
    spots = [spot for line in lines.values() for spot in line]
    (left, right), (low, high) = bounds([spot.x for spot in spots]), bounds([spot.y for spot in spots])
    kept = [spot for spot in spots if spot.usual]
    named: set[int] = set()
    ends = [spot for line in lines.values() for spot in (line[-1], line[0])]
    for spot in (*ends, *spots):
        free = all(
            abs(spot.x - other.x) > APART[0] * (right - left)
            or abs(spot.y - other.y) > APART[1] * (high - low)
            for other in kept
        )
        if free:
            kept.append(spot)
            named.add(id(spot))
    return {
        name: [spot if id(spot) in named else replace(spot, label="") for spot in line]
        for name, line in lines.items()
    }


def bounds(values: Sequence[float], margin: float = 0.08) -> tuple[float, float]:
    """Return the ends of an axis that holds `values` with a margin."""
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * margin
    return low - room, high + room
