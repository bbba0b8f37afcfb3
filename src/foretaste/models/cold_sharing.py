"""What several models of an artifact learnt alike, held once: then it is asked once, too."""

from collections.abc import Iterable

import numpy as np

from foretaste.models.cold_knowledge import Knowledge
from foretaste.models.cold_rows import ColdItems
from foretaste.models.content import Content
from foretaste.models.interface import Model
from foretaste.models.vocabulary import Vocabulary


def share_knowledge(models: Iterable[Model]) -> None:
    """Let models that learnt the same of what items say hold the same, to the bit; no score changes."""
    known: list[Knowledge] = []
    for model in models:
        if isinstance(model, ColdItems):
            model.knowledge = _shared(model.knowledge, known)
            known.append(model.knowledge)
    vocabularies = [knowledge.features.text.vocabulary for knowledge in known]
    for model in models:
        if isinstance(model, Content):
            model.vocabulary = next(
                (other for other in vocabularies if _is_same(model.vocabulary, other)), model.vocabulary
            )


def _shared(own: Knowledge, known: Iterable[Knowledge]) -> Knowledge:
    arrays = own.arrays()
    for other in known:
        others = other.arrays()
        if arrays.keys() == others.keys() and all(
            np.array_equal(array, others[name]) for name, array in arrays.items()
        ):
            return own.with_parts_of(other)
    return own


def _is_same(one: Vocabulary, other: Vocabulary) -> bool:
    return np.array_equal(one.idf, other.idf) and list(one.number) == list(other.number)
