"""Explanations: the score that ranked an item, taken apart into what the person did before."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s, Ordinals
from foretaste.domain.slate import Evidence
from foretaste.pipeline.choosing import item_vectors
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.view import View
from foretaste.ranking.boost import explain_boost

NEGLIGIBLE = 1e-6
"""What adds no more than this to a score is what rounding leaves of nothing; items are whole units apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """The scores of k candidates as sums: Σ contribution + Σ standing - offset == score - lift - Σ asked.

    `contribution` float64 [k, len(history)] is what each history event adds, through every source and
    the boost. `standing` float64 [k, n_sources] is what sources give the item whatever the history is,
    popularity above all. The offset, `Scored.offset`, is the same for all candidates. The lift,
    `Scored.lift`, is what a ranker of slates added, 0 without; `Scored.asked` what boosts of the query did.
    """

    contribution: Doubles
    standing: Doubles


def decompose(scored: Scored, places: Int64s, view: View) -> Decomposition:
    """Take apart the scores of the candidates at `places`."""
    occasion = scored.occasion
    items = scored.candidates.item[places]
    contribution = np.zeros((len(items), len(occasion.history)))
    standing = np.zeros((len(items), len(occasion.models)))
    for source, model in enumerate(occasion.models):
        scale = scored.scale[source]
        if scale == 0.0:
            continue
        parts = scale * model.explain_each(occasion.history, items, occasion.moment).astype(np.float64)
        contribution += parts
        standing[:, source] = scale * scored.candidates.score[source, places] - parts.sum(axis=1)
    if occasion.interest is not None:
        for row in np.flatnonzero(scored.boost[places] > 0.0):
            shares = explain_boost(
                occasion.interest, view.catalog.categories, occasion.history, int(items[row])
            )
            contribution[row] += occasion.weights[-1] * shares
    return Decomposition(contribution, standing)


def evidence(
    scored: Scored, places: Int64s, view: View, top_k: int
) -> list[tuple[tuple[Evidence, ...], float]]:
    """Return, for each candidate at `places`, the past items that speak most for it, and their share.

    Repeated events of an item are one. At most `top_k` are listed, of those that add more than `NEGLIGIBLE`;
    their percentages sum to 100. The share is their part of all that speaks for the candidate: of the sum
    of positive contributions of past items, positive standing parts, the ranker's lift and what the query's
    boosts add; in [0, 1].
    """
    parts = decompose(scored, places, view)
    lift = np.zeros(len(places)) if scored.lift is None else np.maximum(scored.lift[places], 0.0)
    if scored.asked is not None:
        lift += np.maximum(scored.asked[:, places].sum(axis=0), 0.0)
    past, where = np.unique(scored.occasion.history.item, return_inverse=True)
    merged = np.zeros((len(places), len(past)))
    np.add.at(merged.T, where, parts.contribution.T)
    items = scored.candidates.item[places]
    both = np.concatenate((items, past)).astype(np.int32)
    vectors = item_vectors(view.artifact, both, scored.occasion.moment)
    found = []
    for row, of_item in enumerate(merged):
        order = np.lexsort((past, -of_item))
        order = order[of_item[order] > NEGLIGIBLE][:top_k]
        for_it = of_item[of_item > 0.0].sum() + np.maximum(parts.standing[row], 0.0).sum() + lift[row]
        alike = _cosines(vectors, row, len(items) + order)
        share = min(1.0, float(of_item[order].sum() / for_it)) if len(order) else 0.0
        found.append((_listed(past[order], of_item[order], alike, view), share))
    return found


def item_name(view: View, ordinal: int) -> str:
    """Return an item's title, or its id where it has none."""
    item = view.catalog.item(ordinal)
    return item.title if item is not None and item.title else view.item_names[ordinal]


def _listed(past: Ordinals, part: Doubles, alike: Doubles, view: View) -> tuple[Evidence, ...]:
    total = float(part.sum())
    return tuple(
        Evidence(
            item_id=view.item_names[other],
            item_idx=other,
            item_name=item_name(view, other),
            similarity=float(cosine),
            contribution_pct=100.0 * float(own) / total,
        )
        for other, own, cosine in zip(past.tolist(), part, alike, strict=True)
    )


def _cosines(vectors: Floats | None, row: int, others: Int64s) -> Doubles:
    if vectors is None:
        return np.zeros(len(others))
    rows = vectors[others].astype(np.float64)
    return np.asarray(np.clip(rows @ vectors[row].astype(np.float64), -1.0, 1.0))
