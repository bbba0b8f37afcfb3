"""`foretaste worker` until it is killed, sound or with a planted fault."""

from foretaste.adapters.sqlite.event_log import SqliteEventLog
from foretaste.app import stores
from foretaste.app.cli import app
from foretaste.testing.kafka_faults import StoresPositionsApart

LOGS = {"sound": SqliteEventLog, "apart": StoresPositionsApart}


def main(kind):
    """Work for the home that the environment names, its embedded log of this `kind`."""
    stores.SqliteEventLog = LOGS[kind]
    app(["worker", "--json"])
