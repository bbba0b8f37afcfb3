"""An open PostgreSQL: a pool of connections, timeouts, and errors in our words."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from psycopg import errors, sql
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from foretaste.adapters.postgres.connection import BoundedConnection
from foretaste.adapters.postgres.migrations import migrate, pending, present
from foretaste.domain.errors import CorruptDataError, ForetasteError, InvalidInputError, UnavailableError

T = TypeVar("T")

CONNECTIONS = 8
CONNECT_SECONDS = 2
"""How long one attempt to connect may take; drivers take less than two for two."""
OPERATION_SECONDS = 5.0
"""How long reading or changing a few rows may take."""
READ_SECONDS = 60.0
"""How long a read may take that nobody waits for with a page open, as of the log for training."""
LOCK_SECONDS = 5.0
IDLE_SECONDS = 60.0
"""How long a transaction may stay open without a statement, before the server ends it."""
OPEN_SECONDS = 30.0
RECONNECT_SECONDS = 3.0
"""How long the pool tries to connect before it waits to be asked again."""
POOL_SECONDS = 1.0
"""After how long the pool is asked again for a connection."""
PAUSES = (0.01, 0.25)
"""Shortest and longest pause between attempts, drawn by lot, so that replicas do not come all at once."""

OLDEST_SERVER = 140_000
TOO_MANY, ANOTHER_LOG = "FT001", "FT003"
"""Raised by our own functions."""
PASSING_CLASSES = frozenset({"08", "40"})
PASSING = frozenset({"53300", "57P01", "57P02", "57P03"})
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # who follows says once that the server is away

LOST = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TooManyRequests)


class PostgresDatabase:
    """A database behind `url`, in which our tables are in `schema`; hand it to the stores of this package.

    Connections are pooled, at most `connections` of them. With `migrating` the tables are brought to what
    this release needs; without it `UnavailableError` says what is missing. With `read_only` the server
    refuses all writing; `looking` also takes a schema that is missing or not up to date, to be looked at.

    Raises `UnavailableError` where the server cannot be reached within `open_seconds` or is too old, and
    `InvalidInputError` for an URL that is none.

    >>> database = PostgresDatabase("postgresql://shop@db/shop", "foretaste_default")
    """

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        connections: int = CONNECTIONS,
        migrating: bool = True,
        read_only: bool = False,
        looking: bool = False,
        open_seconds: float = OPEN_SECONDS,
    ) -> None:
        self.schema = schema
        self.where = _without_password(url)
        self.migrated: tuple[str, ...] = ()
        """The steps that this process ran when it opened the database."""
        self._closed = False
        self._read_only = read_only or looking
        conninfo = _conninfo(url)
        self._pool: ConnectionPool[BoundedConnection] = ConnectionPool(
            conninfo,
            connection_class=BoundedConnection,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=connections,
            open=False,
            configure=self._configure,
            reconnect_timeout=RECONNECT_SECONDS,
            name=f"foretaste-{schema}",
        )
        self._pool.open()
        try:
            self.run(
                lambda connection: self._prepare(
                    connection, migrating=migrating and not read_only, looking=looking
                ),
                seconds=open_seconds,
            )
        except UnavailableError as error:
            self.close()
            if not isinstance(error.__cause__, PoolTimeout):
                raise
            raise _unreachable(self.where, _refusal(conninfo) or error.__cause__) from error
        except BaseException:
            self.close()
            raise

    @contextmanager
    def lend(self, *, seconds: float = OPERATION_SECONDS) -> Iterator[BoundedConnection]:
        """Lend a connection in autocommit for the block, which must be over within `seconds`."""
        if self._closed:
            raise UnavailableError("the database is closed")
        deadline = time.monotonic() + seconds
        try:
            connection = self._pool.getconn(timeout=min(seconds, POOL_SECONDS))
        except PoolClosed as error:
            raise UnavailableError("the database is closed") from error
        connection.deadline = deadline
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    def run(self, work: Callable[[BoundedConnection], T], *, seconds: float = OPERATION_SECONDS) -> T:
        """Return what `work` gives with a connection, begun again on another one while connections are lost.

        So `work` must be harmless to repeat. Raises `UnavailableError` once `seconds` are over.
        """
        deadline = time.monotonic() + seconds
        pause = PAUSES[0]
        while True:
            try:
                with self.lend(seconds=max(deadline - time.monotonic(), 0.001)) as connection:
                    return work(connection)
            except LOST as error:
                left = deadline - time.monotonic()
                if not _may_pass(error) or left <= pause:
                    raise self.explained(error) from error
            except (psycopg.Error, UnicodeEncodeError) as error:
                raise self.explained(error) from error
            time.sleep(random.uniform(0.0, pause))  # noqa: S311 # spreads attempts, hides nothing
            pause = min(2 * pause, PAUSES[1])

    def explained(self, error: Exception) -> ForetasteError:
        """Return an error of the driver in our words."""
        if isinstance(error, errors.DiskFull | errors.ReadOnlySqlTransaction | errors.InsufficientPrivilege):
            return UnavailableError(f"{self.where} refuses to write: {error}", retry_after=5.0)
        if isinstance(error, psycopg.Error) and error.sqlstate == TOO_MANY:
            kind = ("user", "item", "type")[int(error.diag.message_detail or 0)]
            return InvalidInputError(f"{kind}: {error.diag.message_primary}", field=kind)
        if isinstance(error, psycopg.Error) and error.sqlstate == ANOTHER_LOG:
            return CorruptDataError(
                f"{error.diag.message_primary}: the server lost events that this process knows; restart, "
                "and let commits wait for the standby (synchronous_standby_names)"
            )
        if isinstance(error, psycopg.DataError | UnicodeEncodeError | errors.ProgramLimitExceeded):
            return InvalidInputError(f"PostgreSQL cannot store this: {error}", field="id")
        return UnavailableError(
            f"{self.where} does not answer as it should ({error}); it is tried again by itself",
            retry_after=1.0,
        )

    def migrate(self) -> tuple[str, ...]:
        """Bring the tables to what this release and the server's extensions allow; return all steps run.

        Opening does that only where a step is missing, so an extension that came later waits for this.
        """
        more = self.run(lambda connection: migrate(connection, self.schema), seconds=OPEN_SECONDS)
        self.migrated = (*self.migrated, *more)
        return self.migrated

    def close(self) -> None:
        """Release all connections. Closing twice is fine."""
        self._closed = True
        self._pool.close(timeout=1.0)

    def _configure(self, connection: psycopg.Connection) -> None:
        """Make a new connection one of ours; runs before anybody gets it."""
        settings = {
            "search_path": sql.Identifier(self.schema).as_string(connection),
            "statement_timeout": f"{int(READ_SECONDS * 1000)}",
            "lock_timeout": f"{int(LOCK_SECONDS * 1000)}",
            "idle_in_transaction_session_timeout": f"{int(IDLE_SECONDS * 1000)}",
            "default_transaction_isolation": "read committed",
            "default_transaction_read_only": "on" if self._read_only else "off",
            "application_name": "foretaste",
            "jit": "off",
        }
        calls = sql.SQL(", ").join(
            sql.SQL("set_config({}, {}, false)").format(*pair) for pair in settings.items()
        )
        connection.execute(
            sql.SQL("SELECT {}, set_config('synchronous_commit', {}, false)").format(
                calls, self._synchronous()
            )
        )

    def _synchronous(self) -> sql.Composable:
        """Return how commits wait: as the server is set, but never for nothing."""
        return sql.SQL(
            "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
            " ELSE current_setting('synchronous_commit') END"
        )

    def _prepare(self, connection: BoundedConnection, *, migrating: bool, looking: bool) -> None:
        if connection.info.server_version < OLDEST_SERVER:
            raise UnavailableError(
                f"{self.where} runs PostgreSQL {connection.info.server_version // 10_000}; 14 is the oldest",
                field="database_url",
            )
        if looking or not pending(present(connection)):
            return
        if not migrating:
            raise UnavailableError(
                f"the schema {self.schema} of {self.where} is not up to date: run foretaste migrate",
                field="database_schema",
            )
        self.migrated = tuple(migrate(connection, self.schema))


def require_reachable(url: str) -> None:
    """Connect once; raise `UnavailableError` where that fails, saying why, `InvalidInputError` for no URL."""
    refused = _refusal(_conninfo(url))
    if refused is not None:
        raise _unreachable(_without_password(url), refused) from refused


def _may_pass(error: Exception) -> bool:
    """Whether asking again may help: the connection was lost, the server stops or starts, or locks met."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is None or state[:2] in PASSING_CLASSES or state in PASSING


