"""The ranker learns what people click, whatever the place it stood at."""

from dataclasses import fields, replace

import msgspec
import numpy as np
import pytest
from slate_world import (
    N_ITEMS,
    PLACES,
    requests_of,
    some_slates,
    the_appeal,
    the_columns,
    the_items,
    the_traits,
)

from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.item import Item
from foretaste.ranking import learning_to_rank
from foretaste.ranking.click_rates import ClickRates, click_rates
from foretaste.ranking.learning_to_rank import RankerOptions, learn_ranker
from foretaste.ranking.list_gain import list_gains, paired_low
from foretaste.ranking.past import NO_PAST, pasts_of
from foretaste.ranking.position_bias import examination
from foretaste.ranking.shown import NO_SLATES, ShownSlates
from foretaste.ranking.slate_features import OF_CANDIDATES, SlateRequest
from foretaste.ranking.slate_knowledge import knowledge_of
from foretaste.ranking.slate_ranker import SlateRanker, features_of
from foretaste.ranking.traits import traits_of

TIRED = 1.0 / (1.0 + 0.5 * np.arange(PLACES))
QUICK = RankerOptions(rounds=30, folds=3)
HOUR = 3_600_000_000


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


@pytest.fixture(scope="module")
def learnt():
    slates, traits = some_slates(), the_traits()
    return learn_ranker(slates, requests_of(slates), traits, the_columns(traits), options=QUICK)


def test_people_not_seen_are_served_better_than_by_click_rates(learnt):
    slates = some_slates(60, seed=9)
    requests = requests_of(slates)
    ours = np.nanmean(list_gains(slates, np.concatenate([learnt.score(r) for r in requests])))
    rate = np.nanmean(list_gains(slates, learnt.knowledge.rates.rate[slates.item]))
    assert ours > rate + 0.03
    assert learnt.report.ahead_low > 0.0
    assert learnt.report.ranker > learnt.report.click_rate > learnt.report.as_shown - 0.02


def test_the_same_slates_and_seed_give_the_same_bits(learnt):
    slates, traits = some_slates(), the_traits()
    again = learn_ranker(slates, requests_of(slates), traits, the_columns(traits), options=QUICK)
    assert {name: array.tobytes() for name, array in again.arrays().items()} == {
        name: array.tobytes() for name, array in learnt.arrays().items()
    }


def test_slates_are_joined_as_if_they_had_been_one_log():
    whole = some_slates(20)
    first, rest = whole.take(np.arange(30)), whole.take(np.arange(30, len(whole)))
    for joined in (first.and_then(rest), NO_SLATES.and_then(whole), whole.and_then(NO_SLATES)):
        np.testing.assert_equal(vars_of(joined), vars_of(whole))


def vars_of(slates):
    return {field.name: getattr(slates, field.name).tolist() for field in fields(slates)}


def test_what_was_shown_before_tells_how_items_are_clicked():
    """From 60 slates alone little is known of 60 items; 540 that nobody asks about again tell the rest."""
    slates, traits, judged = some_slates(), the_traits(), some_slates(60, seed=9)
    last = np.arange(len(slates) - 60, len(slates))
    before, few = slates.take(np.arange(len(slates) - 60)), slates.take(last)
    requests, asked = [requests_of(slates)[place] for place in last.tolist()], requests_of(judged)
    gained = {}
    for name, told in (("before", before), ("nothing", NO_SLATES)):
        ranker = learn_ranker(few, requests, traits, the_columns(traits), options=QUICK, before=told)
        scores = np.concatenate([ranker.score(request) for request in asked])
        gained[name] = np.nanmean(list_gains(judged, scores))
        assert ranker.report.slates == len(few)
    assert gained["before"] > gained["nothing"] + 0.01


def test_what_was_shown_before_is_not_heard_where_it_misleads():
    slates, traits = some_slates(), the_traits()
    before = replace(slates, clicked=~slates.clicked)
    ranker = learn_ranker(
        slates, requests_of(slates), traits, the_columns(traits), options=QUICK, before=before
    )
    alone = knowledge_of(slates, traits, 0)
    assert ranker.knowledge.rates.looks.tolist() == alone.rates.looks.tolist()


