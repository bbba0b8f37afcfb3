"""What a place adds is told from what was put there since it was thought to be good for the person."""

from dataclasses import replace

import numpy as np
import pytest
from slate_world import N_ITEMS, requests_of, the_columns, the_traits

from foretaste.ranking import learning_to_rank
from foretaste.ranking.learning_to_rank import RankerOptions, learn_ranker
from foretaste.ranking.list_gain import list_gains
from foretaste.ranking.place_effects import ENOUGH, place_effects, weight_beside_places
from foretaste.ranking.shown import NO_SLATES, ShownSlates
from foretaste.ranking.slate_ranker import SlateRanker

PLACES = 8
TIRED = 1.0 / (1.0 + np.arange(PLACES))
TRUE = np.log(TIRED) - np.log(TIRED).mean()


def sorted_lists(n, *, one_each=False, seed=0, noise=0.7):
    """Return slates sorted for each person by a score, right but for noise; the score; and the truth."""
    generator = np.random.default_rng(seed)
    shown, clicked, scores, truth = [], [], [], []
    for _ in range(n):
        items = generator.permutation(N_ITEMS)[:PLACES]
        liked = generator.normal(size=PLACES)
        score = liked + generator.normal(scale=noise, size=PLACES)
        order = np.argsort(-score)
        odds = TIRED * np.exp(liked[order])
        if one_each:
            clicked.append(np.arange(PLACES) == generator.choice(PLACES, p=odds / odds.sum()))
        else:
            clicked.append(generator.random(PLACES) < odds / (4.0 + odds))
        shown.append(items[order])
        scores.append(score[order])
        truth.append(liked[order])
    slates = ShownSlates.of(np.arange(n) % 97, np.arange(n) * 60_000_000, shown, clicked)
    return slates, np.concatenate(scores), np.concatenate(truth)


@pytest.mark.parametrize("one_each", [False, True])
def test_a_score_that_lists_were_sorted_by_is_not_taken_for_place(one_each):
    slates, score, _ = sorted_lists(3000, one_each=one_each)
    beside, alone = place_effects(slates, score[:, None]), place_effects(slates, np.empty((len(score), 0)))
    assert np.abs(beside - TRUE).max() < 0.5 * np.abs(alone - TRUE).max()


@pytest.mark.parametrize("unit", [np.asarray, np.exp, lambda score: 1e6 * score - 5.0])
def test_the_score_that_lists_were_shown_by_is_heard_in_whatever_unit(unit):
    slates, score, _ = sorted_lists(3000)
    known = replace(slates, score=unit(score).astype(np.float64))
    nothing = np.empty((len(score), 0))
    beside, alone = place_effects(known, nothing), place_effects(slates, nothing)
    assert np.abs(beside - TRUE).max() < 0.5 * np.abs(alone - TRUE).max()


def test_scores_that_a_few_lists_were_shown_by_in_another_unit_do_no_harm():
    slates, score, _ = sorted_lists(2000)
    scores, few = score[:, None], slates.slate % 50 == 0
    mostly = place_effects(replace(slates, score=np.where(few, 1e300, score)), scores)
    np.testing.assert_allclose(mostly, place_effects(replace(slates, score=score), scores), atol=0.05)


def test_where_some_lists_lack_the_score_the_others_tell():
    slates, score, _ = sorted_lists(3000)
    nothing, some = np.empty((len(score), 0)), slates.slate % 3 != 0
    half_known = place_effects(replace(slates, score=np.where(some, score, np.nan)), nothing)
    assert np.abs(half_known - TRUE).max() < 0.8 * np.abs(place_effects(slates, nothing) - TRUE).max()


def test_where_the_order_is_by_chance_places_are_found_without_features():
    generator = np.random.default_rng(1)
    shown = [generator.permutation(N_ITEMS)[:PLACES] for _ in range(4000)]
    clicked = [generator.random(PLACES) < 0.1 * TIRED for _ in shown]
    slates = ShownSlates.of(np.zeros(4000, np.int32), np.arange(4000), shown, clicked)
    np.testing.assert_allclose(place_effects(slates, np.empty((4000 * PLACES, 0))), TRUE, atol=0.3)


def test_clicks_wherever_items_stand_mean_no_effect():
    generator = np.random.default_rng(2)
    shown = [generator.permutation(N_ITEMS)[:PLACES] for _ in range(3000)]
    clicked = [items < 20 for items in shown]
    slates = ShownSlates.of(np.zeros(3000, np.int32), np.arange(3000), shown, clicked)
    kind = (slates.item < 20).astype(np.float64)[:, None]
    np.testing.assert_allclose(place_effects(slates, kind), 0.0, atol=0.1)


@pytest.mark.parametrize("slates", [NO_SLATES, ShownSlates.of([0], [1], [[3, 4]], [[False, False]])])
def test_without_clicks_no_place_has_an_effect(slates):
    assert not place_effects(slates, np.zeros((len(slates.item), 2))).any()


