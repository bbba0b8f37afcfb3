"""The simulator keeps its laws: the same again for the same seed, and the shares and rates it is told."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretaste.domain.errors import InvalidInputError
from foretaste.testing.simulator.scenery import START, STEP, Scenery
from foretaste.testing.simulator.traffic import TYPES, deliveries, is_bot
from foretaste.testing.simulator.world import EXPLORING, World

sceneries = st.builds(
    Scenery,
    users=st.integers(1, 60),
    items=st.integers(2, 80),
    rate=st.floats(0.02, 0.3),
    duration=st.floats(60.0, 20_000.0),
    drift=st.floats(0, 1),
    season=st.floats(0, 1),
    new_items=st.floats(0, 1),
    bots=st.floats(0, 1),
    duplicates=st.floats(0, 1),
    late=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
few = settings(max_examples=30)
PLENTY = Scenery(users=150, items=120, rate=0.5, duration=86_400.0, seed=5)


def delivered(scenery):
    return list(deliveries(World(scenery)))


@pytest.fixture(scope="module")
def plenty():
    """A day of traffic."""
    return delivered(PLENTY)


def firsts(traffic):
    return [delivery for delivery in traffic if not delivery.again]


@few
@given(sceneries)
def test_the_same_scenery_gives_the_same_deliveries(scenery):
    assert delivered(scenery) == delivered(scenery)


def test_another_seed_gives_others():
    one, other = (delivered(Scenery(rate=0.1, duration=5_000, seed=seed)) for seed in (1, 2))
    assert [d.event.item_id for d in one] != [d.event.item_id for d in other]


@few
@given(sceneries)
def test_deliveries_come_in_the_order_of_arrival_and_events_lie_in_the_span(scenery):
    traffic = delivered(scenery)
    assert [d.at for d in traffic] == sorted(d.at for d in traffic)
    assert all(scenery.start <= d.event.timestamp < scenery.end for d in traffic)
    assert all(d.at >= d.event.timestamp for d in traffic)


@few
@given(sceneries)
def test_times_rise_but_for_what_is_late_or_again(scenery):
    on_time = [d.event.timestamp for d in delivered(scenery) if not d.late and not d.again]
    assert on_time == sorted(on_time)


@few
@given(sceneries)
def test_an_event_comes_once_and_duplicates_are_the_same_event_later(scenery):
    traffic = delivered(scenery)
    once = {d.event.event_id: d for d in traffic if not d.again}
    assert len(once) == len(firsts(traffic))
    for delivery in traffic:
        if delivery.again:
            assert delivery.event == once[delivery.event.event_id].event
            assert delivery.at >= once[delivery.event.event_id].at


@few
@given(sceneries)
def test_nobody_takes_what_did_not_arrive_yet(scenery):
    world = World(scenery)
    arrival = {item.item_id: item.available_from or scenery.start for item in world.items}
    assert all(arrival[d.event.item_id] <= d.event.timestamp for d in deliveries(world))


@few
@given(sceneries, st.integers(0, 20_000))
def test_chances_are_chances_of_what_is_there(scenery, seconds):
    world, moment = World(scenery), scenery.start + seconds * 1_000_000
    chances = world.chances("u1", moment)
    there = world.arrival <= scenery.start + scenery.step_of(moment) * STEP
    assert chances.sum() == pytest.approx(1.0)
    assert np.all((chances > 0) == there)
    assert world.reward("u1", moment, [item.item_id for item in world.items]) == pytest.approx(1.0)


def test_rates_and_shares_hold(plenty):
    first = firsts(plenty)
    assert len(first) / PLENTY.duration == pytest.approx(PLENTY.rate, rel=0.1)
    shares = {
        "bots": np.mean([is_bot(d.event.user_id) for d in first]),
        "late": np.mean([d.late for d in first]),
        "duplicates": (len(plenty) - len(first)) / len(first),
    }
    assert shares["late"] == pytest.approx(PLENTY.late, rel=0.15)
    assert shares["duplicates"] == pytest.approx(PLENTY.duplicates, rel=0.2)
    assert shares["bots"] == pytest.approx(PLENTY.bots, rel=0.6)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_shares_may_be_none_or_all(share):
    traffic = delivered(Scenery(rate=0.2, duration=8_000, bots=share, late=share, duplicates=share, seed=3))
    first = firsts(traffic)
    assert {is_bot(d.event.user_id) for d in first} == {bool(share)}
    assert {d.late for d in first} == {bool(share)}
    assert len(traffic) == len(first) * (1 + round(share))


def test_the_rate_holds_in_each_hour_without_seasons():
    scenery = Scenery(rate=1.0, duration=4 * 3600, season=0.0, bots=0.0, seed=2)
    hours = Counter((d.event.timestamp - START) // 3_600_000_000 for d in firsts(delivered(scenery)))
    assert all(count == pytest.approx(3600, rel=0.15) for count in hours.values())
    assert len(hours) == 4


def test_nights_are_quiet_and_evenings_busy(plenty):
    hours = Counter((d.event.timestamp - START) // 3_600_000_000 for d in firsts(plenty))
    night, evening = (sum(hours[hour] for hour in span) for span in (range(1, 6), range(13, 18)))
    assert evening > 2 * night


def test_a_session_is_one_person_on_one_device_with_gaps_of_minutes_at_most(plenty):
    sessions = defaultdict(list)
    for d in firsts(plenty):
        if d.event.session_id:
            sessions[d.event.session_id].append(d.event)
    for events in sessions.values():
        assert len({(event.user_id, event.context["device"]) for event in events}) == 1
        times = sorted(event.timestamp for event in events)
        assert max(np.diff(times), default=0) <= 600_000_000
    lengths = [len(events) for events in sessions.values()]
    assert 3.5 < np.mean(lengths) < 6.0
    assert max(lengths) > 15


def test_bots_come_in_bursts_and_take_blindly(plenty):
    bots = [d.event for d in firsts(plenty) if is_bot(d.event.user_id)]
    gaps = np.diff(sorted(event.timestamp for event in bots))
    assert np.median(gaps) < 2_000_000
    assert {event.type for event in bots} == {"click"}
    most = Counter(event.item_id for event in bots).most_common(1)[0][1]
    assert most < 0.05 * len(bots)


def test_popularity_has_a_long_tail(plenty):
    counts = sorted(Counter(d.event.item_id for d in firsts(plenty)).values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.3 * sum(counts)
    assert counts[-1] < 0.1 * counts[0]


def test_choices_are_drawn_by_the_chances():
    scenery = Scenery(users=3, items=12, rate=2.0, duration=900 * 8, bots=0.0, seed=4)
    world = World(scenery)
    taken = {user: np.zeros(12) for user in world.users}
    due = {user: np.zeros(12) for user in world.users}
    position = {item.item_id: number for number, item in enumerate(world.items)}
    for d in firsts(deliveries(world)):
        taken[d.event.user_id][position[d.event.item_id]] += 1
        due[d.event.user_id] += world.chances(d.event.user_id, d.event.timestamp)
    for user in world.users:
        deviation = (taken[user] - due[user]) ** 2 / np.maximum(due[user], 1e-9)
        assert deviation[due[user] > 5].sum() < 3 * 12


def test_without_drift_tastes_stay_and_with_it_some_people_move():
    everyone = np.arange(200)
    still = World(Scenery(drift=0.0, duration=5 * 86_400))
    assert all(
        np.array_equal(still.tastes(everyone, 0), still.tastes(everyone, step)) for step in range(0, 480, 7)
    )
    moving = World(Scenery(drift=0.2, duration=5 * 86_400))
    moved = np.abs(moving.tastes(everyone, 96) - moving.tastes(everyone, 0)).sum(axis=1) > 1e-9
    assert 0.1 < moved.mean() < 0.3
    half_way = moving.tastes(everyone, 48)[moved]
    middle = (moving.tastes(everyone, 0) + moving.tastes(everyone, 96))[moved] / 2
    assert np.allclose(half_way, middle)


def test_without_seasons_only_arrivals_change_the_chances():
    scenery = Scenery(drift=0.0, season=0.0, new_items=0.0)
    world = World(scenery)
    assert np.array_equal(world.chances("u3", scenery.start), world.chances("u3", scenery.end))


def test_new_items_draw_more_at_first():
    scenery = Scenery(users=5, items=40, new_items=0.25, season=0.0, drift=0.0, duration=4 * 86_400)
    world = World(scenery)
    number = int(np.flatnonzero(world.arrival > scenery.start)[0])
    first = scenery.step_of(int(world.arrival[number])) + 1
    later = first + 96
    shares = [world.draw(step)[0][world.topic[number], number] for step in (first, later)]
    odds = [share / (1 - share) for share in shares]
    assert odds[0] > 2 * odds[1] > 0


def test_the_oracle_is_never_beaten():
    world = World(PLENTY)
    rng = np.random.default_rng(0)
    for user in ("u1", "u70", "u150"):
        best = world.best(user, PLENTY.end, 10)
        oracle = world.reward(user, PLENTY.end, best)
        assert len(best) == len(set(best)) == 10
        for _ in range(50):
            others = [world.items[number].item_id for number in rng.permutation(120)[:10]]
            assert world.reward(user, PLENTY.end, others) <= oracle
        rest = world.best(user, PLENTY.end, 10, without=best)
        assert not set(rest) & set(best)


def test_what_counts_for_nothing_and_what_is_unknown():
    world = World(PLENTY)
    assert world.reward("u1", PLENTY.end, []) == world.reward("u1", PLENTY.end, ["no such item"]) == 0.0
    best = world.best("u1", PLENTY.end, 1)
    assert world.reward("u1", PLENTY.end, best * 5) == world.reward("u1", PLENTY.end, best)
    assert 0.0 < EXPLORING < 1.0
    with pytest.raises(InvalidInputError, match="no person"):
        world.chances("bot-1", PLENTY.end)


def test_people_view_more_than_they_buy(plenty):
    kinds = Counter(d.event.type for d in firsts(plenty) if not is_bot(d.event.user_id))
    assert set(kinds) == set(TYPES)
    assert kinds["view"] > kinds["click"] > kinds["purchase"]
