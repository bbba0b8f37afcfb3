"""Scores of several recommenders as a table."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from foretaste.evaluation.judgement import Score


def score_table(scores: Sequence[Score], k: int) -> Table:
    """Return accuracy (NDCG with its interval), coverage and novelty, one row per recommender."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in score_heads(k):
        table.add_column(name, justify="left" if name == "" else "right", no_wrap=True)
    for score in scores:
        table.add_row(*score_cells(score))
    return table


def score_heads(k: int) -> list[str]:
    """Return the names of the columns; the first is empty."""
    return ["", f"NDCG@{k} (95 %)", f"HR@{k}", f"MRR@{k}", "cover", "novelty"]


def score_cells(score: Score) -> list[str]:
    """Return one row."""
    best, hits, rank = (score.accuracy[metric] for metric in ("ndcg", "hit_rate", "mrr"))
    interval = f"{best.value:.4f} [{best.low:.3f}, {best.high:.3f}]"
    others = [f"{hits.value:.3f}", f"{rank.value:.3f}", f"{score.coverage:.2f}", f"{score.novelty.value:.1f}"]
    return [score.name, interval, *others]
