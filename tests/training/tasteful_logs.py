"""Small logs with a known structure: people of four tastes, each taking to the items of their own."""

import numpy as np

from foretaste.domain.event import EventColumns
from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.training.corpus import Corpus

TASTES, PER_TASTE = 4, 30
SECOND = 1_000_000


def corpus_of(user, item, time, types=None):
    n = len(user)
    n_items = TASTES * PER_TASTE
    events = EventColumns(
        previous_seq=0,
        seq=np.arange(1, n + 1, dtype=np.int64),
        user=np.asarray(user, np.int32),
        item=np.asarray(item, np.int32),
        type=np.zeros(n, np.int16) if types is None else np.asarray(types, np.int16),
        time=np.asarray(time, np.int64),
        key=np.arange(n, dtype=np.int64),
        value=np.full(n, np.nan, np.float32),
    )
    names = [f"item-{number}" for number in range(n_items)]
    items = [
        Item(item_id=name, title=f"title {name}", categories=(f"taste-{number // PER_TASTE}",))
        for number, name in enumerate(names)
    ]
    return Corpus(
        events, CatalogColumns.of(items), names, ["purchase", "click"], int(np.max(user, initial=-1)) + 1
    )


def tasteful(n_users=80, each=15, *, seed=0, timed=True):
    """Return a log in which a person's items are all of one taste, and nothing else is to be known."""
    generator = np.random.default_rng(seed)
    pairs = []
    for user in range(n_users):
        taste = user % TASTES
        items = taste * PER_TASTE + generator.permutation(PER_TASTE)[:each]
        pairs += [(generator.random(), user, item) for item in items]
    pairs.sort()
    time = np.arange(len(pairs)) * 60 * SECOND if timed else np.full(len(pairs), 5 * SECOND)
    return corpus_of([user for _, user, _ in pairs], [item for _, _, item in pairs], time + 10**15)
