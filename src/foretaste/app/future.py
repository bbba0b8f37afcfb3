"""Events that a recommender does not know yet, in the columns of its log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import polars as pl

from foretaste.adapters.files.event_table import Events
from foretaste.domain.arrays import Int64s
from foretaste.domain.circumstances import Circumstances
from foretaste.domain.event import EventColumns
from foretaste.events.identity import event_key
from foretaste.training.contexts import contexts_among
from foretaste.training.corpus import Corpus


@dataclass(frozen=True, slots=True, eq=False)
class Future:
    """Events in time order with ordinals, and the corpus whose names cover them.

    People, items and types that the log does not know have the ordinals that come after its own. `contexts`
    are what the events say of their moments, `user_names` everybody by ordinal.
    """

    columns: EventColumns
    corpus: Corpus
    contexts: Circumstances
    user_names: Sequence[str]


def future_events(past: Corpus, user_names: Sequence[str], events: Events, *, after: int) -> Future:
    """Return `events` as they would stand in the log after sequence number `after`.

    Those that stand in it already (by their id) are left out.
    """
    keys = np.array([event_key(event_id) for event_id in events.frame["event_id"]], np.int64)
    fresh = ~np.isin(keys, past.events.key)
    order = np.argsort(events.frame["timestamp"].to_numpy()[fresh], kind="stable")
    frame = events.frame.filter(pl.Series(fresh))[order]
    user, users = ordinals_of(user_names, frame["user_id"])
    item, items = ordinals_of(past.item_names, frame["item_id"])
    kind, kinds = ordinals_of(past.type_names, frame["type"])
    columns = EventColumns(
        previous_seq=after,
        seq=np.arange(after + 1, after + 1 + frame.height, dtype=np.int64),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        type=kind.astype(np.int16),
        time=frame["timestamp"].to_numpy().astype(np.int64),
        key=keys[fresh][order],
        value=frame["value"].fill_null(float("nan")).to_numpy().astype(np.float32),
    )
    corpus = replace(past, item_names=items, type_names=kinds, n_users=len(users))
    return Future(columns, corpus, contexts_in(frame, columns)[0], users)


def contexts_in(frame: pl.DataFrame, columns: EventColumns) -> tuple[Circumstances, int]:
    """Return what the events of `frame`, in `columns` by numbers, say of their moments: see `contexts_of`."""
    told = (
        (seq, msgspec.json.decode(text, type=dict[str, str]))
        for seq, text in zip(columns.seq.tolist(), frame["context"], strict=True)
        if text
    )
    return contexts_among(told, columns.seq)


def ordinals_of(known: Sequence[str], names: pl.Series) -> tuple[Int64s, list[str]]:
    """Return the ordinal of each name and all names by ordinal, new ones after the known."""
    place = {name: ordinal for ordinal, name in enumerate(known)}
    for name in names.unique(maintain_order=True):
        place.setdefault(name, len(place))
    return np.array([place[name] for name in names], np.int64), list(place)
