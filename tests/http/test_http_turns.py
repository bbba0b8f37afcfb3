"""Requests begin in turns, what matters most first, and none waits in vain."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from foretaste.app.http.asgi.turns import Turns
from foretaste.serving.admission import Priority

ANSWERS, EVENTS, ADMIN, HEALTH = Priority.ANSWERS, Priority.EVENTS, Priority.ADMIN, Priority.HEALTH
WAITING = (EVENTS, ANSWERS, ADMIN)


def begun(kinds, leaving=()):
    """Return in which order requests of these kinds begin that come at once, and in which round each."""

    async def run():
        turns, order, rounds = Turns(), [], 0

        async def ask(place, kind):
            await turns.take(kind)
            order.append((rounds, place))

        tasks = [asyncio.ensure_future(ask(place, kind)) for place, kind in enumerate(kinds)]
        for _ in range(3 * len(kinds) + 3):
            await asyncio.sleep(0)
            rounds += 1
            if rounds == 1:
                for place in leaving:
                    tasks[place].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return order

    return asyncio.run(run())


def test_one_answer_begins_in_each_round():
    rounds = [number for number, _ in begun([ANSWERS] * 5)]
    assert len(set(rounds)) == 5


def test_who_came_first_begins_first():
    assert [place for _, place in begun([ANSWERS] * 5)] == [0, 1, 2, 3, 4]


def test_events_go_before_answers_and_administrators_come_last():
    assert [place for _, place in begun([ANSWERS, ADMIN, ANSWERS, EVENTS, EVENTS])] == [0, 3, 4, 2, 1]


def test_however_many_events_come_an_answer_begins_in_each_round():
    order = begun([EVENTS] * 50 + [ANSWERS] * 3)
    rounds = sorted({number for number, _ in order})
    assert [number for number, place in order if place >= 50] == rounds[1:4]


def test_health_does_not_wait():
    order = begun([ANSWERS, ANSWERS, ANSWERS, HEALTH])
    assert [place for number, place in order if number == order[0][0]] == [0, 3]


def test_a_request_that_comes_later_begins_at_once_where_nobody_waits():
    async def run():
        turns = Turns()
        for _ in range(3):
            await asyncio.wait_for(turns.take(ANSWERS), 10)

    asyncio.run(run())


@given(kinds=st.lists(st.sampled_from(WAITING), min_size=1, max_size=12), data=st.data())
def test_whoever_leaves_everybody_else_has_a_turn(kinds, data):
    leaving = data.draw(st.sets(st.integers(1, len(kinds) - 1)) if len(kinds) > 1 else st.just(set()))
    stayed = {place for _, place in begun(kinds, leaving)}
    assert stayed >= set(range(len(kinds))) - leaving
