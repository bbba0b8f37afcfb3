"""A short walk on a grid of settings, from their usual place to the best neighbour, until none is better."""

from collections.abc import Callable, Sequence

WORTHWHILE = 1.01
"""A step must raise the value by this factor: less is noise."""


def walk(
    value: Callable[[tuple[int, ...]], float],
    steps: Sequence[tuple[int, ...]],
    most: int,
) -> tuple[int, ...]:
    """Return the best place found from (0, …, 0), asking `value` of at most `most` places, of none twice.

    `steps` are tried in their order; the first that raises the value by `WORTHWHILE` is taken.
    """
    place = tuple(0 for _ in steps[0]) if steps else ()
    values = {place: value(place)} if steps and most else {}
    moved = bool(values)
    while moved:
        moved = False
        for step in steps:
            neighbour = tuple(a + b for a, b in zip(place, step, strict=True))
            if neighbour in values or len(values) >= most:
                continue
            values[neighbour] = value(neighbour)
            if values[neighbour] > WORTHWHILE * values[place]:
                place, moved = neighbour, True
                break
    return place
