"""Rows looked up: whose text is one of these, whose categories hold it, with which something was done."""

from collections.abc import Callable

import numpy as np

from foretaste.features.expressions.asked import Asked
from foretaste.features.expressions.columns import Columns, Texts
from foretaste.features.expressions.kinds import Kind
from foretaste.features.expressions.shapes import fixed
from foretaste.features.expressions.tree import Fact, Name
from foretaste.features.expressions.values import Numbers, Where, Wording, both, either, flagged, negated

FEW = 8
"""Up to so many values, comparing a column with each is faster than looking each row up."""


def worded(one: Wording, other: Wording, holds: Callable[[str, str], bool], *, wanted: bool) -> Where:
    """Return where `holds` is true of two texts, or false of two that are known."""
    if one is None or other is None:
        return False
    if isinstance(one, Texts) and isinstance(other, Texts):
        pairs = zip(one.code.tolist(), other.code.tolist(), strict=True)
        found = [a >= 0 and b >= 0 and holds(one.values[a], other.values[b]) is wanted for a, b in pairs]
        return np.array(found, np.bool_)
    if isinstance(one, Texts):
        return flagged(one, (holds(value, str(other)) is wanted for value in one.values))
    if isinstance(other, Texts):
        return flagged(other, (holds(one, value) is wanted for value in other.values))
    return holds(one, other) is wanted


def one_of_texts(columns: Columns, operand: Name, texts: list[str], *, wanted: bool) -> Where:
    """Return where an attribute is one of `texts`, or where it is known and none of them."""
    if fixed(operand) is Kind.LIST:
        among, known = columns.in_categories(texts), columns.categorized()
        return among if wanted else known & ~among
    column = columns.texts(operand.name)
    if column is None or column.index is None:
        return False
    codes = [column.index[text] for text in set(texts) if text in column.index]
    if len(codes) <= FEW:
        found = either([column.code == code for code in codes])
    else:
        flags = np.zeros(len(column.index) + 1, np.bool_)
        flags[codes] = True
        found = flags[column.code]
    return found if wanted else both([column.code >= 0, negated(found)])


def held(columns: Columns, text: Wording) -> tuple[Where, Where]:
    """Return where the categories hold a text, and where there are both."""
    if text is None:
        return False, False
    known = columns.categorized()
    if isinstance(text, str):
        return columns.in_categories([text]), known
    holds = np.zeros(len(known), np.bool_)
    for code in np.unique(text.code[text.code >= 0]).tolist():
        holds |= (text.code == code) & columns.in_categories([text.values[code]])
    return holds, known & (text.code >= 0)


def done(columns: Columns, asked: Asked, node: Fact) -> Where:
    """Return with which items the person did what a fact says."""
    item = asked.done(node.types, node.within)
    if columns.rows is not None:
        return np.isin(columns.rows, item)
    found = np.zeros(columns.length, np.bool_)
    found[item[item < len(found)]] = True
    return found


def counted(columns: Columns, asked: Asked, node: Fact) -> Numbers:
    """Return how often the person did what a fact says with each item."""
    item, count = asked.times(node.types, node.within)
    rows = columns.rows
    if rows is None:
        found = np.zeros(columns.length)
        inside = item < len(found)
        found[item[inside]] = count[inside]
        return found
    if not len(item):
        return np.zeros(len(rows))
    place = np.minimum(np.searchsorted(item, rows), len(item) - 1)
    return np.where(item[place] == rows, count[place], 0.0)
