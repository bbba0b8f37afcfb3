"""What most answers need is worked out in one pass: it gives what the steps give, one after the other."""

from types import SimpleNamespace

import numpy as np
import pytest
from pipeline_world import GROUPS, N_ITEMS, N_USERS, NOBODY, NOW, a_query, a_world

from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.vector_search import best_vectors
from foretaste.pipeline import scoring, weighing
from foretaste.pipeline.scenario import DISCOVER, HOME, SIMILAR
from foretaste.retrieval.rows import Row
from foretaste.testing.listed_vectors import listed_query

FILTERS = (
    {},
    {"category": ("comedy",)},
    {"category": ("classic",), "studio": ("north",)},
    {"studio": ("west",)},
)


def by_steps(query, view, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(scoring, "weighed", lambda *_, **__: None)
        return scoring.scored(query, view)


@pytest.mark.parametrize("scenario", [HOME, DISCOVER, SIMILAR], ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("filters", FILTERS)
def test_one_pass_gives_what_the_steps_give_bit_for_bit(scenario, filters, monkeypatch):
    world, draw = a_world(), np.random.default_rng(5)
    for number in range(12):
        user = NOBODY if number == 0 else int(draw.integers(N_USERS))
        asked = {"scenario": scenario, "seeds": (int(draw.integers(N_ITEMS)),)}
        excluded = draw.integers(-1, N_ITEMS, size=number % 4).astype(np.int32)
        exclude = {"category": (GROUPS[0],)} if number % 5 == 1 else {}
        k = (1, 3, 10, 25)[number % 4]
        query = a_query(scenario=scenario.name, filters=filters, exclude=exclude, k=k, now=NOW + number)
        found = scoring.scored(query, world.view(user, excluded=excluded, **asked))
        steps = by_steps(query, world.view(user, excluded=excluded, **asked), monkeypatch)
        for one, other in zip(arrays_of(found), arrays_of(steps), strict=True):
            assert one.tobytes() == other.tobytes()
        assert (found.offset, found.occasion.filtered) == (steps.offset, steps.occasion.filtered)


def arrays_of(found):
    candidates = found.candidates
    weighed = (found.mean, found.deviation, found.scale, found.boost, found.score)
    return (candidates.item, candidates.score, candidates.proposed, *weighed)


N, PLACES = 400, 10


def test_rows_that_a_filter_needs_anew_live_until_they_were_read(monkeypatch):
    query, everything = listed_query(N, looks=100.0), np.ones(N, np.bool_)
    searched = best_vectors(query, everything, N, 40)
    row = Row(np.empty(0, np.float32), searched.entries, 40, query=query, searched=searched)
    allowed = everything.copy()
    allowed[: N * 7 // 8] = False
    occasion = SimpleNamespace(
        interest=None, is_narrowed=True, passing=None, allowed=allowed, usual=everything, weights=np.ones(2)
    )
    catalog = CatalogColumns.of([Item(item_id=f"{number}") for number in range(N)])
    view = SimpleNamespace(catalog=catalog, scenario=SimpleNamespace(per_source=PLACES))
    weigh, junk = weighing._weigh, []

    def after_other_work(*given):
        for size in range(1, 200):
            junk.extend(np.full(size, -1) for _ in range(20))
        return weigh(*given)

    monkeypatch.setattr(weighing, "_weigh", after_other_work)
    found = weighing.weighed(occasion, view, [row], wanted=PLACES, places=PLACES)
    scores = np.where(allowed, query.vectors.products(query.vector), 0.0)
    assert found[0].tolist() == sorted(np.argsort(-scores, kind="stable")[:PLACES].tolist())
