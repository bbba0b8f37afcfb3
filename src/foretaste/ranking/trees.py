"""Boosted trees as plain arrays: scored by a kernel of our own, stored without any code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Mask, Ordinals
from foretaste.domain.errors import CorruptArtifactError
from foretaste.domain.kernel import kernel

DEEPEST = 512
"""No path from a root to a leaf is longer: a loop in damaged arrays ends there."""


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """All nodes of all trees. Tree t begins at node `root[t]`; a leaf has `feature` -1.

    At an inner node a row goes to `left` if its value of `feature` is at most `threshold`, else to `right`.
    NaN goes to the left where `nan_left`; where `nan_is_zero` it counts as 0. `value` float64 is what a leaf
    gives, and at an inner node the mean of what its leaves gave in training.
    """

    root: Ordinals
    feature: Ordinals
    threshold: Doubles
    left: Ordinals
    right: Ordinals
    nan_left: Mask
    nan_is_zero: Mask
    value: Doubles

    def __len__(self) -> int:
        """How many trees there are."""
        return len(self.root)

    def score(self, features: Doubles) -> Doubles:
        """Return the sum of the trees for every row of `features` float64 [n, n_features], float64 [n]."""
        found = np.zeros(len(features))
        if len(self):
            _sum_of_trees(
                self.root,
                self.feature,
                self.threshold,
                self.left,
                self.right,
                self.nan_left,
                self.nan_is_zero,
                self.value,
                np.ascontiguousarray(features, np.float64),
                found,
            )
        return found

    def contributions(self, features: Doubles) -> tuple[Doubles, float]:
        """Return what each feature adds to each row's score, float64 [n, n_features], and the rest.

        A step along a path belongs to the feature that decided it (Saabas 2014); rows sum to score - rest.
        """
        parts = np.zeros(features.shape)
        for row, values in enumerate(features):
            for tree in self.root.tolist():
                node = tree
                while self.feature[node] >= 0:
                    following = self._next(node, float(values[self.feature[node]]))
                    parts[row, self.feature[node]] += self.value[following] - self.value[node]
                    node = following
        return parts, float(self.value[self.root].sum())

    def _next(self, node: int, value: float) -> int:
        if np.isnan(value) and self.nan_is_zero[node]:
            value = 0.0
        goes_left = self.nan_left[node] if np.isnan(value) else value <= self.threshold[node]
        return int(self.left[node] if goes_left else self.right[node])

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _NAMES}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int) -> Self:
        """Rebuild the trees; raise `CorruptArtifactError` where a node points outside."""
        trees = cls(**{name: arrays[name] for name in _NAMES})
        n = len(trees.feature)
        inner = trees.feature >= 0
        alike = all(len(getattr(trees, name)) == n for name in _NAMES if name != "root")
        if not alike or not all(
            _within(nodes, n) for nodes in (trees.root, trees.left[inner], trees.right[inner])
        ):
            raise CorruptArtifactError("the ranker's trees point outside; train again", field="ranker")
        if n and not -1 <= trees.feature.min() <= trees.feature.max() < n_features:
            raise CorruptArtifactError("the ranker's trees name features there are not", field="ranker")
        return trees


_NAMES = ("root", "feature", "threshold", "left", "right", "nan_left", "nan_is_zero", "value")


def no_trees() -> Trees:
    """Return no trees at all: every score is 0."""
    return trees_of([])


def trees_of(dumps: Sequence[tuple[Mapping[str, Any], float]]) -> Trees:
    """Return the trees of LightGBM models, as `Booster.dump_model` gives them, each times its scale."""
    roots: list[int] = []
    nodes: list[tuple[int, float, int, int, bool, bool, float]] = []
    for dump, scale in dumps:
        for tree in dump["tree_info"]:
            roots.append(len(nodes))
            _add(tree["tree_structure"], scale, nodes)
    columns = list(zip(*nodes, strict=True)) if nodes else [()] * 7
    return Trees(
        root=np.array(roots, np.int32),
        feature=np.array(columns[0], np.int32),
        threshold=np.array(columns[1], np.float64),
        left=np.array(columns[2], np.int32),
        right=np.array(columns[3], np.int32),
        nan_left=np.array(columns[4], np.bool_),
        nan_is_zero=np.array(columns[5], np.bool_),
        value=np.array(columns[6], np.float64),
    )


def _add(
    structure: Mapping[str, Any], scale: float, nodes: list[tuple[int, float, int, int, bool, bool, float]]
) -> int:
    """Append a node and all below it; return its number."""
    number = len(nodes)
    if "leaf_value" in structure:
        nodes.append((-1, 0.0, 0, 0, False, False, scale * structure["leaf_value"]))
        return number
    nodes.append((-1, 0.0, 0, 0, False, False, 0.0))
    left = _add(structure["left_child"], scale, nodes)
    right = _add(structure["right_child"], scale, nodes)
    nodes[number] = (
        int(structure["split_feature"]),
        float(structure["threshold"]),
        left,
        right,
        bool(structure["default_left"]),
        structure["missing_type"] == "None",
        scale * structure["internal_value"],
    )
    return number


def _within(nodes: Ordinals, n: int) -> bool:
    return not len(nodes) or bool(0 <= nodes.min() <= nodes.max() < n)


@kernel
def _sum_of_trees(
    root: Ordinals,
    feature: Ordinals,
    threshold: Doubles,
    left: Ordinals,
    right: Ordinals,
    nan_left: Mask,
    nan_is_zero: Mask,
    value: Doubles,
    features: Doubles,
    found: Doubles,
) -> None:
    for row in range(len(found)):
        total = 0.0
        for tree in range(len(root)):
            node = root[tree]
            for _ in range(DEEPEST):
                asked = feature[node]
                if asked < 0:
                    break
                own = features[row, asked]
                if np.isnan(own):
                    goes_left = threshold[node] >= 0.0 if nan_is_zero[node] else nan_left[node]
                else:
                    goes_left = own <= threshold[node]
                node = left[node] if goes_left else right[node]
            total += value[node]
        found[row] = total
