"""What an evaluation found, in every form in which one reads or keeps it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from foretaste.app.judging.drawing import drawn_curve
from foretaste.app.judging.html_report import html_table, page, section
from foretaste.app.judging.panels import panels_of
from foretaste.app.judging.sheets import (
    Sheet,
    accuracy_sheet,
    curve_sheet,
    factor_sheet,
    group_sheet,
    kind_sheet,
    markdown,
)
from foretaste.domain.errors import InvalidInputError
from foretaste.evaluation.bootstrap import Interval
from foretaste.evaluation.figures import written
from foretaste.evaluation.judgement import Score
from foretaste.evaluation.liveness import Liveness
from foretaste.evaluation.regret import Regret
from foretaste.training.trade_off import Point

WIDTH = 110
NOTHING_ASKED = (
    "nothing was judged: in the part that judges, nobody who is known from the other parts takes to anything "
    "new; learn from more events, or try another protocol"
)
KINDS_OF_LISTS = ("novelty", "diversity", "serendipity", "popularity", "lift", "calibration")


@dataclass(frozen=True)
class Evaluation:
    """What everyone scored on the same questions: the recommender (`blend`), its sources, peers, chance.

    Prints as tables, in a terminal and in a notebook; `to_polars`, `to_markdown` and `to_json` give the same
    for other uses, and `foretaste evaluate --out DIR` writes all of them. `questions` about `people` were
    asked out of `possible` ones, `split` says how events were divided. `factors` says by how much the blend's
    precision is that of popularity and chance, `regret` how it stands to the best single source. `liveness`
    is there where events have times, `groups` (shares of items and of history by group) and `curve` (see
    `ft.judge`) where they were asked for. `version` is a digest of what was learnt before the judging part
    was opened.
    """

    scores: tuple[Score, ...]
    questions: int
    possible: int
    k: int
    words: str
    protocol: str = "live"
    kind: str = "time"
    split: str = ""
    people: int = 0
    seed: int = 0
    version: str = ""
    factors: Mapping[str, Interval] = field(default_factory=dict)
    regret: Regret | None = None
    liveness: Liveness | None = None
    grouped_by: str = ""
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[Point, ...] = ()

    def __getitem__(self, name: str) -> Score:
        """Return the scores of `blend`, of one source, of a peer, or of `random`."""
        return next(score for score in self.scores if score.name == name)

    def sheets(self) -> list[Sheet]:
        """Return all tables, as text; none where no question was asked."""
        if not self.questions:
            return []
        found = [accuracy_sheet(self.scores, self.k), kind_sheet(self.scores)]
        if self.factors:
            found.append(factor_sheet(self.factors, self.k))
        if self.groups:
            found.append(group_sheet(self.grouped_by, self.groups, self.scores))
        if self.curve:
            found.append(curve_sheet(self.curve, self.k))
        return found

    def remarks(self) -> list[str]:
        """Return what is to be said beside the tables, a sentence each."""
        found = [self.words]
        if not self.questions:
            found.append(NOTHING_ASKED)
        if self.split:
            found.append(f"split {self.split}")
        if self.regret is not None:
            found.append(f"blend {self.regret.words}")
        if self.liveness is not None:
            live = self.liveness
            found.append(
                f"{live.changed:.1%} of answers change with an event ({live.events:,} tried, its item taken "
                f"out of both), {live.own_lists:.1%} of {live.people:,} people have a list of their own, "
                f"{live.cold_served:.1%} of strangers get a full list"
            )
        found += [f"left out: {source} ({reason})" for source, reason in self.failures.items()]
        return found

    def to_polars(self) -> pl.DataFrame:
        """Return one row per recommender and metric: name, metric, value, low, high."""
        rows: list[tuple[str, str, float, float | None, float | None]] = []
        for score in self.scores:
            found = {**score.accuracy, **{name: getattr(score, name) for name in KINDS_OF_LISTS}}
            rows += [
                (score.name, metric, interval.value, interval.low, interval.high)
                for metric, interval in found.items()
                if interval is not None
            ]
            rows += [
                (score.name, metric, float(getattr(score, metric)), None, None)
                for metric in ("coverage", "gini", "own_lists")
            ]
        schema = {
            "name": pl.String,
            "metric": pl.String,
            **dict.fromkeys(("value", "low", "high"), pl.Float64),
        }
        return pl.DataFrame(rows, schema=schema, orient="row")

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain dictionaries, lists, texts and numbers.

        Figures that are infinite, as factors over what foretold nothing, are the text `Infinity`, which
        `float` reads, since JSON has no number for it.
        """
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields["questions_possible"] = fields.pop("possible")
        return dict(written(fields))

    def to_markdown(self) -> str:
        """Return remarks and tables as Markdown."""
        return "\n\n".join((*self.remarks(), *map(markdown, self.sheets()))) + "\n"

    def save(self, folder: str | Path) -> list[Path]:
        """Write report.html (one file, nothing loaded), .md, .json and .csv into `folder`, made if absent."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        parts = [section(sheet) for sheet in self.sheets()]
        if self.curve:
            parts.insert(1, f"<h2>What variety costs</h2>{drawn_curve(panels_of(self.curve, self.k))}")
        title = f"How good the recommendations are ({self.protocol})"
        written = {
            "report.html": page(title, self.remarks(), parts),
            "report.md": f"# {title}\n\n{self.to_markdown()}",
            "report.json": msgspec.json.format(msgspec.json.encode(self.to_json()), indent=1).decode(),
            "report.csv": self.to_polars().write_csv(),
        }
        for name, text in written.items():
            (target / name).write_text(text, encoding="utf-8")
        return [target / name for name in written]

    def save_curve(self, folder: str | Path) -> list[Path]:
        """Write curve.png and curve.html (one file, nothing loaded) into `folder`, made if absent.

        Raises `MissingExtraError` without matplotlib, `InvalidInputError` where no curve was asked for.
        """
        if not self.curve:
            raise InvalidInputError("there is no curve: ask for it, ft.judge(..., curve=True)", field="curve")
        plots = import_module("foretaste.app.judging.plots")
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        panels = panels_of(self.curve, self.k)
        plots.save_curve(panels, target / "curve.png")
        parts = [drawn_curve(panels), section(curve_sheet(self.curve, self.k))]
        (target / "curve.html").write_text(page("What variety costs", self.remarks()[:2], parts), "utf-8")
        return [target / "curve.png", target / "curve.html"]

    def __rich__(self) -> Group:
        parts: list[Text | Table] = [Text("\n".join(self.remarks()))]
        for sheet in self.sheets():
            parts += [Text(sheet.title, style="bold"), _table(sheet)]
            parts += [Text(sheet.note, style="dim")] if sheet.note else []
        return Group(*parts)

    def __repr__(self) -> str:
        written = io.StringIO()
        Console(file=written, width=WIDTH, color_system=None, markup=False, emoji=False).print(self)
        return "\n".join(line.rstrip() for line in written.getvalue().splitlines())

    __str__ = __repr__

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{escape(remark)}</p>" for remark in self.remarks())
        return said + "".join(map(html_table, self.sheets()))


def _table(sheet: Sheet) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in sheet.heads:
        table.add_column(name, justify="left" if name in {"", "setting"} else "right", no_wrap=True)
    for row in sheet.rows:
        table.add_row(*map(Text, row))
    return table
