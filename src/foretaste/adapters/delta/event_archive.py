"""The event archive as a Delta table."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from foretaste.adapters.delta.event_rows import COLUMNS, DAY, SCHEMA, events_of, frame_of
from foretaste.adapters.delta.table import location, open_table, query, reachable, reason, synchronize
from foretaste.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from foretaste.ports.event_archive import ArchiveVersion, AsOf, Numbered

ATTEMPTS = 8
"""How often a commit is tried again that others, who did not archive, were in the way of."""
APPLICATION = "foretaste/"
SMALL_BYTES = 64 << 20


class DeltaEventArchive:
    """`EventArchive` in a Delta table, readable by Spark and whatever else reads Delta.

    `url` is a folder or `delta:///folder`, or an object store (`s3://bucket/archive`); the table is made if
    absent, partitioned by the UTC day of the events. One table holds one namespace.

    Each commit carries the application transaction `foretaste/<namespace>` with the last number archived:
    the table accepts a number once, whoever writes, so a commit that another archiver was faster with fails.

    The table is looked at when it is first used: every method raises `InvalidInputError` where it is none of
    this namespace's archive, and `UnavailableError` where the place cannot be reached.
    """

    def __init__(self, url: str | Path, *, namespace: str = "default") -> None:
        self.place = location(url)
        self._application = APPLICATION + namespace
        self._is_ours = False

    def last_seq(self) -> int:
        """Return the number of the last event archived, 0 for none."""
        return self._reached(self._table())

    def append(self, after: int, events: Sequence[Numbered]) -> bool:
        """Write the events that follow number `after`; return False, nothing written, if it is not the last.

        Raises `UnavailableError` where it cannot be written now.
        """
        frame = frame_of(events)
        for _ in range(ATTEMPTS):
            table = self._table()
            if self._reached(table) != after:
                return False
            if self._committed(table, frame):
                synchronize(table)
                return True
        raise UnavailableError(f"{self.place}: others change the table all the time", field="archive")

    def read(self, after: int, limit: int, *, as_of: AsOf | None = None) -> list[Numbered]:
        """Return up to `limit` events above `after` in the order of the log, now or as of then.

        Raises `NotFoundError` for a version that there never was or that is pruned.
        """
        wanted = f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq > {after:d} ORDER BY seq LIMIT {limit:d}"  # noqa: S608 # numbers
        return [event for frame in query(self._table(as_of), wanted) for event in events_of(frame)]

    def versions(self) -> list[ArchiveVersion]:
        """Return the versions there are records of, oldest first."""
        return [
            ArchiveVersion(
                number=entry["version"], time=entry["timestamp"] * 1000, change=entry["operation"].lower()
            )
            for entry in reversed(self._table().history())
        ]

    def compact(self, least: int = 2) -> int:
        """Join the files of each day that is in `least` small ones or more; return how many were replaced.

        A day that somebody else writes at this moment is left for the next time. It holds one day's events
        in memory. (The driver's own compaction does not notice another one at the same time: events would
        double.)
        """
        files = pl.DataFrame(self._table().get_add_actions(flatten=True))
        small = (pl.col("size_bytes") < SMALL_BYTES).sum().alias("small")
        days = files.group_by(day=f"partition.{DAY}").agg(small, pl.len().alias("files"))
        worth_it = days.filter(pl.col("small") >= least).sort("day").select("day", "files")
        return sum(count for day, count in worth_it.iter_rows() if self._joined(day))

    def prune(self, keep: timedelta) -> int:
        """Remove files that no version of the last `keep` needs, and those that killed archivers left.

        `keep` counts in whole hours and is to be longer than any `append` takes: with 0 nobody else may be
        writing.
        """
        hours = int(keep / timedelta(hours=1))
        with reachable(self.place):
            removed = self._table().vacuum(
                retention_hours=hours, dry_run=False, enforce_retention_duration=False, full=True
            )
        return len(removed)

    def _committed(self, table: DeltaTable, frame: pl.DataFrame) -> bool:
        """Write `frame` as the version after `table`'s; return False where another commit is in the way."""
        mark = self._mark(int(frame["seq"][-1]))
        try:
            with reachable(self.place):
                write_deltalake(table, frame, mode="append", commit_properties=mark)
        except CommitFailedError:
            return False
        except DeltaError as error:
            raise UnavailableError(
                f"{self.place} cannot be written: {reason(error)}", field="archive"
            ) from error
        return True

    def _joined(self, day: date) -> bool:
        """Replace the files of a day by as few as can be; return False where somebody else writes it now."""
        table = self._table()
        of_day = f"{DAY} = '{day.isoformat()}'"
        wanted = f"SELECT {', '.join(COLUMNS)} FROM events WHERE {of_day} ORDER BY seq"  # noqa: S608 # a date
        pieces = list(query(table, wanted))
        if not pieces:
            return False
        try:
            with reachable(self.place):
                write_deltalake(table, pl.concat(pieces), mode="overwrite", predicate=of_day)
        except CommitFailedError:
            return False
        synchronize(table)
        return True

    def _mark(self, last_seq: int) -> CommitProperties:
        """Return what a commit says of itself beside its files."""
        return CommitProperties(app_transactions=[Transaction(self._application, last_seq)])

    def _reached(self, table: DeltaTable) -> int:
        return table.transaction_version(self._application) or 0

    def _table(self, as_of: AsOf | None = None) -> DeltaTable:
        """Return the table, made if absent, now or as of then."""
        if not self._is_ours:
            self._require_ours(self._opened_or_made())
            self._is_ours = True
        return open_table(self.place, as_of)

    def _opened_or_made(self) -> DeltaTable:
        try:
            return open_table(self.place)
        except NotFoundError:
            try:
                with reachable(self.place):
                    made = DeltaTable.create(
                        self.place,
                        SCHEMA,
                        partition_by=[DAY],
                        name=self._application,
                        description="All events, each once, in the order of `seq`.",
                    )
            except DeltaError:  # another archiver made it at the same moment
                return open_table(self.place)
            synchronize(made)
            return made

    def _require_ours(self, table: DeltaTable) -> None:
        """Raise `InvalidInputError` for a table that is not this namespace's archive."""
        name = table.metadata().name
        if name != self._application:
            raise InvalidInputError(
                f"{self.place} is the table {name!r}, not {self._application!r}; each namespace has an "
                "archive of its own, name another place",
                field="archive",
            )
        if table.schema() != SCHEMA or table.metadata().partition_columns != [DAY]:
            raise InvalidInputError(
                f"{self.place} has other columns than an archive of this version: {table.schema().to_json()}",
                field="archive",
            )
