"""An explanation takes apart the very score that ranked the item."""

import numpy as np
import pytest
from pipeline_world import GROUPS, N_USERS, NOBODY, World, a_query, a_world

from foretaste.domain.history import History
from foretaste.pipeline.choosing import by_score
from foretaste.pipeline.compose import answer
from foretaste.pipeline.explain import Decomposition, decompose
from foretaste.pipeline.reasons import POPULAR, reasons
from foretaste.pipeline.scenario import SIMILAR
from foretaste.pipeline.scoring import scored

USERS = range(0, N_USERS, 7)


@pytest.fixture(scope="module")
def world() -> World:
    return a_world()


def no_history() -> History:
    nothing = np.empty(0, np.int64)
    return History(nothing.astype(np.int32), nothing.astype(np.float32), nothing, nothing.astype(np.int16))


@pytest.mark.parametrize("user", USERS)
def test_contributions_and_what_does_not_depend_on_the_person_sum_to_the_score(world, user):
    view = world.view(user)
    ranked = scored(a_query(), view)
    places = by_score(ranked)
    parts = decompose(ranked, places, view)
    items = ranked.candidates.item[places]
    impersonal = sum(
        scale * model.score(no_history(), ranked.occasion.moment, items).astype(np.float64)
        for scale, model in zip(ranked.scale, ranked.occasion.models, strict=True)
    )
    total = parts.contribution.sum(axis=1) + impersonal - ranked.offset
    assert total == pytest.approx(ranked.score[places], abs=1e-4)


@pytest.mark.parametrize("user", USERS)
def test_standing_is_what_the_sources_give_without_any_history(world, user):
    view = world.view(user)
    ranked = scored(a_query(), view)
    places = by_score(ranked)[:10]
    standing = decompose(ranked, places, view).standing
    for source, (name, model) in enumerate(
        zip(ranked.candidates.sources, ranked.occasion.models, strict=True)
    ):
        alone = model.score(no_history(), ranked.occasion.moment, ranked.candidates.item[places])
        assert standing[:, source] == pytest.approx(ranked.scale[source] * alone, abs=1e-4), name


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("top_k", [1, 3, 10])
def test_percentages_fall_and_sum_to_100(world, user, top_k):
    slate = answer(a_query(explain=True, explain_top_k=top_k), world.view(user))
    assert slate.items
    for place in slate.items:
        shares = [evidence.contribution_pct for evidence in place.explanation]
        assert 1 <= len(shares) <= top_k
        assert shares == sorted(shares, reverse=True)
        assert min(shares) > 0.0
        assert sum(shares) == pytest.approx(100.0, abs=1e-6)
        assert 0.0 < place.explained_share <= 1.0


def test_more_evidence_explains_more(world):
    def share(top_k: int) -> float:
        return answer(a_query(explain=True, explain_top_k=top_k), world.view(3)).items[0].explained_share

    assert share(1) < share(3) < share(10)


def test_evidence_is_what_the_person_did_with_names_and_likeness(world):
    slate = answer(a_query(explain=True), world.view(3))
    past = set(world.state.history(3).item.tolist())
    for place in slate.items:
        for evidence in place.explanation:
            assert evidence.item_idx in past
            assert evidence.item_id == f"i{evidence.item_idx}"
            assert evidence.item_name == f"Film {evidence.item_idx}"
            assert -1.0 <= evidence.similarity <= 1.0


def test_the_evidence_is_what_moves_the_score_when_it_is_gone(world):
    """Without the first piece of evidence in the history the item scores less than without the last one."""
    view = world.view(3)
    ranked = scored(a_query(), view)
    place = by_score(ranked)[:1]
    item = int(ranked.candidates.item[place[0]])
    parts = decompose(ranked, place, view).contribution[0]
    history = ranked.occasion.history

    def without(position: int) -> float:
        kept = np.arange(len(history)) != position
        rest = History(history.item[kept], history.weight[kept], history.time[kept], history.type[kept])
        raw = [
            model.score(rest, ranked.occasion.moment, np.array([item], np.int32))[0]
            for model in ranked.occasion.models
        ]
        return float(ranked.scale @ np.array(raw))

    assert without(int(parts.argmax())) < without(int(parts.argmin()))


def test_repeated_events_of_an_item_are_one_piece_of_evidence():
    world = a_world()
    for kind in ("view", "click", "watch"):
        world.record(NOBODY, 6, kind)
    slate = answer(a_query(k=5, explain=True, diversity_lambda=1.0), world.view(NOBODY))
    assert all([evidence.item_idx for evidence in place.explanation] == [6] for place in slate.items)


def test_people_without_history_have_no_evidence(world):
    slate = answer(a_query(explain=True), world.view(NOBODY))
    assert all(place.explanation == () and place.explained_share == 0.0 for place in slate.items)


def test_what_rounding_leaves_of_nothing_is_no_evidence(world, monkeypatch):
    def rounded(*asked):
        parts = decompose(*asked)
        return Decomposition(1e-9 * parts.contribution, parts.standing)

    monkeypatch.setattr("foretaste.pipeline.explain.decompose", rounded)
    slate = answer(a_query(explain=True), world.view(3))
    assert all(place.explanation == () and place.explained_share == 0.0 for place in slate.items)


def test_what_rounding_leaves_of_nothing_is_no_reason(world):
    view = world.view(3)
    ranked = scored(a_query(), view)
    places = by_score(ranked)
    for source, name in enumerate(ranked.candidates.sources):
        if name == "popularity":
            ranked.mean[source] = 2 * ranked.candidates.score[source].max()
        else:
            ranked.candidates.score[source] = 1e-9
    said, _ = reasons(ranked, places, [None] * len(places), view)
    assert POPULAR in said
    assert not [reason for reason in said if "Film" in reason]


def test_nothing_is_explained_unless_asked(world):
    slate = answer(a_query(), world.view(3))
    assert all(place.explanation is None and place.explained_share is None for place in slate.items)


def test_every_place_has_a_reason_that_names_something_real(world):
    titles = {f"Film {item}" for item in world.state.history(3).item}
    for place in answer(a_query(k=50), world.view(3)).items:
        start, _, name = place.reason.partition("Film")
        assert start in ("Because of ", "Often follows ") or place.reason in (
            "Popular right now",
            "More that you may like",
            "You had it before",
            *(f"{opening} {group}" for group in GROUPS for opening in ("New in",)),
            *(f"More {group}, as you looked at lately" for group in GROUPS),
        )
        assert not name or f"Film{name}" in titles


def test_who_looked_at_nothing_is_not_told_of_looks(world):
    for place in answer(a_query(k=50), world.view(NOBODY)).items:
        assert "as you looked at lately" not in place.reason


def test_similar_items_are_explained_by_the_item(world):
    slate = answer(a_query(user_id=None, explain=True), world.view(-1, SIMILAR, seeds=(4,)))
    assert slate.items[0].explanation[0].item_idx == 4
    assert slate.items[0].reason in ("Because of Film 4", "Often follows Film 4")
