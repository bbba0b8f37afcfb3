"""`foretaste worker` with a planted fault: how far the stream was read is stored apart from its events."""

import time

from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.app import stores
from foretaste.app.cli import main

APART_SECONDS = 0.2


class StoresPositionsApart(SqliteEventLog):
    """Stores the positions first, the events a little later."""

    def submit(self, events, *, reached=None):
        if reached:
            super().submit([], reached=reached).result()
            time.sleep(APART_SECONDS)
        return super().submit(events)


if __name__ == "__main__":
    stores.SqliteEventLog = StoresPositionsApart
    main()
