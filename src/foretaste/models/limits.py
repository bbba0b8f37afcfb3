"""Limits on what training computes at once: past them it asks fewer questions, or learns less of each item.

A question scores every item, and a factor model holds a number per item and direction, so both cost the
product of two sizes. A hundred thousand items stay below each limit, or little above.
"""

MOST_SCORES = 100_000_000
"""Scores of all items, for all questions of one validation part together."""


def affordable_questions(most: int, n_items: int, *, fewest: int, scores: int = MOST_SCORES) -> int:
    """Return how many questions may be asked of `n_items` items: at most `most`, at least `fewest`."""
    return min(most, max(fewest, scores // max(n_items, 1)))


def affordable_width(width: int, rows: int, *, narrowest: int, cells: int) -> int:
    """Return `width`, halved until `rows` of it are at most `cells` numbers; at least `narrowest`."""
    while width > narrowest and width * rows > cells:
        width = max(narrowest, width // 2)
    return width