@pytest.mark.parametrize(("most", "known", "heard"), [(60, 540, 600), (60, 100, 160), (600, 0, 600)])
def test_of_many_slates_the_latest_teach_and_so_many_before_them_tell(most, known, heard):
    slates, traits = some_slates(), the_traits()
    options = msgspec.structs.replace(QUICK, most=most, known=known, rounds=5)
    ranker = learn_ranker(slates, requests_of(slates), traits, the_columns(traits), options=options)
    latest = slates.take(np.arange(len(slates) - heard, len(slates)))
    assert ranker.report.slates == most
    assert ranker.knowledge.rates.looks.tolist() == knowledge_of(latest, traits, 0).rates.looks.tolist()


@pytest.mark.parametrize("n_before", [0, 200], ids=["nothing before", "slates before"])
def test_features_in_training_are_those_of_the_moment(monkeypatch, n_before):
    """They know only what was shown before; where nothing was, not their own person."""
    slates, traits = some_slates(), the_traits()
    before, late = slates.take(np.arange(n_before)), slates.take(np.arange(n_before, len(slates)))
    learnt_from, asked, heard = [], [], []

    def knowledge(told, *given):
        learnt_from.append(told)
        return knowledge_of(told, *given)

    def features(requests, known, *given):
        moments = {request.now for request in requests}
        asked.append((learnt_from[-1], moments))
        shown = slates.take(np.flatnonzero(slates.time < min(moments)))
        heard.append(known.rates.clicks.sum() == shown.clicked.sum())
        return features_of(requests, known, *given)

    monkeypatch.setattr(learning_to_rank, "knowledge_of", knowledge)
    monkeypatch.setattr(learning_to_rank, "features_of", features)
    requests = requests_of(slates)[n_before:]
    learn_ranker(late, requests, traits, the_columns(traits), options=QUICK, before=before)
    person = dict(zip(late.time.tolist(), late.user.tolist(), strict=True))
    apart = [{person[now] for now in moments}.isdisjoint(known.user.tolist()) for known, moments in asked]
    earlier = [max(known.time) < min(moments) for known, moments in asked]
    assert all(one or other for one, other in zip(apart, earlier, strict=True))
    assert all(earlier) == bool(n_before)
    assert sum(heard) > 100  # all that was clicked before


def test_slates_that_were_clicked_whole_or_not_at_all_tell_nothing():
    shown = [[1, 2], [3, 4], [], [5, 6, 7], [8]]
    clicked = [[True, True], [False, False], [], [False, True, True], [True]]
    assert ShownSlates.of(range(5), range(5), shown, clicked).telling.tolist() == [3]
    assert ShownSlates.of([], [], [], []).telling.tolist() == []


