"""What was shown and clicked since a model learnt: the ranker as it knows of it."""

from dataclasses import dataclass

from foretaste.domain.slate import ClickEdition
from foretaste.ranking.slate_ranker import SlateRanker


@dataclass(frozen=True, slots=True, eq=False)
class FreshClicks:
    """The ranker `trained`, and `ranker`, the same that knows of looks and clicks up to `edition`."""

    edition: ClickEdition
    trained: SlateRanker
    ranker: SlateRanker