def test_columns_without_values_or_differences_do_no_harm():
    slates, score, _ = sorted_lists(300)
    columns = np.column_stack([score, np.full(len(score), np.nan), np.ones(len(score))])
    some = np.where(np.arange(len(score)) % 3 == 0, np.nan, score)
    assert place_effects(slates, columns) == pytest.approx(place_effects(slates, score[:, None]))
    assert np.isfinite(place_effects(slates, some[:, None])).all()


def test_columns_that_are_not_heard_say_nothing():
    slates, score, _ = sorted_lists(500)
    order = np.column_stack([slates.position, score]).astype(np.float64)
    found = place_effects(slates, order, np.array([False, True]))
    assert found.tolist() == place_effects(slates, score[:, None]).tolist()


def test_lists_of_several_lengths_and_more_than_enough_of_them_are_all_heard():
    slates, score, _ = sorted_lists(ENOUGH + 500)
    short = ShownSlates.of([0], [0], [[1, 2]], [[True, False]])
    effect = place_effects(short.and_then(slates), np.concatenate([[0.0, 0.0], score])[:, None])
    assert len(effect) == PLACES
    assert np.abs(effect - TRUE).max() < 0.5


def test_what_a_score_is_worth_is_told_beside_the_place():
    slates, score, truth = sorted_lists(3000, one_each=True)
    assert weight_beside_places(slates, truth) == pytest.approx(1.0, abs=0.15)
    assert weight_beside_places(slates, 2.0 * truth) == pytest.approx(0.5, abs=0.08)
    assert 0.2 < weight_beside_places(slates, score) < 1.0
    assert weight_beside_places(replace(slates, score=score), score) == weight_beside_places(slates, score)
    assert weight_beside_places(slates, -truth) == 0.0
    assert weight_beside_places(NO_SLATES, np.empty(0)) == 0.0


@pytest.fixture(scope="module", params=[False, True], ids=["what they like", "one of each"])
def of_sorted_lists(request):
    """Return what was learnt from lists sorted by a score, later lists with their requests, and the truth."""
    slates, score, truth = sorted_lists(1500, one_each=request.param)
    traits, cut = the_traits(), 1200
    columns = replace(the_columns(traits), sources=("blend",))
    requests = [
        replace(request, scores=score[None, first:end].astype(np.float32))
        for request, first, end in zip(requests_of(slates), slates.start, slates.start[1:], strict=False)
    ]
    options = RankerOptions(rounds=60)
    learnt = learn_ranker(
        slates.take(np.arange(cut)), requests[:cut], traits, columns, options=options, rival="score_blend"
    )
    return learnt, slates.take(np.arange(cut, 1500)), requests[cut:], truth[slates.start[cut] :]


def test_a_ranker_of_lists_sorted_by_a_good_score_goes_on_trusting_it(of_sorted_lists):
    learnt, later, requests, truth = of_sorted_lists
    best = [truth[a:b].argmax() for a, b in zip(later.start, later.start[1:], strict=False)]
    liked = np.concatenate([np.arange(PLACES) == place for place in best])
    wanted = replace(later, clicked=liked)
    found = np.concatenate([learnt.score(request) for request in requests])
    shown = list_gains(wanted, -later.position.astype(np.float64)).mean()
    assert list_gains(wanted, found).mean() > shown - 0.02


def test_a_ranker_that_knows_better_is_known_by_clicks_though_places_flatter_what_was_shown(monkeypatch):
    slates, score, truth = sorted_lists(3000, noise=0.7)
    columns, heard = replace(the_columns(the_traits()), sources=("blend", "oracle")), []

    def seen(slates, features, of_these):
        heard.append(int(of_these.sum()))
        return place_effects(slates, features, of_these)

    monkeypatch.setattr(learning_to_rank, "place_effects", seen)
    scores = np.stack((score, truth)).astype(np.float32)
    requests = [
        replace(request, scores=scores[:, first:end])
        for request, first, end in zip(requests_of(slates), slates.start, slates.start[1:], strict=False)
    ]
    known = replace(slates, score=score)
    report = learn_ranker(known, requests, the_traits(), columns, rival="score_blend").report
    assert report.ahead_low > 0.0
    assert report.ranker < report.as_shown
    assert set(heard) == {len(columns.names) - len(columns.sources)}, "places are told beside ranks"


def test_what_was_never_shown_stays_where_the_score_puts_it(of_sorted_lists):
    learnt, _, requests, _ = of_sorted_lists
    below = np.linspace(-30.0, -10.0, 40, dtype=np.float32)[None]
    asked = replace(requests[0], item=np.full(40, requests[0].item[0]), scores=below)
    assert (np.diff(learnt.score(asked)) > 0.0).all()


def test_what_a_ranker_trusts_is_kept(of_sorted_lists):
    learnt, _, requests, _ = of_sorted_lists
    again = SlateRanker.from_arrays(learnt.describe(), learnt.arrays())
    assert again.trust > 0.0
    assert again.score(requests[0]).tobytes() == learnt.score(requests[0]).tobytes()
    before = {name: value for name, value in learnt.describe().items() if name != "trust"}
    assert SlateRanker.from_arrays(before, learnt.arrays()).trust == 0.0
