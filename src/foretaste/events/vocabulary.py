"""The event types that are known, and the names other systems have for them."""

import re
from functools import lru_cache

KNOWN_TYPES = (
    "impression",
    "view",
    "click",
    "share",
    "add_to_wishlist",
    "add_to_cart",
    "remove_from_cart",
    "purchase",
    "rating",
    "like",
    "dislike",
    "dismiss",
    "watch",
    "complete",
)
"""Every type that has a meaning here; any other one is stored, counted and weighs nothing."""

CONSUMING_TYPES = frozenset({"purchase", "rating", "like", "dislike", "dismiss", "watch", "complete"})
"""After one of these a person is done with the item: scenarios may leave it out."""

IMPRESSION, PURCHASE, RATING = "impression", "purchase", "rating"

MERGE_FROM, MERGE_INTO = "merge_from", "merge_into"
"""Reserved: two events next to each other that tell that one person is another (see `features.merging`)."""

RESERVED_TYPES = frozenset({MERGE_FROM, MERGE_INTO})
"""Types that no client may send."""

MERGE_ITEM = "foretaste:merge"
"""Reserved: the item that those are about; it is never shown."""

LONGEST_TYPE = 64
"""Characters that the name of a type may have."""

ALIASES = {
    # Segment, e-commerce specification (https://segment.com/docs/connections/spec/ecommerce/v2/)
    "product_list_viewed": "impression",
    "product_viewed": "view",
    "product_clicked": "click",
    "product_shared": "share",
    "product_added": "add_to_cart",
    "product_removed": "remove_from_cart",
    "product_added_to_wishlist": "add_to_wishlist",
    "order_completed": "purchase",
    "product_reviewed": "rating",
    # Google Analytics 4, recommended events
    "view_item_list": "impression",
    "view_promotion": "impression",
    "view_item": "view",
    "select_item": "click",
    "select_promotion": "click",
    # Google Retail (Vertex AI Search for commerce), user event types
    "detail_page_view": "view",
    "purchase_complete": "purchase",
    "media_play": "watch",
    "media_complete": "complete",
    # Gorse, feedback types of its examples
    "read": "view",
    "star": "like",
    "favorite": "like",
    "favourite": "like",
    "upvote": "like",
    "downvote": "dislike",
    "collect": "add_to_wishlist",
    "bookmark": "add_to_wishlist",
    # Spellings met elsewhere
    "viewed": "view",
    "page_view": "view",
    "pageview": "view",
    "clicked": "click",
    "cart": "add_to_cart",
    "addtocart": "add_to_cart",
    "added_to_cart": "add_to_cart",
    "wishlist": "add_to_wishlist",
    "buy": "purchase",
    "bought": "purchase",
    "order": "purchase",
    "purchased": "purchase",
    "transaction": "purchase",
    "conversion": "purchase",
    "rate": "rating",
    "rated": "rating",
    "review": "rating",
    "liked": "like",
    "thumbs_up": "like",
    "disliked": "dislike",
    "thumbs_down": "dislike",
    "dismissed": "dismiss",
    "not_interested": "dismiss",
    "play": "watch",
    "watched": "watch",
    "completed": "complete",
}
"""Another system's name, normalized, to ours."""

_SEPARATORS = re.compile(r"[\s_-]+")


@lru_cache(maxsize=4096)
def canonical_type(name: str) -> str:
    """Return our name of an event type: lower case, words joined by `_`, aliases replaced.

    >>> canonical_type("Product Viewed"), canonical_type("detail-page-view"), canonical_type("Zoom In")
    ('view', 'view', 'zoom_in')
    """
    normalized = _SEPARATORS.sub("_", name.strip().lower()).strip("_")
    return ALIASES.get(normalized, normalized)
