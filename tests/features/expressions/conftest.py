"""A small shop for the tests of the filter language."""

import pytest

from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns


@pytest.fixture(name="shop")
def _shop() -> CatalogColumns:
    rows = [
        ("lamp", 18.0, "acme", True, ("light", "home"), "2024-03-06T00:00:00Z", "vegan, new"),
        ("candle", 4.0, "Zeta", False, ("light",), "2024-02-01T00:00:00Z", "vegan"),
        ("oar", 45.0, "acme", False, ("water",), "2024-03-01T00:00:00Z", "old|worn"),
    ]
    return CatalogColumns.of(
        [
            *(
                Item(
                    item_id=name,
                    title=name.title(),
                    categories=categories,
                    attributes={
                        "price": price,
                        "brand": brand,
                        "on_sale": sale,
                        "published": published,
                        "tags": tags,
                    },
                )
                for name, price, brand, sale, categories, published, tags in rows
            ),
            Item(item_id="gift"),
        ]
    )
