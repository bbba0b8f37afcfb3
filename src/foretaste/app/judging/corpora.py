"""Events as a corpus to learn from, without a home."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from foretaste.adapters.files.event_table import Events
from foretaste.app.future import contexts_in, ordinals_of
from foretaste.domain.circumstances import Circumstances
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import EventColumns
from foretaste.domain.item import Item
from foretaste.events.identity import event_key
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.training.corpus import Corpus


def corpus_of_events(
    events: Events, items: Sequence[Item] = (), test: Events | None = None
) -> tuple[Corpus, EventColumns]:
    """Return `events` in time order as a corpus, its names those of `test` too, and `test` in columns.

    Items have the first ordinals, then those that only events know, by first sight. Raises
    `InvalidInputError` where there are no events. What they say of their moments is in the corpus, unless
    `test` judges: its moments are not told, so a blend that hears them would be judged too low.
    """
    if not len(events):
        raise InvalidInputError("there are no events to learn from", field="events")
    catalog = {item.item_id: item for item in (items or events.items)}
    later = events.frame.clear() if test is None else test.frame
    frame = pl.concat([piece.sort("timestamp", maintain_order=True) for piece in (events.frame, later)])
    user, users = ordinals_of([], frame["user_id"])
    item, names = ordinals_of(list(catalog), frame["item_id"])
    kind, kinds = ordinals_of([], frame["type"])
    columns = EventColumns(
        previous_seq=0,
        seq=np.arange(1, frame.height + 1, dtype=np.int64),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        type=kind.astype(np.int16),
        time=frame["timestamp"].to_numpy().astype(np.int64),
        key=np.array([event_key(event_id) for event_id in frame["event_id"]], np.int64),
        value=frame["value"].fill_null(float("nan")).to_numpy().astype(np.float32),
    )
    n = len(events)
    contexts, dropped = contexts_in(frame, columns) if test is None else (Circumstances(), 0)
    return (
        Corpus(
            events=columns.take(0, n),
            catalog=CatalogColumns.of(list(catalog.values())),
            item_names=names,
            type_names=kinds,
            n_users=len(users),
            contexts=contexts,
            contexts_dropped=dropped,
        ),
        columns.take(n, len(columns)),
    )


def without_times(corpus: Corpus) -> Corpus:
    """Return the corpus with all events at its last moment: judged by a hold-out per person then."""
    time_of_all = np.full_like(corpus.events.time, corpus.events.time.max(initial=0))
    return replace(corpus, events=replace(corpus.events, time=time_of_all))
