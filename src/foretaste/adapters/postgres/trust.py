"""The trust record in PostgreSQL: one row, in the database of the log."""

from typing import LiteralString

from foretaste.adapters.postgres.connection import BoundedConnection
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.ports.trust import Trust

SECONDS = 1.0
"""How long a question may take: a lease is shorter than an answer that comes later."""

READ = "SELECT epoch, trusted, incarnation FROM trust"
DISTRUST = (
    "UPDATE trust SET epoch = epoch + 1, trusted = false, incarnation = '' WHERE epoch = %s AND trusted"
)
RESTORE = """
UPDATE trust SET epoch = epoch + 1, trusted = true, incarnation = %s WHERE epoch = %s AND NOT trusted
"""


class PostgresTrust:
    """`TrustRecord` in `database`, which whoever opened it closes."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def read(self) -> Trust:
        """Return it as it is."""
        return self._database.run(_as_it_is, seconds=SECONDS)

    def distrust(self, seen_epoch: int) -> Trust:
        """If the epoch is `seen_epoch` and trusted, open the next one untrusted; return it as it is then."""
        return self._changed(DISTRUST, (seen_epoch,))

    def restore(self, seen_epoch: int, incarnation: str) -> Trust:
        """If the epoch is `seen_epoch` and untrusted, open the next one, trusted; return it as it is then."""
        return self._changed(RESTORE, (incarnation, seen_epoch))

    def _changed(self, statement: LiteralString, arguments: tuple[int | str, ...]) -> Trust:
        def change(connection: BoundedConnection) -> Trust:
            connection.execute(statement, arguments)
            return _as_it_is(connection)

        return self._database.run(change, seconds=SECONDS)


def _as_it_is(connection: BoundedConnection) -> Trust:
    epoch, trusted, incarnation = connection.execute(READ).fetchone() or (0, False, "")
    return Trust(epoch=epoch, trusted=trusted, incarnation=incarnation)
