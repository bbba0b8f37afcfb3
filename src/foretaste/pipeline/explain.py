"""Explanations: the score that ranked an item, taken apart into what the person did before."""

from dataclasses import dataclass

import numpy as np

from foretaste.domain.arrays import Doubles, Floats, Int64s
from foretaste.domain.kernel import kernel
from foretaste.domain.slate import Evidence
from foretaste.models.live_model import SameForEveryone
from foretaste.pipeline.choosing import item_vectors
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.view import View
from foretaste.ranking.boost import boost_shares

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
    standing = np.zeros((len(occasion.models), len(items)))
    for source, model in enumerate(occasion.models):
        scale = float(scored.scale[source])
        if scale == 0.0:
            continue
        standing[source] = scale * scored.candidates.score[source, places].astype(np.float64)
        if not isinstance(model, SameForEveryone):
            shares = model.explain_each(occasion.history, items, occasion.moment)
            _move_shares(np.ascontiguousarray(shares, np.float32), scale, standing[source], contribution)
    if occasion.interest is not None:
        shares = boost_shares(occasion.interest, view.catalog.categories, occasion.history, items)
        contribution += occasion.weights[-1] * shares
    return Decomposition(contribution, standing.T)


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
    others = np.maximum(parts.standing, 0.0).sum(axis=1)
    if scored.lift is not None:
        others += np.maximum(scored.lift[places], 0.0)
    if scored.asked is not None:
        others += np.maximum(scored.asked[:, places].sum(axis=0), 0.0)
    past, where = np.unique(scored.occasion.history.item, return_inverse=True)
    chosen, part, positive = _strongest(parts.contribution, where, len(past), min(top_k, len(past)))
    used = np.unique(chosen[chosen >= 0])
    both = np.concatenate((scored.candidates.item[places], past[used])).astype(np.int32)
    vectors = item_vectors(view.artifact, both, scored.occasion.moment)
    if vectors is None:
        vectors = np.zeros((len(both), 1), np.float32)
    alike = _cosines(np.ascontiguousarray(vectors), chosen, used)
    found = []
    for_it = zip((positive + others).tolist(), chosen.tolist(), part.tolist(), alike.tolist(), strict=True)
    items = past.tolist()
    for speaks, own, parts_of_it, cosines in for_it:
        listed = [(items[at], *rest) for at, *rest in zip(own, parts_of_it, cosines, strict=True) if at >= 0]
        total = sum(one for _, one, _ in listed)
        share = min(1.0, total / speaks) if listed else 0.0
        found.append((_listed(listed, total, view), share))
    return found


def item_name(view: View, ordinal: int) -> str:
    """Return an item's title, or its id where it has none."""
    item = view.catalog.item(ordinal)
    return item.title if item is not None and item.title else view.item_names[ordinal]


def _listed(past: list[tuple[int, float, float]], total: float, view: View) -> tuple[Evidence, ...]:
    """Return past items as evidence, from their ordinals, contributions and cosines."""
    return tuple(
        [
            Evidence(
                item_id=view.item_names[other],
                item_idx=other,
                item_name=item_name(view, other),
                similarity=cosine,
                contribution_pct=100.0 * own / total,
            )
            for other, own, cosine in past
        ]
    )


@kernel
def _move_shares(shares: Floats, scale: float, standing: Doubles, contribution: Doubles) -> None:
    """Add `scale` times what events add to `contribution`, and take it from what is `standing`."""
    for k in range(len(shares)):
        for h in range(shares.shape[1]):
            part = scale * np.float64(shares[k, h])
            contribution[k, h] += part
            standing[k] -= part


@kernel
def _strongest(
    contribution: Doubles, where: Int64s, n_past: int, most: int
) -> tuple[Int64s, Doubles, Doubles]:
    """Return for each candidate the past items that add most to it, falling, and how much; and all they add.

    Event h is about the past item `where[h]`. That is int64 [k, most], -1 where nobody else adds more than
    `NEGLIGIBLE`; float64 [k, most]; and the sum of what is above 0, float64 [k]. Of equals the first leads.
    """
    chosen, part = np.full((len(contribution), most), -1, np.int64), np.zeros((len(contribution), most))
    positive, of_item = np.zeros(len(contribution)), np.empty(n_past)
    for k in range(len(contribution)):
        of_item[:] = 0.0
        for h in range(len(where)):
            of_item[where[h]] += contribution[k, h]
        for own in of_item:
            positive[k] += max(own, 0.0)
        for place in range(most):
            best, at = NEGLIGIBLE, -1
            for past in range(n_past):
                if of_item[past] > best:
                    best, at = of_item[past], past
            if at < 0:
                break
            chosen[k, place], part[k, place] = at, best
            of_item[at] = 0.0
    return chosen, part, positive


@kernel
def _cosines(vectors: Floats, chosen: Int64s, used: Int64s) -> Doubles:
    """Return how alike each candidate and its `chosen` past items are, float64, 0 where there is none.

    The first rows of `vectors` are the candidates', the others those of the past items `used`, rising.
    """
    cosine = np.zeros(chosen.shape)
    for k in range(len(chosen)):
        for place in range(chosen.shape[1]):
            if chosen[k, place] < 0:
                break
            other, total = len(chosen) + np.searchsorted(used, chosen[k, place]), 0.0
            for d in range(vectors.shape[1]):
                total += np.float64(vectors[k, d]) * np.float64(vectors[other, d])
            cosine[k, place] = min(max(total, -1.0), 1.0)
    return cosine
