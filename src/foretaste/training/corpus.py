"""What training reads: the log from its start, the catalog, and the names of both."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from foretaste.domain.circumstances import Circumstances
from foretaste.domain.event import EventColumns, no_events
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.merging import resolved
from foretaste.ports.event_log import EventLog
from foretaste.ports.id_map import IdMap
from foretaste.ranking.shown import ShownSlates
from foretaste.training.contexts import contexts_of

CHUNK = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Events in log order with the catalog of the moment and the id map's names by ordinal."""

    events: EventColumns
    catalog: CatalogColumns
    item_names: Sequence[str]
    type_names: Sequence[str]
    n_users: int
    people: Circumstances = field(default_factory=Circumstances)
    contexts: Circumstances = field(default_factory=Circumstances)
    """What events said of their moments, by their place in `events`."""
    contexts_dropped: int = 0
    """How many entries of contexts are not among `contexts`, being too many to tell apart."""
    shown: ShownSlates | None = None
    """What was shown and what of it was taken, where that was logged."""

    @property
    def n_items(self) -> int:
        """How many item ordinals there are."""
        return max(len(self.item_names), self.catalog.n_items)


def read_corpus(log: EventLog, id_map: IdMap, catalog: CatalogColumns) -> Corpus:
    """Return all of the log as it is now, with what is needed to learn from it; merged people are one."""
    events = resolved(_all_of(log), id_map.names("type"))
    told, dropped = contexts_of(log, events.seq)
    return Corpus(
        events=events,
        catalog=catalog,
        item_names=id_map.names("item"),
        type_names=id_map.names("type"),
        n_users=len(id_map.names("user")),
        contexts=told,
        contexts_dropped=dropped,
    )


def _all_of(log: EventLog) -> EventColumns:
    """Return all events, read piece by piece into columns that are there once."""
    last = log.last_seq()
    columns = {
        name: np.empty(last, column.dtype)
        for name, column in asdict(no_events()).items()
        if name != "previous_seq"
    }
    done = after = first = 0
    while after < last:
        piece = log.read(after, min(CHUNK, last - done))
        if not len(piece):
            break
        first = first if done else piece.previous_seq
        for name, column in columns.items():
            column[done : done + len(piece)] = getattr(piece, name)
        done, after = done + len(piece), piece.last_seq
    return EventColumns(previous_seq=first, **columns).take(0, done)


def joined(pieces: Sequence[EventColumns]) -> EventColumns:
    """Return consecutive columns as one."""
    if not pieces:
        return no_events()
    return EventColumns(
        previous_seq=pieces[0].previous_seq,
        seq=np.concatenate([piece.seq for piece in pieces]),
        user=np.concatenate([piece.user for piece in pieces]),
        item=np.concatenate([piece.item for piece in pieces]),
        type=np.concatenate([piece.type for piece in pieces]),
        time=np.concatenate([piece.time for piece in pieces]),
        key=np.concatenate([piece.key for piece in pieces]),
        value=np.concatenate([piece.value for piece in pieces]),
    )
