"""Regret: what is lost by trusting the blend instead of whichever source turned out best."""

from collections.abc import Sequence
from math import inf

import msgspec

from foretaste.evaluation.bootstrap import Interval, ratio_interval
from foretaste.evaluation.figures import percent
from foretaste.evaluation.judgement import Judgement

METRIC = "ndcg"


class Regret(msgspec.Struct, frozen=True, kw_only=True):
    """The blend beside the best single source, which is chosen in hindsight, on the same questions.

    `ahead` is NDCG@k of the blend over that of `best`, minus one: paired, with its interval over people;
    negative is regret, infinite where the source foretold nothing and the blend did. `blend_value` and
    `best_value` are the means.
    """

    best: str
    blend_value: float
    best_value: float
    ahead: Interval

    @property
    def words(self) -> str:
        """The comparison in words."""
        ahead, values = self.ahead, f"({self.blend_value:.4f} against {self.best_value:.4f})"
        if ahead.value == inf:
            return f"ahead of the best single source, {self.best}, which foretold nothing {values}"
        interval = f"[{percent(ahead.low)}, {percent(ahead.high)}]"
        return f"{percent(ahead.value)} {interval} ahead of the best single source, {self.best} {values}"


def regret_of(
    judgement: Judgement, sources: Sequence[str], *, blend: str = "blend", seed: int, k: int = 10
) -> Regret | None:
    """Return the regret of `blend` against the best of `sources`, None without questions or sources."""
    present = [source for source in sources if source in judgement.names and source != blend]
    if not present or not len(judgement):
        return None
    means = {source: judgement.mean(source, METRIC, k) for source in present}
    best = max(present, key=lambda source: means[source])
    ours, theirs = judgement.values(blend, METRIC, k), judgement.values(best, METRIC, k)
    ratio = ratio_interval(ours, theirs, judgement.user, seed=seed)
    return Regret(
        best=best,
        blend_value=judgement.mean(blend, METRIC, k),
        best_value=means[best],
        ahead=Interval(
            value=ratio.value - 1.0, low=ratio.low - 1.0, high=ratio.high - 1.0, level=ratio.level
        ),
    )
