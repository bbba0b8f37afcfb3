"""Trials of read-your-writes: something is told to one replica and asked of another one."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

ITEMS = 30
USERS = 40
CATALOG_EVERY = 10


class Asked(Protocol):
    """A process that is told things and asked for answers, as `foretaste.testing.replicas.Replica`."""

    def record(self, user_id: str, item_id: str, kind: str = "purchase") -> int:
        """Record an event and return the `state_seq` of its acknowledgement."""
        ...

    def put(self, item_id: str, **fields: object) -> int:
        """Put an item and return the version of the catalog."""
        ...

    def delete(self, item_id: str) -> int:
        """Delete an item and return the version of the catalog."""
        ...

    def recommend(self, user_id: str | None) -> tuple[str, int, list[str]]:
        """Return source, `state_seq` and items of an answer."""
        ...


@dataclass(slots=True)
class Trials:
    """What became of trials: how many there were, and what each miss was."""

    done: int = 0
    misses: list[str] = field(default_factory=list)


def run_trials(
    replicas: Sequence[Asked],
    count: int,
    *,
    seed: int,
    name: str = "t",
    catalog_every: int = CATALOG_EVERY,
    n_items: int = ITEMS,
    trials: Trials | None = None,
) -> Trials:
    """Do `count` trials, each on two replicas drawn by lot; people and items are called after `name`.

    Every `catalog_every`th trial changes the catalog, the others record an event. What became of them is
    noted in `trials` as they are done.
    """
    chance = random.Random(seed)  # noqa: S311 # test data
    items = [f"{name}-item-{number}" for number in range(n_items)]
    for item in items:
        chance.choice(replicas).put(item)
    trials = trials or Trials()
    bought: dict[str, set[str]] = {}
    round_of_users = 0
    while trials.done < count:
        trials.done += 1
        told, asked = chance.sample(list(replicas), 2)
        if trials.done % catalog_every == 0:
            _delete_and_return(told, asked, chance.choice(items), trials, chance)
            continue
        user = f"{name}-{round_of_users}-user-{chance.randrange(USERS)}"
        left = [item for item in items if item not in bought.get(user, set())]
        if not left:
            round_of_users += 1
            bought.clear()
            continue
        item = chance.choice(left)
        bought.setdefault(user, set()).add(item)
        acknowledged = told.record(user, item)
        source, state_seq, shown = asked.recommend(user)
        if source == "stale" or state_seq < acknowledged or bought[user] & set(shown):
            trials.misses.append(f"trial {trials.done}: {source}, {state_seq} after {acknowledged}, {item}")
    return trials


def _delete_and_return(told: Asked, asked: Asked, item: str, trials: Trials, chance: random.Random) -> None:
    """Delete an item here, see that nobody is shown it there, and put it again."""
    told.delete(item)
    stranger = None if chance.random() < 0.5 else "a stranger"
    if item in asked.recommend(stranger)[2]:
        trials.misses.append(f"trial {trials.done}: {item} was shown after it was deleted")
    told.put(item)
    if item not in asked.recommend(None)[2]:
        trials.misses.append(f"trial {trials.done}: {item} was not shown after it was put")
