"""A log of slates whose truth is known: items of two kinds, people who like one kind, and tired eyes."""

import numpy as np

from foretaste.domain.item import Item
from foretaste.ranking.past import pasts_of
from foretaste.ranking.shown import ShownSlates
from foretaste.ranking.slate_features import Columns, SlateRequest
from foretaste.ranking.traits import traits_of

N_ITEMS = 60
PLACES = 12
MINUTE = 60_000_000


def the_items():
    return [
        Item(
            item_id=f"i{number}",
            title=f"thing {number}",
            text=("calm quiet slow" if number % 2 else "loud quick bright") + f" of lot {number % 7}",
            categories=("even", "odd")[number % 2 : number % 2 + 1],
            attributes={"maker": f"m{number % 5}|m{number % 3}", "price": float(number)},
        )
        for number in range(N_ITEMS)
    ]


def the_appeal():
    """Return how likely each item is clicked once it is looked at."""
    return np.random.default_rng(7).permutation(np.linspace(0.05, 0.6, N_ITEMS))


def some_slates(n_people=150, each=4, *, look=None, seed=0, sorted_by=None, taste=2.5, one_each=False):
    """Return slates and looks; `sorted_by` [items] puts larger ones nearer to the top, with some noise.

    With `one_each`, people take exactly one item of each slate.
    """
    generator = np.random.default_rng(seed)
    look = np.ones(PLACES) if look is None else look
    appeal, users, times, shown, clicked = the_appeal(), [], [], [], []
    for user in range(n_people):
        for step in range(each):
            items = generator.permutation(N_ITEMS)[:PLACES]
            if sorted_by is not None:
                items = items[np.argsort(-(sorted_by[items] + generator.normal(scale=0.1, size=PLACES)))]
            liked = np.where(items % 2 == user % 2, taste, 1.0 / taste)
            users.append(user)
            times.append((step * n_people + user) * MINUTE)
            shown.append(items)
            drawn = look * np.minimum(appeal[items] * liked, 0.95)
            if one_each:
                clicked.append(np.arange(PLACES) == generator.choice(PLACES, p=drawn / drawn.sum()))
            else:
                clicked.append(generator.random(PLACES) < drawn)
    order = np.argsort(times, kind="stable")
    return ShownSlates.of(
        [users[place] for place in order],
        [times[place] for place in order],
        [shown[place] for place in order],
        [clicked[place] for place in order],
    )


def the_traits():
    return traits_of(the_items())


def requests_of(slates):
    return [
        SlateRequest(item=slates.item[first:end], past=past, now=now)
        for first, end, past, now in zip(
            slates.start[:-1].tolist(),
            slates.start[1:].tolist(),
            pasts_of(slates),
            slates.time.tolist(),
            strict=True,
        )
    ]


def the_columns(traits):
    return Columns(numbers=traits.number_names)
