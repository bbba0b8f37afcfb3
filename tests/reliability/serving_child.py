"""A replica that serves over HTTP until it is killed, sound or with a planted fault."""

from foretaste.adapters.postgres.event_log import PostgresEventLog
from foretaste.app import postgres_stores
from foretaste.app.cli import serve
from foretaste.testing.postgres_faults import AcknowledgesEarly, ForgetsKeysAtOnce

LOGS = {"sound": PostgresEventLog, "hasty": AcknowledgesEarly, "forgetful": ForgetsKeysAtOnce}


def main(home, port, kind):
    """Serve the home on `port`, its log of this `kind`."""
    postgres_stores.PostgresEventLog = LOGS[kind]
    serve.run(home=home, host="127.0.0.1", port=port, worker=False, workers=1, as_json=True)
