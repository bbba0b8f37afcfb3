"""Session kNN: the kernel against its definition, and what it finds in a world of sequences."""

import msgspec
import numpy as np
import pytest

from foretaste.domain.interactions import Interactions
from foretaste.events.vocabulary import MERGE_FROM, MERGE_INTO
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.features.state import State, StateConfig
from foretaste.models.entries import TURNED
from foretaste.models.interface import Moment
from foretaste.models.popularity import Popularity, PopularityConfig
from foretaste.models.recency import FORGOTTEN
from foretaste.models.session_knn import FAINT, REACH, SessionKNN, SessionKNNConfig
from foretaste.pipeline.known import KnownPeople
from foretaste.testing.event_factories import EVENT_TYPES, event_columns, random_events

CLICK = EVENT_TYPES.index("click")
TYPES = (*EVENT_TYPES, MERGE_FROM, MERGE_INTO)
FROM, INTO = TYPES.index(MERGE_FROM), TYPES.index(MERGE_INTO)
ASKED = 12
CHAIN, N_CHAINS = 12, 8
MINUTE = 60_000_000
PLAIN = SessionKNNConfig(
    recency=Recency(half_life_events=2.0), before=0.0, half_life=2.0, damping=0.5, discount=0.0
)


def folded(events, **settings):
    state = State(StateConfig(**settings), lambda: TYPES)
    state.apply(events)
    return state


def moment_of(state, user=-1, now=10**18):
    return Moment(now, state.items, CatalogColumns.empty(), state.people, user)


def events_by_definition(config, state, user):
    """Return (item, weight) of the events that look for neighbours."""
    history = state.history(user)
    newest = len(history) - 1
    events = []
    for row in range(max(0, len(history) - config.events), len(history)):
        faded = 0.5 ** ((newest - row) / config.recency.half_life_events) * float(history.weight[row])
        events.append((int(history.item[row]), faded))
    loudest = max((abs(weight) for _, weight in events), default=0.0)
    return [
        (item, weight / (1 + state.items.interactions[item]) ** config.damping)
        for item, weight in events
        if weight and abs(weight) >= loudest * FORGOTTEN
    ]


def neighbours_by_definition(config, state, user, events):
    """Return who votes: those who share most, of equals those with the latest touch."""
    alike, latest = {}, {}
    for item, weight in events:
        for other, time in zip(*state.people.touches(item), strict=True):
            if other != user:
                alike[other] = alike.get(other, 0.0) + abs(weight)
                latest[other] = max(latest.get(other, (0, 0)), (int(time), int(other)))
    order = sorted(alike, key=lambda other: (round(alike[other], 5), latest[other]), reverse=True)
    return set(order[: config.neighbours])


def votes_by_definition(config, state, item, other, time):
    """Yield (item, vote) of what one person had to do with around a shared item."""
    theirs = state.history(other)
    minute = theirs.time // MINUTE * MINUTE
    liked = [row for row in range(len(theirs)) if theirs.weight[row] > 0]
    shared = [place for place, row in enumerate(liked) if theirs.item[row] == item and minute[row] == time]
    for place, row in enumerate(liked if shared else []):
        distance, heard = place - shared[-1], int(theirs.item[row])
        if distance and abs(distance) <= REACH and heard != item:
            vote = (1.0 if distance > 0 else config.before) * 0.5 ** ((abs(distance) - 1) / config.half_life)
            rare = (1 + state.items.interactions[heard]) ** -config.discount
            yield heard, vote * rare if vote >= FAINT else 0.0