def test_what_was_clicked_by_others_in_the_same_hours_is_no_merit():
    """Each hour shows items of its own; which of these people like, nothing but their clicks could tell."""
    draw, each = np.random.default_rng(0), N_ITEMS // 10
    liked = np.tile(np.arange(each) < each // 2, 10)
    hours = np.repeat(np.arange(10), 60)
    shown = [hour * each + draw.permutation(each) for hour in hours]
    clicked = [draw.random(each) < np.where(liked[items], 0.8, 0.1) for items in shown]
    slates = ShownSlates.of(np.arange(600) % 97, hours * HOUR + np.arange(600), shown, clicked)
    bare = traits_of([Item(item_id=f"i{number}") for number in range(N_ITEMS)])
    ranker = learn_ranker(slates, requests_of(slates), bare, the_columns(bare), options=QUICK)
    assert ranker.report.ranker < ranker.report.as_shown + 0.05
    assert ranker.report.ahead_low <= 0.0


def test_looks_by_place_are_found_though_the_best_stand_at_the_top():
    slates = some_slates(600, look=TIRED, sorted_by=the_appeal(), taste=1.0)
    found = examination(slates, N_ITEMS)
    naive = np.bincount(slates.position, weights=slates.clicked)
    assert np.abs(found / found[0] - TIRED).max() < 0.5 * np.abs(naive / naive[0] - TIRED).max()


def test_click_rates_without_place_bias_recover_the_true_appeal():
    misleading = np.random.default_rng(3).permutation(the_appeal())
    slates, traits = some_slates(400, look=TIRED, sorted_by=misleading, taste=1.0), the_traits()
    n_traits = len(traits.vocabulary.idf)
    corrected = click_rates(slates, traits.rows, n_traits, examination(slates, N_ITEMS)).rate
    plain = click_rates(slates, traits.rows, n_traits, np.ones(PLACES)).rate
    assert correlation(corrected, the_appeal()) > 0.9
    assert correlation(corrected, the_appeal()) > correlation(plain, the_appeal()) + 0.1


@pytest.mark.parametrize("one_each", [False, True])
def test_what_stands_at_the_bottom_since_it_is_poor_is_not_taken_for_common(one_each):
    sorted_well = {"look": TIRED, "sorted_by": the_appeal(), "taste": 1.0, "one_each": one_each}
    slates, traits = some_slates(40, **sorted_well), the_traits()
    looks = examination(slates, N_ITEMS)
    found = click_rates(slates, traits.rows, len(traits.vocabulary.idf), looks).rate
    assert correlation(found.argsort().argsort(), the_appeal().argsort().argsort()) > 0.9


def test_where_one_is_taken_of_each_good_neighbours_are_no_reason_to_look_away():
    slates = some_slates(1500, look=TIRED, sorted_by=the_appeal(), taste=1.0, one_each=True)
    found = examination(slates, N_ITEMS)
    assert np.abs(found / found[0] - TIRED).max() < 0.05


def test_a_ranker_from_before_usual_places_expects_what_it_did(learnt):
    before = {name: array for name, array in learnt.arrays().items() if not name.endswith(".usual")}
    rates = SlateRanker.from_arrays(learnt.describe(), before).knowledge.rates
    assert set(rates.usual.tolist()) == {rates.base}


def test_a_ranker_learnt_without_place_bias_is_closer_to_the_truth():
    misleading = np.random.default_rng(3).permutation(the_appeal())
    slates, traits = some_slates(300, each=3, look=TIRED, sorted_by=misleading, taste=1.0), the_traits()
    every = SlateRequest(item=np.arange(N_ITEMS, dtype=np.int32), past=NO_PAST, now=10**12)
    found = {}
    for debias in (True, False):
        options = msgspec.structs.replace(QUICK, debias=debias)
        ranker = learn_ranker(slates, requests_of(slates), traits, the_columns(traits), options=options)
        found[debias] = correlation(ranker.score(every), the_appeal())
    assert found[True] > 0.8
    assert found[True] > found[False]


def test_arrays_make_the_same_ranker(learnt):
    again = SlateRanker.from_arrays(learnt.describe(), learnt.arrays())
    for request in requests_of(some_slates(5, seed=4)):
        assert again.score(request).tobytes() == learnt.score(request).tobytes()
    assert again.report == learnt.report


def test_arrays_that_do_not_fit_together_are_refused(learnt):
    arrays = {**learnt.arrays(), "knowledge.rates.looks": np.zeros(3)}
    with pytest.raises(CorruptArtifactError):
        SlateRanker.from_arrays(learnt.describe(), arrays)


def test_a_ranker_from_before_it_said_so_does_not_know_until_when_it_learnt(learnt):
    assert learnt.knowledge.until == some_slates().time.max() + 1
    arrays = {name: array for name, array in learnt.arrays().items() if not name.endswith("until")}
    assert SlateRanker.from_arrays(learnt.describe(), arrays).knowledge.until == 0


def test_looks_and_clicks_that_are_added_are_as_if_they_had_been_counted_at_first(learnt):
    known = learnt.knowledge
    more = np.arange(N_ITEMS, dtype=np.float64)
    fresh, rates = learnt.and_also(2.0 * more, more).knowledge, known.rates
    counted = ClickRates.of(
        rates.looks + 2.0 * more,
        rates.clicks + more,
        rates.appeal,
        rates.base,
        rates.usual,
        rates.strength,
        known.traits.rows,
    )
    every, lines = np.arange(N_ITEMS, dtype=np.int32), known.leanings.lines
    assert fresh.of(every).rate.tolist() == counted.rate.tolist()
    assert fresh.of(every).vector == pytest.approx(lines.vectors(known.traits.rows, counted.rate))
    assert fresh.of(every, {0: the_items()[0]}).vector == pytest.approx(fresh.of(every).vector)
    for request in requests_of(some_slates(3, seed=4)):
        nothing = learnt.and_also(np.zeros(0), np.zeros(0))
        assert nothing.score(request).tobytes() == learnt.score(request).tobytes()


@pytest.mark.parametrize("item", [5, N_ITEMS + 3], ids=["known", "younger"])
def test_what_is_clicked_more_scores_more_and_more_clicks_than_looks_do_no_harm(learnt, item):
    request = SlateRequest(item=np.array([item, 7], np.int32), past=NO_PAST, now=0)
    looks, clicks = np.zeros(N_ITEMS + 9), np.zeros(N_ITEMS + 9)
    looks[item] = 50.0
    left, taken, always = (learnt.and_also(looks, clicks + share * looks) for share in (0.0, 0.6, 3.0))
    assert left.score(request)[0] < taken.score(request)[0]
    assert np.isfinite(always.features(request)[:, : len(OF_CANDIDATES)]).all()


def test_no_higher_rate_scores_less(learnt):
    features = features_of(requests_of(some_slates(40, seed=4)), learnt.knowledge, learnt.columns)
    rising = learnt.columns.rising
    assert set(np.array(learnt.columns.names)[rising]) > {"click_rate", "rate_and_leaning_in_slate"}
    for more in (0.01, 0.1, 1.0):
        assert (learnt.trees.score(features + more * rising) >= learnt.trees.score(features) - 1e-12).all()


def test_features_do_not_depend_on_the_order_of_candidates(learnt):
    request = requests_of(some_slates(20, seed=5))[-1]
    turned = SlateRequest(item=request.item[::-1].copy(), past=request.past, now=request.now)
    assert learnt.score(turned)[::-1] == pytest.approx(learnt.score(request), abs=1e-9)


def test_an_item_never_seen_is_judged_by_what_is_said_of_it(learnt):
    request = requests_of(some_slates(60, seed=6))[-1]
    liked = request.past.item[request.past.taken] % 2
    kind = int(np.round(liked.mean()))
    new = [
        Item(
            item_id="new",
            categories=("even", "odd")[own : own + 1],
            text="calm quiet slow" if own else "loud quick bright",
        )
        for own in (kind, 1 - kind)
    ]
    both = SlateRequest(
        item=np.full(2, -1, np.int32), past=request.past, now=request.now, given=dict(enumerate(new))
    )
    scores = learnt.score(both)
    assert np.isfinite(scores).all()
    assert learnt.features(both)[0, learnt.columns.names.index("taste")] > 0.0
    assert scores[0] > scores[1]


@pytest.mark.parametrize(
    "items",
    [[], [3, 3, 3], [-1, 10**6, 5], list(range(N_ITEMS)) * 20],
    ids=["none", "thrice the same", "unknown", "many"],
)
def test_any_candidates_get_finite_scores(learnt, items):
    scores = learnt.score(SlateRequest(item=np.array(items, np.int32), past=NO_PAST, now=0))
    assert scores.shape == (len(items),)
    assert np.isfinite(scores).all()


def test_attributes_without_sense_do_no_harm():
    items = [
        Item(item_id="a", attributes={"price": float("nan"), "tags": "|||", "flag": True}),
        Item(item_id="b", attributes={"price": float("inf"), "tags": "x" * 5000, "flag": "yes"}),
        None,
        *the_items(),
    ]
    traits = traits_of(items)
    assert np.isnan(traits.rows.number[:2, traits.number_names.index("price")]).all()
    assert np.isfinite(traits.rows.weight).all()


def test_a_log_without_clicks_teaches_nothing_and_does_not_fail():
    slates, traits = some_slates(5), the_traits()
    unclicked = replace(slates, clicked=np.zeros(len(slates.item), np.bool_))
    assert (examination(unclicked, N_ITEMS) == 1.0).all()
    rates = click_rates(unclicked, traits.rows, len(traits.vocabulary.idf), np.ones(PLACES))
    assert np.isfinite(rates.rate).all()


def test_the_past_of_a_slate_holds_earlier_slates_only():
    slates = ShownSlates.of(
        [0, 0, 1, 0],
        [1, 1, 2, 3],
        [[1, 2], [3], [4], [5]],
        [[True, False], [False], [True], [False]],
    )
    pasts = pasts_of(slates)
    assert [past.item.tolist() for past in pasts] == [[], [], [], [1, 2, 3]]
    assert pasts[3].taken.tolist() == [True, False, False]


def test_gains_are_those_of_ndcg():
    slates = ShownSlates.of([0, 1], [0, 0], [[1, 2, 3], [4, 5]], [[False, True, False], [False, False]])
    gains = list_gains(slates, np.array([3.0, 2.0, 1.0, 0.0, 0.0]))
    assert gains[0] == pytest.approx(1.0 / np.log2(3.0))
    assert np.isnan(gains[1])


def test_a_gain_of_some_people_by_chance_is_no_lead():
    ahead = np.random.default_rng(0).normal(size=300)
    assert paired_low(ahead, np.arange(300), 0) < 0.0 < paired_low(ahead + 1.0, np.arange(300), 0)
