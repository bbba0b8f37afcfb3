"""What most answers need is worked out in one pass: it gives what the steps give, one after the other."""

import numpy as np
import pytest
from pipeline_world import GROUPS, N_ITEMS, N_USERS, NOBODY, NOW, a_query, a_world

from foretaste.pipeline import scoring
from foretaste.pipeline.scenario import DISCOVER, HOME, SIMILAR

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