def scores_by_definition(config, state, user):
    """Return what the docstrings promise, in plain Python."""
    events = events_by_definition(config, state, user)
    neighbours = neighbours_by_definition(config, state, user, events)
    scores = np.zeros(state.items.n_items)
    for item, weight in events:
        for other, time in zip(*state.people.touches(item), strict=True):
            if other in neighbours:
                for heard, vote in votes_by_definition(config, state, item, int(other), time):
                    scores[heard] += weight * vote
    return scores


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("neighbours", "before", "discount"), [(200, 0.0, 0.0), (3, 0.5, 0.3), (8, 1.0, 0.0)]
)
def test_the_kernel_does_what_is_said(seed, neighbours, before, discount):
    events = random_events(seed, 400, n_users=25, n_items=30)
    state = folded(events, history_length=20, touches_per_item=10)
    config = SessionKNNConfig(
        events=6,
        neighbours=neighbours,
        recency=Recency(half_life_events=2.0),
        before=before,
        half_life=3.0,
        damping=0.5,
        discount=discount,
    )
    model = SessionKNN(config)
    for user in range(6):
        found = model.score(state.history(user), moment_of(state, user))
        assert found == pytest.approx(scores_by_definition(config, state, user), rel=1e-3, abs=1e-5)


def test_ones_own_history_has_no_vote():
    state = folded(event_columns([(0, 1, CLICK, 0), (0, 2, CLICK, 60), (0, 3, CLICK, 120)]))
    history = state.history(0)
    assert not SessionKNN(PLAIN).score(history, moment_of(state, user=0)).any()
    assert SessionKNN(PLAIN).score(history, moment_of(state)).any()


def test_what_others_did_a_moment_ago_counts_at_once():
    state = folded(event_columns([(0, 1, CLICK, 0), (1, 1, CLICK, 60)]))
    model = SessionKNN(PLAIN)
    assert not model.score(state.history(0), moment_of(state, 0)).any()
    state.apply(event_columns([(1, 5, CLICK, 120)], previous_seq=2))
    assert int(np.argmax(model.score(state.history(0), moment_of(state, 0)))) == 5


@pytest.mark.parametrize(("neighbours", "discount", "seed"), [(200, 0.0, 0), (3, 0.0, 1), (8, 0.3, 2)])
def test_what_is_kept_is_what_would_be_voted_anew_whatever_came_in_between(neighbours, discount, seed):
    generator = np.random.default_rng(seed)
    config = SessionKNNConfig(
        events=3,
        neighbours=neighbours,
        recency=Recency(half_life_events=2.0),
        before=0.6,
        half_life=1.0,
        damping=0.5,
        discount=discount,
    )
    model, fresh, known = SessionKNN(config), SessionKNN(config), KnownPeople()
    state = folded(random_events(seed, 600, n_users=40, n_items=120), history_length=25, touches_per_item=10)
    kept, stood, asked = {}, 0, 0
    for step in range(150):
        seconds = 3_000_000 + 30 * step - int(generator.choice([0, 0, 0, 900_000]))
        user, item, type_ = (int(generator.integers(n)) for n in (40, 120, len(EVENT_TYPES)))
        state.apply(event_columns([(user, item, type_, seconds)], previous_seq=state.seq))
        for person in range(ASKED):
            moment = moment_of(state, person)
            told = model.told(known.of(state, person).history, moment)
            anew, _ = fresh.made(state.history(person), moment)
            assert sorted(told.entries.tolist()) == sorted(anew.tolist())
            stood, asked = stood + (kept.get(person) is told), asked + 1
            kept[person] = told
    assert 0.2 * asked < stood < 0.98 * asked


def test_two_who_are_one_from_now_on_may_be_asked_instead():
    rows = [(2, 1, 0), (2, 5, 60), (3, 2, 0), (3, 6, 60), (1, 2, 120), (1, 7, 180), (0, 1, 240), (0, 2, 300)]
    state = folded(event_columns([(user, item, CLICK, seconds) for user, item, seconds in rows]))
    model, history = SessionKNN(msgspec.structs.replace(PLAIN, neighbours=1)), state.history(0)

    def voted_for():
        return sorted(TURNED - (entry & TURNED) for entry in model.told(history, moment_of(state, 0)).entries)

    assert voted_for() == [7]
    state.apply(event_columns([(2, 0, FROM, 360), (3, 0, INTO, 360)], previous_seq=len(rows)))
    assert voted_for() == [2, 5, 6]


