"""How many candidates go into each stage of an answer, and how many come out."""

import numpy as np

from foretaste.pipeline.reranking import RERANKED
from foretaste.pipeline.scoring import Scored
from foretaste.pipeline.timekeeping import (
    BLEND,
    CHOICE,
    DIVERSITY,
    EXPLANATION,
    FILTERS,
    RANKER,
    REASONS,
    Flow,
)


def flow_of(found: Scored, shown: int) -> Flow:
    """Return it for an answer of `shown` items; stages that it may have gone without are told of too."""
    occasion, candidates = found.occasion, found.candidates
    allowed = int(np.count_nonzero(occasion.allowed))
    proposed = np.count_nonzero(candidates.proposed, axis=1).tolist()
    n = len(candidates.item)
    return {
        FILTERS: (int(np.count_nonzero(occasion.available)), allowed),
        **{source: (allowed, own) for source, own in zip(candidates.sources, proposed, strict=True)},
        BLEND: (sum(proposed), n),
        RANKER: (min(n, RERANKED), min(n, RERANKED)),
        CHOICE: (n, shown),
        DIVERSITY: (n, shown),
        REASONS: (shown, shown),
        EXPLANATION: (shown, shown),
    }
