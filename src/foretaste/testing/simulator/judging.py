"""How good answers are in a world that is known: the chance that they hold the next choice."""

from collections.abc import Callable, Collection, Sequence

import msgspec

from foretaste.testing.simulator.world import World

Ask = Callable[[str, int], Sequence[str]]
"""Asked for a person's slate of k items, gives item ids."""

ROUNDING = 1e-9
"""Chances that are nearer to each other are the same, summed up in another order."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Mean chances that a person's next choice is on their slate of `k`, over `people` people.

    `oracle` is the highest there can be; `popular` shows everyone the same.
    """

    k: int
    people: int
    reward: float
    popular: float
    oracle: float

    @property
    def share(self) -> float | None:
        """Which part of the way from popularity to the oracle was gone; 1 is all of it, below 0 is worse.

        None where popularity is as good as the oracle, as on slates that hold all items.
        """
        way = self.oracle - self.popular
        return (self.reward - self.popular) / way if way > ROUNDING else None


def judged(
    world: World,
    moment: int,
    ask: Ask,
    *,
    people: Sequence[str],
    popular: Sequence[str],
    k: int = 10,
    had: Callable[[str], Collection[str]] = lambda _: (),
) -> Judgement:
    """Ask for each person's slate at a moment and return how good they are.

    `popular` are items by popularity, best first. What `had` says of a person is in nobody's slate.
    """
    rewards, populars, oracles = [], [], []
    for user_id in people:
        gone = set(had(user_id))
        usual = [item_id for item_id in popular if item_id not in gone][:k]
        rewards.append(world.reward(user_id, moment, list(ask(user_id, k))[:k]))
        populars.append(world.reward(user_id, moment, usual))
        oracles.append(world.reward(user_id, moment, world.best(user_id, moment, k, without=gone)))
    n = len(people)
    return Judgement(
        k=k, people=n, reward=sum(rewards) / n, popular=sum(populars) / n, oracle=sum(oracles) / n
    )