def test_after_a_snapshot_is_restored_those_vote_whom_it_knows():
    generator, n_items = np.random.default_rng(4), 12
    rows = [(int(generator.integers(6)), int(generator.integers(n_items)), CLICK, 60 * n) for n in range(120)]
    turned = [(user, n_items - 1 - item, *rest) for user, item, *rest in rows]
    before, after = (folded(event_columns(events)) for events in (rows, turned))
    model, state = SessionKNN(PLAIN), folded(event_columns([]))
    for known in (before, after):  # the same numbers of everything, in the same places
        state.restore(known.snapshot())
        for user in range(6):
            voted = model.score(state.history(user), moment_of(state, user))
            anew = SessionKNN(PLAIN).score(known.history(user), moment_of(known, user))
            assert voted.tobytes() == anew.tobytes()
            assert voted.any()


def test_without_people_there_is_no_opinion():
    state = folded(random_events(0, 100))
    moment = Moment(0, state.items, CatalogColumns.empty())
    assert not SessionKNN(PLAIN).score(state.history(0), moment).any()
    assert not SessionKNN(PLAIN).explain(state.history(0), 1, moment).any()


def chains(seed, n_users=240, length=6):
    """People walk along chains of items, starting anywhere; the first chains are walked most."""
    generator = np.random.default_rng(seed)
    share = 1.0 / (1.0 + np.arange(N_CHAINS))
    rows = []
    for user in range(n_users):
        chain = int(generator.choice(N_CHAINS, p=share / share.sum()))
        start = int(generator.integers(0, CHAIN - length))
        rows += [(user, chain * CHAIN + start + step, step) for step in range(length)]
    return rows


def interactions_of(rows, *, sequential=True):
    rows = sorted(rows, key=lambda row: row[2])
    user, item, step = (np.array(column) for column in zip(*rows, strict=True))
    return Interactions(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        weight=np.ones(len(rows), np.float32),
        time=step.astype(np.int64) * MINUTE,
        n_users=int(user.max()) + 1,
        n_items=CHAIN * N_CHAINS,
        timed=True,
        sequential=sequential,
    )


def test_in_a_world_of_sequences_it_knows_what_comes_next_and_popularity_does_not():
    rows = chains(0)
    known = [row for row in rows if row[2] < 5]
    model = SessionKNNConfig().fit(interactions_of(known), 0, CatalogColumns.empty())
    assert model.config.before is not None
    in_order = sorted(known, key=lambda row: row[2])
    state = folded(event_columns([(user, item, CLICK, 60 * step) for user, item, step in in_order]))
    hits = {"session_knn": 0, "popularity": 0}
    truths = [(user, item) for user, item, step in rows if step == 5]
    for user, item in truths:
        history = state.history(user)
        for one in (model, Popularity(PopularityConfig())):
            scores = one.score(history, moment_of(state, user))
            scores[history.item] = -1.0
            hits[one.name] += int(item == np.argmax(scores)) if item < len(scores) else 0
    assert hits["session_knn"] > 0.8 * len(truths)
    assert hits["popularity"] < 0.3 * len(truths)


def test_what_is_given_stays_and_without_order_the_usual_is_taken():
    given = SessionKNNConfig(before=0.7, half_life=5.0)
    unordered = interactions_of(chains(2))
    unordered = type(unordered)(
        unordered.user,
        unordered.item,
        unordered.weight,
        0 * unordered.time,
        240,
        CHAIN * N_CHAINS,
        timed=False,
    )
    config = given.fit(unordered, 0, CatalogColumns.empty()).config
    assert (config.before, config.half_life) == (0.7, 5.0)
    assert config.recency == Recency(half_life_events=3.0)
