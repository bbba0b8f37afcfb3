"""The gate: a model that is worse than what serves, or than plain popularity, is not let through."""

from collections.abc import Sequence

import msgspec

from foretaste.domain.errors import GateRefusedError
from foretaste.evaluation.bootstrap import Interval, difference_interval
from foretaste.evaluation.judgement import Judgement
from foretaste.training.composition import BLEND
from foretaste.training.config import TrainConfig

METRIC = "ndcg"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The candidate beside one rival on the same questions; `difference` is candidate minus rival."""

    rival: str
    candidate_value: float
    rival_value: float
    difference: Interval
    worse: bool
    words: str


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the candidate may serve, and why, in words."""

    passed: bool
    words: str
    comparisons: tuple[Comparison, ...] = ()


def judge_candidate(
    judgement: Judgement, rivals: Sequence[str], config: TrainConfig, *, seed: int
) -> GateReport:
    """Compare the blend with those of `rivals` that were judged, by NDCG, paired, by person.

    It is refused if it is worse than a rival by more than `config.tolerance` of the rival's value and the
    whole interval of the difference is below zero. With fewer questions than `config.fewest` it passes.
    """
    if len(judgement) < config.fewest:
        words = (
            f"passed unjudged: {len(judgement)} questions are too few to tell (fewer than {config.fewest})"
        )
        return GateReport(passed=True, words=words)
    present = [rival for rival in rivals if rival in judgement.names]
    comparisons = tuple(_compare(judgement, rival, config, seed) for rival in present)
    refused = [comparison for comparison in comparisons if comparison.worse]
    told = refused or comparisons
    words = "; ".join(comparison.words for comparison in told)
    verdict = "refused" if refused else "passed"
    return GateReport(
        passed=not refused, words=f"{verdict}: {words}" if words else verdict, comparisons=comparisons
    )


def require_passed(report: GateReport) -> None:
    """Raise `GateRefusedError` with the gate's words if it refused."""
    if not report.passed:
        raise GateRefusedError(
            f"the new model was not put to service: the quality gate {report.words}. "
            "What served before goes on serving"
        )


def _compare(judgement: Judgement, rival: str, config: TrainConfig, seed: int) -> Comparison:
    ours, theirs = (judgement.values(name, METRIC, config.k) for name in (BLEND, rival))
    difference = difference_interval(ours, theirs, judgement.user, seed=seed)
    mine, other = float(ours.mean()), float(theirs.mean())
    worse = difference.high < 0.0 and difference.value < -config.tolerance * other
    relation = "worse than" if worse else "better than" if difference.low > 0.0 else "not worse than"
    words = (
        f"{relation} {rival} (NDCG@{config.k} {mine:.4f} against {other:.4f} on the same "
        f"{len(judgement):,} questions, 95% interval of the difference {difference.low:+.4f} to "
        f"{difference.high:+.4f})"
    )
    return Comparison(
        rival=rival,
        candidate_value=mine,
        rival_value=other,
        difference=difference,
        worse=worse,
        words=words,
    )
