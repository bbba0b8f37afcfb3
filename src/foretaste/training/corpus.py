"""What training reads: the log from its start, the catalog, and the names of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from foretaste.domain.circumstances import Circumstances
from foretaste.domain.event import EventColumns, no_events
from foretaste.features.catalog_columns import CatalogColumns
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
    """Return all of the log as it is now, with what is needed to learn from it."""
    pieces = []
    after, last = 0, log.last_seq()
    while after < last:
        piece = log.read(after, CHUNK)
        if not len(piece):
            break
        pieces.append(piece)
        after = piece.last_seq
    events = joined(pieces)
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
