"""A slate as one meets it in Python: a sequence that prints as a table."""

import io
from collections.abc import Iterator
from html import escape

import msgspec
import polars as pl
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from foretaste.domain import slate as domain
from foretaste.domain.slate import Evidence, ScoredItem

FRAME_SCHEMA = {
    "user_id": pl.String,
    "rank": pl.Int32,
    "item_id": pl.String,
    "title": pl.String,
    "score": pl.Float64,
    "match": pl.Float64,
    "source": pl.String,
    "reason": pl.String,
}
WIDTH = 110


class Slate(domain.Slate, frozen=True, kw_only=True):
    """An answer: items in an order, each with its score, its chance to please and the reason.

    Iterate over it, index it, take its `len`; it prints as a table in a terminal and in a notebook.

    >>> slate = rec.recommend("196", k=3)
    >>> [place.item_id for place in slate]
    ['242', '302', '51']
    >>> slate[0].match, slate[0].reason
    (0.81, 'because you rated Contact')
    >>> slate.to_polars().write_csv("for_196.csv")
    """

    def __iter__(self) -> Iterator[ScoredItem]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> ScoredItem:
        return self.items[place]

    def __bool__(self) -> bool:
        return True

    def to_polars(self) -> pl.DataFrame:
        """Return one row per place: user_id, rank, item_id, title, score, match, source, reason."""
        return slate_frame([self])

    def __rich__(self) -> Group:
        return _shown(self)

    def __repr__(self) -> str:
        written = io.StringIO()
        Console(file=written, width=WIDTH, color_system=None, markup=False, emoji=False).print(_shown(self))
        return "\n".join(line.rstrip() for line in written.getvalue().splitlines())

    __str__ = __repr__

    def _repr_html_(self) -> str:
        explained = any(place.explanation for place in self.items)
        heads = ["", "item", "title", "match", "why", *(["because of"] if explained else [])]
        head = "".join(f"<th>{name}</th>" for name in heads)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(place, explained)) + "</tr>"
            for place in self.items
        )
        return (
            f"<p>{escape(_title(self))}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )


def as_slate(answer: domain.Slate) -> Slate:
    """Return an answer in the form that prints."""
    return Slate(**msgspec.structs.asdict(answer))


def slate_frame(slates: list[domain.Slate] | list[Slate]) -> pl.DataFrame:
    """Return the places of slates as one frame."""
    rows = [
        (
            slate.user_id,
            place.rank,
            place.item_id,
            place.title,
            place.score,
            place.match,
            slate.source,
            place.reason,
        )
        for slate in slates
        for place in slate.items
    ]
    return pl.DataFrame(rows, schema=FRAME_SCHEMA, orient="row")


def _title(slate: domain.Slate) -> str:
    whom = "everyone" if slate.user_id is None else f"user {slate.user_id}"
    what = "similar items" if slate.scenario == "similar" else f"for {whom}: {slate.title or slate.source}"
    empty = "" if slate.items else ", nothing to show"
    return _clean(f"{what}{empty} (model {slate.model_version})")


def _shown(slate: domain.Slate) -> Group:
    title = Text(_title(slate))
    return Group(title, _table(slate)) if slate.items else Group(title)


def _table(slate: domain.Slate) -> Table:
    explained = any(place.explanation for place in slate.items)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("item", no_wrap=True, max_width=24)
    table.add_column("title", ratio=2)
    table.add_column("match", justify="right", no_wrap=True)
    table.add_column("why", ratio=3)
    if explained:
        table.add_column("because of", ratio=3)
    for place in slate.items:
        table.add_row(*(Text(cell) for cell in _cells(place, explained)))
    return table


def _cells(place: ScoredItem, explained: bool) -> list[str]:
    match = f"{place.match:.0%}" if place.match else ""
    cells = [str(place.rank), place.item_id, place.title, match, place.reason]
    if explained:
        cells.append(", ".join(_evidence(past) for past in place.explanation or ()))
    return [_clean(cell) for cell in cells]


def _evidence(past: Evidence) -> str:
    return f"{past.item_name or past.item_id} {past.contribution_pct:.0f} %"


def _clean(text: str) -> str:
    """Return `text` without control characters, which could steer a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