def _conninfo(url: str) -> str:
    """Return what the driver takes; `postgresql+driver://` and `postgres://` mean the same.

    Raises `InvalidInputError` for what is none, without saying what stands there: a password may.
    """
    scheme, separator, rest = url.partition("://")
    if separator:
        url = (
            f"postgresql{separator}{rest}" if scheme.partition("+")[0] in {"postgres", "postgresql"} else url
        )
    try:
        given = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise _no_url() from None
    ports = str(given.get("port", "")).split(",")
    if not all(port.isdecimal() or not port for port in ports) or "@" in str(given.get("dbname", "")):
        raise _no_url()  # a password was cut where it has a slash or another sign of an URL
    return psycopg.conninfo.make_conninfo("", **{"connect_timeout": CONNECT_SECONDS, **given})


def _no_url() -> InvalidInputError:
    return InvalidInputError(
        "database_url is no PostgreSQL URL, as postgresql://user:password@host:5432/name?option=value with "
        "options of libpq; what is not a letter or digit in a password is written as %2F or the like",
        field="database_url",
    )


def _refusal(conninfo: str) -> psycopg.Error | None:
    """Return why the server takes no connection, which a pool that waited in vain does not say."""
    try:
        psycopg.connect(conninfo, connect_timeout=CONNECT_SECONDS).close()
    except psycopg.Error as error:
        return error
    return None


def _unreachable(where: str, reason: Exception) -> UnavailableError:
    words = " ".join(str(reason).split())
    return UnavailableError(
        f"{where} cannot be opened ({words}); start it, or correct database_url", field="database_url"
    )


def _without_password(url: str) -> str:
    """Return where the database is, fit for messages."""
    try:
        given = psycopg.conninfo.conninfo_to_dict(_conninfo(url))
    except InvalidInputError:
        return "the database"
    return f"{given.get('host', 'localhost')}:{given.get('port', 5432)}/{given.get('dbname', '')}"
