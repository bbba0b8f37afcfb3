"""What keeps a process in step with the others that write to the same PostgreSQL."""

import logging
import random
import time
from threading import Event, Thread

import msgspec

from foretaste.adapters.postgres.connection import BoundedConnection
from foretaste.adapters.postgres.database import PostgresDatabase
from foretaste.adapters.postgres.event_log import BusyError, PostgresEventLog
from foretaste.adapters.postgres.text import escaped, unescaped
from foretaste.domain.errors import ForetasteError, UnavailableError
from foretaste.domain.item import Attribute
from foretaste.ports.freshness import Head, PeopleChange

SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 0.1
"""Seconds between looks at the log: short while there is news, long while there is none."""
AWAY_PAUSE = 0.5
"""Longest pause while the database is away; each is drawn by lot."""
PATIENCE = 4.0
"""So much longer than for the head an answer waits for what is missing, which is on its way."""
CHECK_SECONDS = 10.0
"""Seconds between looks at whether it is still the same log."""
ANSWER_SECONDS = 0.25
"""How long an answer waits for what it must know, before it is given from what is known."""
FOLLOW_SECONDS = 2.0
"""How long one look of the background thread may take."""

HEAD = "SELECT * FROM head_of(%s)"
PEOPLE = "SELECT version, forgotten FROM people"
CHANGED = "SELECT user_id, content FROM profile WHERE version > %s"

_decode = msgspec.json.Decoder(dict[str, Attribute]).decode
_log = logging.getLogger(__name__)


class PostgresFollower:
    """`Freshness` for the process that has `log` open; begins to follow at once.

    While the database is away, the background thread is the only one that asks it.
    """

    def __init__(
        self, database: PostgresDatabase, log: PostgresEventLog, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._database = database
        self._event_log = log
        self._answer_seconds = answer_seconds
        self._available = True
        self._trouble = ""
        self._at_end = time.monotonic()
        self._check_due = self._at_end + CHECK_SECONDS
        self._closing = Event()
        self._thread = Thread(target=self._run, name="foretaste-follower", daemon=True)
        self._thread.start()

    def head_of(self, user_id: str | None) -> Head:
        """Return how far the truth is; the number is 0 for nobody and for one who has no event."""
        self._require_available()
        asked = (None if user_id is None else _asked(user_id),)
        try:
            found = self._database.run(
                lambda connection: connection.execute(HEAD, asked, binary=True).fetchone(),
                seconds=self._answer_seconds,
            )
        except UnavailableError:
            self._available = False
            raise
        user_seq, catalog_version, people_version = found or (0, 0, 0)
        return Head(user_seq=user_seq, catalog_version=catalog_version, people_version=people_version)

    def catch_up(self, seq: int) -> None:
        """Follow the log up to number `seq` at least."""
        if self._event_log.told_seq() >= seq:
            return
        self._require_available()
        self._event_log.catch_up(seq, seconds=PATIENCE * self._answer_seconds)

    def people_after(self, version: int) -> PeopleChange:
        """Return what was told of people after `version`."""
        self._require_available()

        def work(connection: BoundedConnection) -> PeopleChange:
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                present, forgotten = connection.execute(PEOPLE).fetchall()[0]
                is_all = forgotten > version
                rows = connection.execute(CHANGED, (-1 if is_all else version,), binary=True).fetchall()
            people = {unescaped(user_id): _decode(content) for user_id, content in rows}
            return PeopleChange(version=present, people=people, is_all=is_all)

        return self._database.run(work, seconds=FOLLOW_SECONDS)

    def settle(self) -> None:
        """Nothing to wait for: others ask for the versions before each answer."""

    def lag_seconds(self) -> float:
        """Return for how long the end of the log has not been seen: how old the state may be."""
        return time.monotonic() - self._at_end

    def trouble(self) -> str:
        """Return why the log could not be followed when it was looked at last; empty where it was."""
        return "" if self._available else self._trouble

    def close(self) -> None:
        """Follow no more. Closing twice is fine."""
        self._closing.set()
        self._thread.join()

    def _require_available(self) -> None:
        if not self._available:
            raise UnavailableError(
                f"{self._database.where} is away; it is tried again by itself", field="database_url"
            )

    def _run(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._closing.wait(pause):
            began, before = time.monotonic(), self._event_log.last_seq()
            try:
                if not self._available or began > self._check_due:
                    self._event_log.require_same_log()
                    self._check_due = began + CHECK_SECONDS
                at_end = self._event_log.catch_up(seconds=FOLLOW_SECONDS)
            except BusyError:
                continue
            except ForetasteError as error:
                if self._available:
                    _log.warning("the log cannot be followed: %s", error.message)
                self._available = False
                self._trouble = error.message
                pause = random.uniform(LONGEST_PAUSE, AWAY_PAUSE)  # noqa: S311 # spreads attempts, hides nothing
                continue
            if at_end:
                self._at_end = began
            if not self._available:
                _log.warning("the log is followed again")
            self._available = True
            news = self._event_log.last_seq() > before
            pause = SHORTEST_PAUSE if news else min(pause * 1.5, LONGEST_PAUSE)


def _asked(user_id: str) -> str | None:
    """Return an id as it is stored, None for one that cannot be."""
    try:
        user_id.encode()
    except UnicodeEncodeError:
        return None
    return escaped(user_id)
