"""What to try next: near what is best so far, in steps that shrink, and now and then far away."""

from collections.abc import Sequence

import numpy as np

from foretaste.training.search_space import Parameter, Values

WIDE = 0.3
"""The step, in parts of the line, of proposals that explore; they change every parameter."""
FIRST_STEP, LAST_STEP = 0.2, 0.03
"""The step of the others, halved whenever a round brought nothing; they change one or two parameters."""
REDRAWN = 0.3
"""How often an exploring step changes a choice."""


def proposals(
    space: Sequence[Parameter],
    best: Values,
    start: Values,
    count: int,
    *,
    failures: int,
    generator: np.random.Generator,
) -> list[dict[str, object]]:
    """Return `count` different values of `space` to try, none of them `best`; fewer where there are fewer.

    `start` is where the search began (see `Parameter.relative`), `failures` how many rounds in a row brought
    nothing. A third of the proposals explore.
    """
    step = max(FIRST_STEP * 0.5**failures, LAST_STEP)
    found: list[dict[str, object]] = []
    for attempt in range(10 * count):
        if len(found) == count:
            break
        explores = attempt % 3 == 2
        changed = np.arange(len(space)) if explores else _one_or_two(len(space), generator)
        values = dict(best)
        for number in changed.tolist():
            parameter = space[number]
            values[parameter.path] = _moved(parameter, best, start, WIDE if explores else step, generator)
        if values != dict(best) and values not in found:
            found.append(values)
    return found


def _one_or_two(count: int, generator: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return generator.permutation(count)[: 1 + int(generator.integers(2))]


def _moved(
    parameter: Parameter, best: Values, start: Values, step: float, generator: np.random.Generator
) -> object:
    """Return another value of `parameter`: a normal step away, reflected at the ends of the line."""
    origin, value = start[parameter.path], best[parameter.path]
    moved, drawn = generator.normal(0.0, step), generator.random()
    if parameter.choices:
        if step == WIDE and drawn >= REDRAWN:
            return value
        others = [choice for choice in parameter.choices if choice != value]
        return others[int(drawn / (REDRAWN if step == WIDE else 1.0) * len(others)) % len(others)]
    place = abs(parameter.place(value, origin) + moved)
    return parameter.value(float(np.clip(min(place, 2.0 - place), 0.0, 1.0)), origin)
