"""An evaluation as plain tables, the same for the terminal, HTML and Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf

from foretaste.evaluation.bootstrap import Interval
from foretaste.evaluation.figures import factor
from foretaste.evaluation.judgement import Score
from foretaste.training.trade_off import Point

ACCURACY = {"recall": "recall", "precision": "prec", "hit_rate": "HR", "mrr": "MRR", "map": "MAP"}
KIND = ("cover", "Gini", "novel", "div.", "seren", "popul", "lift", "cal.", "own")
KNOBS = {"diversity_lambda": "diversity", "popularity_correction": "popularity"}
SHIPS = " *"
UNBOUNDED = "infinite: that one foretold nothing, or in some drawings of other people like these it did not"
COMPARED = ("blend", "popularity", "random")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text; the first column names the row, the others are numbers."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def accuracy_sheet(scores: Sequence[Score], k: int) -> Sheet:
    """Return how well the lists foretold, best first by NDCG."""
    heads = ["", f"NDCG@{k} (95 %)", *ACCURACY.values()]
    rows = []
    for score in by_ndcg(scores):
        best = score.accuracy["ndcg"]
        rest = [f"{score.accuracy[metric].value:.3f}" for metric in ACCURACY]
        rows.append([score.name, _interval(best), *rest])
    return Sheet(f"Accuracy of the first {k} places", heads, rows)


def kind_sheet(scores: Sequence[Score]) -> Sheet:
    """Return what the lists are like besides."""
    rows = [
        [
            score.name,
            f"{score.coverage:.3f}",
            f"{score.gini:.2f}",
            f"{score.novelty.value:.2f}",
            _value(score.diversity, "{:.3f}"),
            _value(score.serendipity, "{:.3f}"),
            _value(score.popularity, "{:.3f}"),
            _value(score.lift, "{:+.0%}"),
            _value(score.calibration, "{:.2f}"),
            f"{score.own_lists:.0%}",
        ]
        for score in by_ndcg(scores)
    ]
    note = (
        "cover: share of all items listed; Gini: inequality of exposure; novel: bits; div.: mean distance "
        "within a list; seren: hits that popularity would not list, per place; popul: share of people who "
        "had the listed items; lift: the same against what people had themselves; cal.: divergence of the "
        "categories listed from those had, nats; own: people with a list nobody else gets"
    )
    return Sheet("The kind of lists", ["", *KIND], rows, note)


def factor_sheet(factors: Mapping[str, Interval], k: int) -> Sheet:
    """Return by what factor the blend is ahead of the others."""
    rows = [
        [f"{rival}", f"{factor(found.value)} [{factor(found.low)}, {factor(found.high)}]"]
        for rival, found in factors.items()
    ]
    note = UNBOUNDED if any(isinf(found.high) for found in factors.values()) else ""
    return Sheet(f"Precision@{k} of the blend is so many times that of", ["", "factor (95 %)"], rows, note)


def group_sheet(attribute: str, shares: Mapping[str, Mapping[str, float]], scores: Sequence[Score]) -> Sheet:
    """Return which share of attention each group of items gets, beside those of all items and of history."""
    exposed = {
        score.name: score.exposure
        for score in scores
        if score.exposure is not None and score.name in COMPARED
    }
    columns = {**shares, **exposed}
    groups = next(iter(columns.values()))
    rows = [[group, *(f"{of[group]:.1%}" for of in columns.values())] for group in groups]
    title = f"Share of exposure by {attribute}"
    return Sheet(title, ["", *columns], rows, "in a list, a place counts 1 / log2(1 + place)")


def curve_sheet(points: Sequence[Point], k: int) -> Sheet:
    """Return what each setting gives."""
    heads = ["setting", f"NDCG@{k} (95 %)", "div.", "novel", "cover", "Gini", "popul", "calib"]
    rows = []
    for point in points:
        score, best = point.score, point.score.accuracy["ndcg"]
        rows.append(
            [
                f"{KNOBS[point.knob]} {point.setting:g}{SHIPS if point.usual else ''}",
                _interval(best),
                _value(score.diversity, "{:.3f}"),
                f"{score.novelty.value:.2f}",
                f"{score.coverage:.3f}",
                f"{score.gini:.3f}",
                _value(score.popularity, "{:.3f}"),
                _value(score.calibration, "{:.2f}"),
            ]
        )
    note = f"{SHIPS.strip()}: as it ships; diversity: diversity_lambda, popularity: popularity_correction"
    return Sheet("Accuracy and variety by setting", heads, rows, note)


def by_ndcg(scores: Sequence[Score]) -> list[Score]:
    """Return the scores, best first."""
    return sorted(scores, key=lambda score: -score.accuracy["ndcg"].value)


def markdown(sheet: Sheet) -> str:
    """Return a sheet as Markdown."""
    lines = [f"| {' | '.join(sheet.heads)} |", f"|---|{'---:|' * (len(sheet.heads) - 1)}"]
    lines += [f"| {' | '.join(row)} |" for row in sheet.rows]
    note = f"\n\n{sheet.note}" if sheet.note else ""
    return f"### {sheet.title}\n\n" + "\n".join(lines) + note


def _interval(interval: Interval) -> str:
    low, high = (f"{end:.3f}".removeprefix("0") for end in (interval.low, interval.high))
    return f"{interval.value:.4f} [{low}, {high}]"


def _value(interval: Interval | None, form: str) -> str:
    return "-" if interval is None else form.format(interval.value)
