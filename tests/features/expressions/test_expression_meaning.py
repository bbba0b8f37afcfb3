"""What expressions mean, by example."""

import numpy as np
import pytest

from foretaste.domain.arrays import MICROS_PER_SECOND
from foretaste.domain.item import CatalogEntry, Item
from foretaste.events.moments import parse_moment
from foretaste.features.expressions.asked import Asked
from foretaste.features.expressions.columns import Columns
from foretaste.features.expressions.compiled import compiled_boost, compiled_filter
from foretaste.features.kept_arrays import KeptArrays
from foretaste.features.state import Tally

NOW = parse_moment("2024-03-08T00:00:00Z")
DAY = 86_400 * MICROS_PER_SECOND
NAMES = ("lamp", "candle", "oar", "gift")
ASKED = Asked(
    now=NOW,
    person={"budget": 20.0, "maker": "acme", "member": True},
    context={"device": "phone", "most": "10", "when": "2024-02-15"},
    tally=Tally(
        item=np.array([0, 1], np.int32),
        type=np.array([1, 0], np.int16),
        count=np.array([1, 3], np.int64),
        last=np.array([NOW - 40 * DAY, NOW - DAY], np.int64),
    ),
    type_names=("view", "purchase"),
)

MATCHES = {
    "price < 20": ["lamp", "candle"],
    "not price < 20": ["oar"],
    "price is missing": ["gift"],
    "exists(price)": ["lamp", "candle", "oar"],
    "not price < 20 or price is missing": ["oar", "gift"],
    "default(price, 0) < 20": ["lamp", "candle", "gift"],
    'brand == "acme"': ["lamp", "oar"],
    'brand != "acme"': ["candle"],
    'brand in ("acme", "Zeta")': ["lamp", "candle", "oar"],
    'lower(brand) = "zeta"': ["candle"],
    'starts_with(brand, "a") and contains(title, "am")': ["lamp"],
    "on_sale": ["lamp"],
    "on_sale == false": ["candle", "oar"],
    '"light" in category': ["lamp", "candle"],
    'category in ("water", "home")': ["lamp", "oar"],
    'category == "water"': ["oar"],
    'all of ("light", "home") in category': ["lamp"],
    'any of ("water", "home") in category': ["lamp", "oar"],
    'not "light" in category': ["oar"],
    'not "light" in category or category is missing': ["oar", "gift"],
    '"new" in tags': ["lamp"],
    'all of ("vegan", "new") in tags': ["lamp"],
    'any of ("vegan", "old") in tags': ["lamp", "candle", "oar"],
    'not "vegan" in tags': ["oar"],
    'tags == "vegan"': ["candle"],
    'published > "2024-02-15"': ["lamp", "oar"],
    "published > now() - 7d": ["lamp"],
    "published >= now() - 7d": ["lamp", "oar"],
    "now() - time(published) < 3d": ["lamp"],
    "recency(published, 7d) == 0.5": ["oar"],
    "price < user.budget": ["lamp", "candle"],
    "brand == user.maker": ["lamp", "oar"],
    "user.member and price > 20": ["oar"],
    "user.height > 3": [],
    "user.height is missing": ["lamp", "candle", "oar", "gift"],
    'context.device == "phone" and price < context.most': ["candle"],
    "published < time(context.when)": ["candle"],
    "purchased": ["lamp"],
    "purchased within 30d": [],
    "not purchased within 30d": ["lamp", "candle", "oar", "gift"],
    'did("view", "purchase")': ["lamp", "candle"],
    "did() within 30d": ["candle"],
    'times("view") >= 3': ["candle"],
    "times() == 0": ["oar", "gift"],
    "price / 0 > 1": [],
    "price * 2 - 8 <= 0": ["candle"],
    "min(price, 10) == max(price, 10) or abs(price - 20) < 3": ["lamp"],
    'if on_sale then price < 20 else brand == "Zeta"': ["lamp", "candle"],
    'item["price"] < 20 AND NOT item.on_sale': ["candle"],
    'item_id in ("oar", "gift")': ["oar", "gift"],
    "available_from is missing": ["lamp", "candle", "oar", "gift"],
    "true": ["lamp", "candle", "oar", "gift"],
}


@pytest.mark.parametrize("text", MATCHES)
def test_a_filter_matches(shop, text):
    found = compiled_filter(text).where(Columns(shop, 4), ASKED)
    assert [name for name, matches in zip(NAMES, found, strict=True) if matches] == MATCHES[text]


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("on_sale : 2", [np.log(2), 0, 0, 0]),
        ("not on_sale : 0.5", [0, -np.log(2), -np.log(2), 0]),
        ("price < 20 : price / 2", [np.log(9), np.log(2), 0, 0]),
        ("0.5 * recency(published, 7d)", [0.5 * 2 ** (-2 / 7), 0.5 * 2 ** (-36 / 7), 0.25, 0]),
        ("price", [18, 4, 45, 0]),
        ("price * 1e6", [100, 100, 100, 0]),
        ("log(price - 18)", [0, 0, np.log(27), 0]),
    ],
)
def test_a_boost_adds(shop, text, added):
    assert compiled_boost(text).added(Columns(shop, 4), ASKED) == pytest.approx(np.array(added))


def test_what_is_kept_stays_within_its_bound_and_lets_go_of_the_longest_unused():
    kept = KeptArrays(most_bytes=250)
    made = []

    def get(name):
        def make():
            made.append(name)
            return np.zeros(100, np.int8)

        return kept.get(name, make, lambda array: [array])

    for name in ("a", "b", "a", "c", "a", "b"):
        get(name)
    assert made == ["a", "b", "c", "b"]
    assert len(kept) == 2


def test_an_item_that_changes_matches_by_what_it_is_now(shop):
    ready = compiled_filter('price < 20 and brand == "acme"')
    assert ready.where(Columns(shop, 4), ASKED).tolist() == [True, False, False, False]
    cheap = Item(item_id="gift", attributes={"price": 1.0, "brand": "acme"})
    changed = shop.apply([CatalogEntry(ordinal=3, version=9, item=cheap)])
    assert ready.where(Columns(changed, 4), ASKED).tolist() == [True, False, False, True]
    gone = changed.apply([CatalogEntry(ordinal=0, version=10, item=None)])
    assert ready.where(Columns(gone, 4), ASKED).tolist() == [False, False, False, True]
