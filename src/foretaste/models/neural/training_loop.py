"""The loop that fits a network by gradients; a module of its own because JAX and optax are optional."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from foretaste.domain.arrays import Floats
from foretaste.models.neural.negatives import negatives_of
from foretaste.models.neural.sequences import Sequences, rows_of

Tree = dict[str, Any]
"""Arrays of JAX by name."""
WARM_UP = 100
"""Steps in which the rate rises from zero."""
LONGEST_GRADIENT = 1.0
AVERAGED = 0.998
"""What is kept is the moving average of the parameters over about the last 500 steps."""
PATIENCE = 3
"""So many judgements without a better one end the fit."""
JUDGEMENTS = 5
"""At least so many, where the data is too large to be gone through once;"""
BETWEEN = 50
"""and at least so many steps between two, where one pass over the data is fewer."""
UPDATE = 100.0
"""What a step does to each parameter takes as long as so many multiplications of a product of matrices."""
MOST_ROWS, STEPS = 32, 32
"""A step takes so many rows of events at most; where data is small fewer, for so many steps to a pass."""
COMPILER = {"xla_cpu_multi_thread_eigen": False}
"""One thread: the same additions in the same order on every run."""


class Network(Hashable, Protocol):
    """What is fitted; hashable, so that it is compiled once."""

    def logits(
        self, parameters: Tree, rows: Tree, negatives: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Return the scores of each event's target [n] and of the negatives after it [n, n_negatives].

        n counts the events of `rows`, row by row; `key` is the randomness of what is dropped.
        """
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and in what portions: rows of `width` events, `batch` of them a step, `steps` at most.

    `epochs` passes over the data if given, else until the judge sees no progress. Where there are no more
    than `negatives` items, all of them are the negatives.
    """

    width: int
    batch: int
    negatives: int
    rate: float
    steps: int
    epochs: float | None

    def steps_per_epoch(self, sequences: Sequences) -> int:
        """Return how many steps are one pass over the data."""
        return max(1, -(-len(sequences.item) // (self.width * self.batch)))


def usual_batch(sequences: Sequences, width: int) -> int:
    """Return how many rows a step takes: a power of two."""
    rows = max(1, len(sequences.item) // (width * STEPS))
    return min(MOST_ROWS, 1 << (rows.bit_length() - 1))


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Parameters, after how many passes over the data they were reached, and their value."""

    parameters: Mapping[str, Floats]
    epochs: float
    value: float


def fit_network(
    network: Network,
    first: Mapping[str, Floats],
    sequences: Sequences,
    plan: Plan,
    seed: int,
    judge: Callable[[Mapping[str, Floats]], float],
) -> Found:
    """Minimize the softmax loss of what came next; return the best by `judge`, or the last with given epochs.

    AdamW over portions in an order drawn by `seed`; what is judged and returned is the moving average of
    its path.
    """
    per_epoch = plan.steps_per_epoch(sequences)
    last = plan.steps if plan.epochs is None else min(plan.steps, max(1, round(plan.epochs * per_epoch)))
    every = max(BETWEEN, min(per_epoch, last // JUDGEMENTS))
    best, waited = Found(first, 0.0, -np.inf), 0
    for done, average in _steps(network, first, sequences, plan, seed, last):
        if plan.epochs is not None and done == last:
            return Found(_as_numpy(average), done / per_epoch, np.nan)
        if plan.epochs is None and (done % every == 0 or done == last):
            parameters = _as_numpy(average)
            value = judge(parameters)
            waited = 0 if value > best.value else waited + 1
            if value > best.value:
                best = Found(parameters, done / per_epoch, value)
            if waited == PATIENCE:
                break
    return best


def affordable(work: float, multiplications: float, parameters: Mapping[str, Floats]) -> int:
    """Return how many steps are within `work` times 10¹² multiplications, from those of one way forward."""
    n_parameters = sum(array.size for array in parameters.values())
    return max(1, int(work * 1e12 / (3.0 * multiplications + UPDATE * n_parameters)))


def normalized(x: jax.Array, scale: jax.Array) -> jax.Array:
    """Return rows divided by their root mean square, times `scale`."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6) * scale


def dropped(x: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    """Return `x` with the share `rate` of its numbers set to 0 and the others raised to make up for it."""
    keep = jax.random.bernoulli(key, 1.0 - rate, x.shape)
    return jnp.where(keep, x / (1.0 - rate), 0.0)


def _steps(
    network: Network, first: Mapping[str, Floats], sequences: Sequences, plan: Plan, seed: int, last: int
) -> Iterator[tuple[int, Tree]]:
    """Yield how many steps are done and the averaged parameters, until `last` steps are done."""
    generator, key = np.random.default_rng(seed), jax.random.key(seed)
    step, optimizer = _step_of(network, plan.rate)
    negatives = negatives_of(sequences, plan.negatives)
    parameters: Tree = {name: jnp.array(array) for name, array in first.items()}
    carry = (
        parameters,
        optimizer.init(parameters),
        {name: jnp.array(array) for name, array in first.items()},
    )
    done = 0
    while done < last:
        rows = rows_of(sequences, plan.width, plan.batch, generator)
        for begin in range(0, len(rows.item), plan.batch):
            portion = rows.portion(begin, begin + plan.batch)
            carry = step(carry, portion, *negatives.drawn(generator), key, done)
            done += 1
            yield done, carry[2]
            if done == last:
                return


@lru_cache(maxsize=8)
def _step_of(network: Network, rate: float) -> tuple[Callable[..., Any], Any]:
    optimizer = optax.chain(
        optax.clip_by_global_norm(LONGEST_GRADIENT),
        optax.adamw(lambda count: rate * jnp.minimum(1.0, (count + 1) / WARM_UP), b2=0.98, weight_decay=0.0),
    )

    def loss(
        parameters: Tree, rows: Tree, negatives: jax.Array, correction: jax.Array, key: jax.Array
    ) -> Any:
        positive, others = network.logits(parameters, rows, negatives, key)
        target = rows["target"].reshape(-1)
        others = jnp.where(negatives[None] == target[:, None], -1e30, others - correction)
        both = jnp.logaddexp(positive, jax.nn.logsumexp(others, axis=1))
        counts = target >= 0
        return jnp.where(counts, both - positive, 0.0).sum() / jnp.maximum(counts.sum(), 1)

    def step(
        carry: tuple[Tree, Any, Tree],
        rows: Tree,
        negatives: jax.Array,
        correction: jax.Array,
        key: jax.Array,
        count: int,
    ) -> tuple[Tree, Any, Tree]:
        parameters, memory, average = carry
        gradient = jax.grad(loss)(parameters, rows, negatives, correction, jax.random.fold_in(key, count))
        update, memory = optimizer.update(gradient, memory, parameters)
        parameters = optax.apply_updates(parameters, update)
        part = 1.0 - jnp.minimum(AVERAGED, (1.0 + count) / (10.0 + count))
        average = jax.tree.map(lambda old, new: old + part * (new - old), average, parameters)
        return parameters, memory, average

    return jax.jit(step, donate_argnums=(0,), compiler_options=COMPILER), optimizer


def _as_numpy(parameters: Tree) -> dict[str, Floats]:
    return {name: np.array(array, np.float32) for name, array in parameters.items()}
