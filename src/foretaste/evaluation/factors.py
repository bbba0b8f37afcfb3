"""By what factor a recommender beats others: the plain figure that a report states."""

from collections.abc import Sequence

from foretaste.evaluation.bootstrap import Interval, ratio_interval
from foretaste.evaluation.judgement import Judgement

METRIC = "precision"


def factors_over(
    judgement: Judgement, rivals: Sequence[str], *, blend: str = "blend", k: int = 10, seed: int
) -> dict[str, Interval]:
    """Return mean Precision@k of `blend` / that of each of the `rivals` that was judged, paired, by person.

    Infinite where a rival has no hit and the blend has; 1 where neither has. Without questions none is told.
    """
    if not len(judgement):
        return {}
    ours = judgement.values(blend, METRIC, k)
    return {
        rival: ratio_interval(ours, judgement.values(rival, METRIC, k), judgement.user, seed=seed)
        for rival in rivals
        if rival in judgement.names
    }
