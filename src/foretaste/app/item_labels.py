"""An item's categories and attributes as labels of a vector index."""

from foretaste.domain.item import Item
from foretaste.features.attribute_column import canonical, spellings
from foretaste.features.catalog_columns import CATEGORY, GROUPINGS
from foretaste.ports.vector_index import Labels, Values


def labels_of(item: Item | None) -> Labels:
    """Return what a filter of a request would find an item by: its categories, and each attribute's value."""
    if item is None:
        return {}
    labels = {name: [canonical(value)] for name, value in item.attributes.items()}
    if item.categories:
        labels[CATEGORY] = list(item.categories)
        for name in GROUPINGS:
            labels[name] = sorted({*labels.get(name, ()), *item.categories})
    return labels


def spelled(values: Values | None) -> dict[str, list[str]]:
    """Return `values` with the spellings that labels may have: numbers and truth values by their text.

    One text stands for itself, not for its letters.
    """
    lists = {name: [given] if isinstance(given, str) else given for name, given in (values or {}).items()}
    return {
        name: sorted({text for value in given for text in spellings(value)}) for name, given in lists.items()
    }
