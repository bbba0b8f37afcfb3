"""Made-up things to like: names, topics and texts."""

from foretaste.domain.item import Item

TOPICS = ("garden", "kitchen", "music", "outdoor", "office", "toys", "travel", "sports")
ADJECTIVES = ("Amber", "Bright", "Calm", "Drift", "Early", "Fern", "Golden", "Hazel", "Ivory", "Juniper")
NOUNS = {
    "garden": ("Trowel", "Planter", "Lantern", "Trellis"),
    "kitchen": ("Kettle", "Skillet", "Whisk", "Teapot"),
    "music": ("Ukulele", "Metronome", "Drum", "Songbook"),
    "outdoor": ("Tent", "Compass", "Hammock", "Flask"),
    "office": ("Notebook", "Lamp", "Stapler", "Organizer"),
    "toys": ("Puzzle", "Kite", "Blocks", "Spinning Top"),
    "travel": ("Suitcase", "Guidebook", "Pillow", "Adapter"),
    "sports": ("Racket", "Jersey", "Whistle", "Mat"),
}


def named_item(item_id: str, number: int, topic: str, *, available_from: int | None = None) -> Item:
    """Return an item of a topic with a name that follows from its number."""
    nouns = NOUNS[topic]
    name = f"{ADJECTIVES[number % len(ADJECTIVES)]} {nouns[number // len(ADJECTIVES) % len(nouns)]}"
    series = number // (len(ADJECTIVES) * len(nouns))
    title = name if not series else f"{name} {series + 1}"
    return Item(
        item_id=item_id,
        title=title,
        text=f"{title}, for {topic}.",
        categories=(topic,),
        available_from=available_from,
    )
