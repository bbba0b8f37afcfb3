"""Delta tables: where they are, how they are opened, read and made to last."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from foretaste.domain.errors import CorruptDataError, InvalidInputError, NotFoundError, UnavailableError
from foretaste.ports.event_archive import AsOf

SCHEME = "delta://"
FILE = "file://"
LOG = "_delta_log"
COLOURS = re.compile("\x1b\\[[0-9;]*m")
BACKTRACE = re.compile(r"^\s+0: ", re.MULTILINE)


def location(url: str | Path) -> str:
    """Return where a table is: `delta:///folder` and paths are folders, other URLs stay as they are.

    The credentials of object stores come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).

    Raises `InvalidInputError` for a URL without a place.
    """
    place = str(url).removeprefix(SCHEME).removeprefix(FILE)
    if not place:
        raise InvalidInputError(
            f"{url} names no place; write a folder, as {SCHEME}/srv/archive, or s3://bucket/archive",
            field="archive",
        )
    return place if "://" in place else str(Path(place).absolute())


def open_table(place: str, as_of: AsOf | None = None) -> DeltaTable:
    """Return the table at `place`, now or as of a version or moment.

    Raises `NotFoundError` where there is no table or no such version, `CorruptDataError` where its log is
    damaged, and `UnavailableError` where the place cannot be reached.
    """
    try:
        with reachable(place):
            version = _newest(place, as_of) if isinstance(as_of, datetime) else as_of
            return DeltaTable(place, version=version)
    except TableNotFoundError as error:
        raise NotFoundError(f"{place}: there is no Delta table", field="archive") from error
    except (DeltaError, OverflowError) as error:
        if as_of is None:
            raise CorruptDataError(
                f"{place}: the table's log cannot be read: {reason(error)}", field="archive"
            ) from error
        raise NotFoundError(
            f"{place}: there is no version {as_of}: {reason(error)}", field="as_of"
        ) from error


def _newest(place: str, moment: datetime) -> int:
    """Return which version was the newest at a moment."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    for entry in DeltaTable(place).history():
        if entry["timestamp"] <= aware.timestamp() * 1000:
            return int(entry["version"])
    raise NotFoundError(f"{place}: its first version is younger than {moment.isoformat()}", field="as_of")


def query(table: DeltaTable, sql: str) -> Iterator[pl.DataFrame]:
    """Yield the rows that `sql` selects from `events`, which is the table, in pieces.

    Raises `NotFoundError` where a file of this version was pruned, else `UnavailableError`.
    """
    try:
        for batch in QueryBuilder().register("events", table).execute(sql):
            yield pl.DataFrame(batch)
    except Exception as error:
        place = table.table_uri
        if "not found" in str(error).lower():
            raise NotFoundError(
                f"{place}: files of this version are pruned: {reason(error)}", field="as_of"
            ) from error
        raise UnavailableError(f"{place} cannot be read now: {reason(error)}", field="archive") from error


def reason(error: Exception) -> str:
    """Return what the driver says in one line, without colours and without its own backtrace."""
    return " ".join(BACKTRACE.split(COLOURS.sub("", str(error)), maxsplit=1)[0].split())


@contextmanager
def reachable(place: str) -> Iterator[None]:
    """Turn what a store raises that is away or full into `UnavailableError`."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"{place} cannot be used now: {reason(error)}. Check path, space and credentials", field="archive"
        ) from error


def synchronize(table: DeltaTable) -> None:
    """Let the newest version survive a loss of power: writes a folder's files through to the disk.

    Object stores do that before they answer.
    """
    if not table.table_uri.startswith(FILE):
        return
    root = Path(unquote(table.table_uri.removeprefix(FILE)))
    commit = root / LOG / f"{table.version():020}.json"
    actions = [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines()]
    added = [root / unquote(action["add"]["path"]) for action in actions if "add" in action]
    for path in (*added, *{piece.parent for piece in added}, commit, commit.parent, root):
        _synchronize(path)


def _synchronize(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
