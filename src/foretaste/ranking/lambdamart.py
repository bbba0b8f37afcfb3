"""LightGBM's boosted trees; a module of its own because LightGBM is optional, and only for training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Int64s, Mask
from foretaste.domain.errors import MissingExtraError

try:
    import lightgbm
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "a ranker of slates needs LightGBM to be trained: pip install 'foretaste[ranker]'", field="ranker"
    ) from error
except OSError as error:
    raise MissingExtraError(
        f"LightGBM, which trains a ranker of slates, cannot be loaded ({error}): install the system's library"
        " for OpenMP (Debian: apt-get install libgomp1)",
        field="ranker",
    ) from error

Objective = Literal["lambdarank", "listwise", "binary"]
"""LambdaMART (Burges 2010), conditional logit of the clicks of a list, and logistic regression item by item.

What a place adds in log odds means the same to all three. XE-NDCG (Bruch 2021) also gives shares to what was
not clicked, so that trees which start from the places' bias learn to take it back.
"""

CUTOFF = 10


class BoostingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How trees are grown."""

    learning_rate: float = 0.15
    leaves: int = 8
    smallest_leaf_share: float = 0.0007
    """A leaf holds at least this share of the rows, and at least 20."""

    sample: float = 0.7
    """The share of rows and of features that each tree sees."""

    ridge: float = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Rows to learn from, list after list: `size` int64 [n_lists] rows each.

    `features` float64 [rows, n_features], `clicked` bool [rows]. `bias` float64 [rows] is what a row has in
    log odds without the trees: training starts from it, so that the trees explain what is left. Features that
    are `rising` bool [n_features] may only raise a score.
    """

    features: Doubles
    clicked: Mask
    size: Int64s
    bias: Doubles
    rising: Mask


def grow(lists: Lists, objective: Objective, rounds: int, options: BoostingOptions, seed: int) -> Any:
    """Return a booster of `rounds` trees; one thread, so that the same lists and seed give the same trees."""
    return lightgbm.train(_parameters(lists, objective, options, seed), _data(lists), rounds)


def curves(
    lists: Lists,
    judged: Sequence[Lists],
    objective: Objective,
    rounds: int,
    options: BoostingOptions,
    seed: int,
) -> tuple[Any, Doubles]:
    """Return a booster, and NDCG@10 on each of `judged` after each of its trees, float64 [judged, rounds].

    NDCG is not corrected for places.
    """
    recorded: dict[str, dict[str, list[float]]] = {}
    parameters = _parameters(lists, objective, options, seed)
    parameters |= {"metric": "ndcg", "eval_at": [CUTOFF]}
    names = [str(number) for number in range(len(judged))]
    booster = lightgbm.train(
        parameters,
        _data(lists),
        rounds,
        valid_sets=[_data(part) for part in judged],
        valid_names=names,
        callbacks=[lightgbm.record_evaluation(recorded)],
    )
    return booster, np.array([recorded[name][f"ndcg@{CUTOFF}"] for name in names])


def _data(lists: Lists) -> Any:
    return lightgbm.Dataset(
        lists.features, lists.clicked.astype(np.float64), group=lists.size, init_score=lists.bias
    )


def _listwise(score: Doubles, lists: Any) -> tuple[Doubles, Doubles]:
    """Return gradient and curvature of the log-likelihood of which items of each list were clicked."""
    size, clicked = lists.get_group(), lists.get_label()
    start = np.cumsum(size) - size
    odds = np.exp(score - np.repeat(np.maximum.reduceat(score, start), size))
    share = odds / np.repeat(np.add.reduceat(odds, start), size)
    clicks = np.repeat(np.add.reduceat(clicked, start), size)
    return clicks * share - clicked, clicks * share * (1.0 - share)


def _parameters(lists: Lists, objective: Objective, options: BoostingOptions, seed: int) -> dict[str, Any]:
    return {
        "objective": _listwise if objective == "listwise" else objective,
        "learning_rate": options.learning_rate,
        "num_leaves": options.leaves,
        "min_data_in_leaf": max(20, int(options.smallest_leaf_share * len(lists.clicked))),
        "lambda_l2": options.ridge,
        "feature_fraction": options.sample,
        "bagging_fraction": options.sample,
        "bagging_freq": 1,
        "lambdarank_truncation_level": 30,
        "monotone_constraints": lists.rising.astype(int).tolist(),
        "monotone_constraints_method": "intermediate",
        "boost_from_average": False,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed,
        "verbosity": -1,
    }
