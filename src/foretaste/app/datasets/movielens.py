"""MovieLens-100K: 100,000 ratings of 1,682 films by 943 people, 1997 to 1998."""

import hashlib
import io
import re
import sys
import zipfile
from pathlib import Path

import polars as pl

from foretaste.adapters.files.event_table import Events
from foretaste.adapters.files.reading import read_events
from foretaste.app.datasets.cache import cache_directory
from foretaste.app.datasets.wheels import download, fetch_wheel
from foretaste.domain.errors import CorruptDataError
from foretaste.domain.item import Item

ARCHIVE = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
ARCHIVE_SECONDS = 5.0
WHEEL = ("recbole", "1.2.1", "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407")
WHEEL_FOLDER = "recbole/dataset_example/ml-100k"
RATINGS_DIGEST = "f30dc7fc1d0a843b086c92eb2fab6a21a99a3d1acc149cfb73b3e6594a8d394b"
FILMS = 1682
NOTICE = """\
MovieLens 100K is by GroupLens Research at the University of Minnesota. It may be used for research,
not redistributed, and not used commercially without permission; cite: F. M. Harper and J. A. Konstan
(2015), The MovieLens Datasets: History and Context, ACM TiiS 5(4), doi 10.1145/2827872.
It is kept in {folder} and never becomes part of the project.
"""
ARTICLE = re.compile(
    r"^(?P<name>.+), (?P<article>The|A|An|Les|La|Le|L'|Das|Der|Die|Il|El|I)(?P<rest> \(.*\))?$"
)
YEAR = re.compile(r" \((\d{4})\)$")
GENRE_FLAGS = 5


def movielens_100k(*, cache: str | Path | None = None) -> Events:
    """Return the ratings as events of type `rating`, oldest first, with the films as items.

    The first call downloads the official archive, or, where that does not answer within seconds, the
    `recbole` wheel that carries the same files; the ratings are verified by their digest. Later calls
    read the copy in `cache` (default: `FORETASTE_CACHE` or the user's cache folder) and need no network.
    The data's licence is written to standard error once, when it is downloaded.

    Raises `UnavailableError` where neither source can be reached.

    >>> events = ft.datasets.movielens_100k()
    >>> events.items[0].title, events.items[0].categories
    ('Toy Story', ('Animation', "Children's", 'Comedy'))
    """
    folder = Path(cache) if cache else cache_directory()
    ratings_file, films_file = folder / "ml-100k.ratings.parquet", folder / "ml-100k.films.parquet"
    if not (ratings_file.is_file() and films_file.is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        ratings, films = _downloaded()
        _store(films, films_file)
        _store(ratings, ratings_file)
        sys.stderr.write(NOTICE.format(folder=folder))
    ratings, films = pl.read_parquet(ratings_file), pl.read_parquet(films_file)
    _verify(ratings, films)
    in_time = ratings.sort("timestamp", maintain_order=True)
    return read_events(
        in_time, event_type="rating", items=[_item(film) for film in films.iter_rows(named=True)]
    )


def _downloaded() -> tuple[pl.DataFrame, pl.DataFrame]:
    try:
        content = download(ARCHIVE, ARCHIVE_SECONDS)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = _from_archive(archive)
            _verify(*found)
            return found
    except (OSError, zipfile.BadZipFile, KeyError, CorruptDataError):
        with zipfile.ZipFile(io.BytesIO(fetch_wheel(*WHEEL))) as wheel:
            found = _from_wheel(wheel)
        _verify(*found)
        return found


def _from_archive(archive: zipfile.ZipFile) -> tuple[pl.DataFrame, pl.DataFrame]:
    ratings = _table(archive.read("ml-100k/u.data"), ["user_id", "item_id", "rating", "timestamp"])
    genres = [line.split("|")[0] for line in archive.read("ml-100k/u.genre").decode("latin-1").split("\n")]
    films = []
    for line in archive.read("ml-100k/u.item").decode("latin-1").splitlines():
        fields = line.split("|")
        year = YEAR.search(fields[1].strip())
        flags = zip(genres, fields[GENRE_FLAGS:], strict=False)
        films.append(
            {
                "item_id": fields[0],
                "title": YEAR.sub("", fields[1].strip()),
                "year": int(year[1]) if year else None,
                "genres": [genre for genre, flag in flags if flag == "1"],
            }
        )
    return ratings, pl.DataFrame(films)


def _from_wheel(wheel: zipfile.ZipFile) -> tuple[pl.DataFrame, pl.DataFrame]:
    ratings = _table(
        wheel.read(f"{WHEEL_FOLDER}/ml-100k.inter").partition(b"\n")[2],
        ["user_id", "item_id", "rating", "timestamp"],
    )
    films = _table(
        wheel.read(f"{WHEEL_FOLDER}/ml-100k.item").partition(b"\n")[2],
        ["item_id", "title", "year", "genres"],
    ).with_columns(pl.col("year").cast(pl.Int64, strict=False), pl.col("genres").str.split(" "))
    return ratings, films


def _table(content: bytes, names: list[str]) -> pl.DataFrame:
    return pl.read_csv(
        io.BytesIO(content),
        has_header=False,
        separator="\t",
        new_columns=names,
        infer_schema=False,
        quote_char=None,
    )


def _verify(ratings: pl.DataFrame, films: pl.DataFrame) -> None:
    lines = ratings.select(
        pl.concat_str("user_id", "item_id", "rating", "timestamp", separator="\t")
    ).to_series()
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    if digest != RATINGS_DIGEST or films.height != FILMS:
        raise CorruptDataError(
            "the MovieLens-100K files are not the published ones; remove them from the cache folder "
            "(FORETASTE_CACHE) to download them again",
            field="FORETASTE_CACHE",
        )


def _store(frame: pl.DataFrame, path: Path) -> None:
    """Write a file that is there as a whole or not at all."""
    partial = path.with_suffix(".partial")
    frame.write_parquet(partial)
    partial.replace(path)


def _item(film: dict[str, object]) -> Item:
    title, year, genres = film["title"], film["year"], film["genres"]
    known = not str(title).startswith("unk")
    return Item(
        item_id=str(film["item_id"]),
        title=_readable(str(title)) if known else "",
        categories=tuple(genre for genre in genres if genre != "unknown") if isinstance(genres, list) else (),
        attributes={"year": float(year)} if isinstance(year, int) else {},
    )


def _readable(title: str) -> str:
    """Return `Godfather, The` as `The Godfather`."""
    match = ARTICLE.match(title)
    if not match:
        return title
    blank = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{blank}{match['name']}{match['rest'] or ''}"
