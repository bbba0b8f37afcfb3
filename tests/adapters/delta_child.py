"""A process that archives until it is killed or done: `delta_child.py DATABASE ARCHIVE BATCH`.

Prints how many events each piece had that it wrote, so that its parent knows how far it is.
"""

import sys
from pathlib import Path

from foretaste.adapters.delta.event_archive import DeltaEventArchive
from foretaste.adapters.sqlite.event_tail import SqliteEventTail
from foretaste.app.archiving import ArchiveTask


class Telling(DeltaEventArchive):
    """Tells what it wrote."""

    def append(self, after, events):
        written = super().append(after, events)
        if written:
            print(len(events), flush=True)  # noqa: T201 # the parent waits for it
        return written


def main(database: str, place: str, batch: str) -> None:
    ArchiveTask(SqliteEventTail(Path(database)), Telling(place), batch=int(batch), compact_after=5).flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
