"""Neural matrix factorization fitted by JAX; a module of its own because JAX is optional."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.interactions import Interactions
from foretaste.models.neural.hold_out import HoldOut, ends_held_out, within_bounds
from foretaste.models.neural.ncf import NCF, NCFConfig
from foretaste.models.neural.sequences import STRENGTHS, Sequences, rows_of, sequences_of
from foretaste.models.neural.training_loop import Plan, Tree, affordable, dropped, fit_network, usual_batch

SAMPLED = 640
"""The level of scores is taken over about so many persons and items."""
SMALLER = 4
"""A pair has as many numbers as there are units: steps take so many times fewer events."""


SLOWER = 8
"""What a unit does with a pair takes as long as so many multiplications of a product of matrices."""


@dataclass(frozen=True, slots=True)
class NCFNetwork:
    """Implements `training_loop.Network`; what `NCF` computes, for whole rows at once."""

    dropout: float

    def logits(
        self, parameters: Tree, rows: Tree, negatives: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Return the scores of targets and negatives; see `Network`."""
        person = self.persons(parameters, rows)
        person = dropped(person, self.dropout, key).reshape(-1, person.shape[-1])
        target = rows["target"].reshape(-1)
        units = person @ parameters["units"] + parameters["bias"]
        product = (person * parameters["items"][target]).sum(axis=1)
        positive = product + _said(units + parameters["pairs"][target], parameters["out"])
        pairs = units[:, None] + parameters["pairs"][negatives][None]
        return positive, person @ parameters["items"][negatives].T + _said(pairs, parameters["out"])

    def persons(self, parameters: Tree, rows: Tree) -> jax.Array:
        """Return the pooled history after each event, float32 [n_rows, width, dim]."""
        width = rows["item"].shape[1]
        back = np.arange(width)[:, None] - np.arange(width)
        hears = (rows["person"][:, :, None] == rows["person"][:, None, :]) & (back >= 0)
        loud = parameters["recency"][np.maximum(back, 0)] + parameters["strength"][rows["strength"]][:, None]
        loud = jnp.where(hears, jnp.exp(loud), 0.0)
        loud /= jnp.sqrt(jnp.maximum(loud.sum(axis=2, keepdims=True), 1e-6))
        return jnp.matmul(loud, parameters["history"][rows["item"]])


def fitted(config: NCFConfig, interactions: Interactions, seed: int) -> tuple[float, dict[str, Floats]]:
    """Return after how many passes over the data learning ended, and the arrays of `NCF`."""
    bounded = within_bounds(interactions, seed)
    held = ends_held_out(bounded, seed) if config.epochs is None else HoldOut(bounded, ())
    sequences = sequences_of(held.train)
    first = first_parameters(config, len(sequences.known), seed)
    if not sequences.n_users:
        return 0.0, as_model_arrays(first, sequences, 0)

    def judged(parameters: Mapping[str, Floats]) -> float:
        model = NCF(config, as_model_arrays(parameters, sequences, interactions.n_items))
        return held.value(model.score_all)

    found = fit_network(
        NCFNetwork(config.dropout),
        first,
        sequences,
        _plan(config, sequences, first, config.epochs or held.epochs),
        seed,
        judged,
    )
    return found.epochs, as_model_arrays(found.parameters, sequences, interactions.n_items)


def first_parameters(config: NCFConfig, n_items: int, seed: int) -> dict[str, Floats]:
    """Return the parameters that learning begins with, drawn by `seed`."""
    generator = np.random.default_rng(seed)

    def drawn(*shape: int, size: float) -> Floats:
        return (generator.standard_normal(shape) * size).astype(np.float32)

    return {
        "history": drawn(n_items, config.dim, size=0.1),
        "items": drawn(n_items, config.dim, size=0.1),
        "pairs": drawn(n_items, config.hidden, size=0.1),
        "units": drawn(config.dim, config.hidden, size=config.dim**-0.5),
        "bias": np.zeros(config.hidden, np.float32),
        "out": drawn(config.hidden, size=config.hidden**-0.5),
        "recency": np.zeros(config.length, np.float32),
        "strength": np.zeros(STRENGTHS, np.float32),
    }


def as_model_arrays(
    parameters: Mapping[str, Floats], sequences: Sequences, n_items: int
) -> dict[str, Floats]:
    """Return the arrays of `NCF`: items by ordinal, unknown ones zero, and the level of their scores."""
    arrays = dict(parameters)
    level = _level(parameters, sequences) if n_items else 0.0
    arrays["level"] = np.array([level], np.float32)
    if n_items:
        arrays["items"] = parameters["items"] - parameters["items"].mean(axis=0)
    for name in ("history", "items", "pairs"):
        rows = np.zeros((n_items, arrays[name].shape[1]), np.float32)
        rows[sequences.known] = arrays[name]
        arrays[name] = rows
    arrays["pairs"] = np.ascontiguousarray(arrays["pairs"].T)
    return arrays


def _level(parameters: Mapping[str, Floats], sequences: Sequences) -> float:
    """Return what the perceptron says of an item on average, over some persons and items."""
    width, generator = len(parameters["recency"]), np.random.default_rng(0)
    rows = rows_of(sequences, width, 1, generator).portion(0, SAMPLED // width)
    person = np.asarray(NCFNetwork(0.0).persons(dict(parameters), dict(rows)))[rows["person"] >= 0]
    units = person @ parameters["units"] + parameters["bias"]
    n_items = len(sequences.known)
    item = generator.choice(n_items, min(n_items, SAMPLED), replace=False)
    pairs, out = parameters["pairs"][item], parameters["out"]
    return float(np.mean([np.maximum(unit + pairs, 0.0) @ out for unit in units]))


def _said(units: jax.Array, out: jax.Array) -> jax.Array:
    return jnp.matmul(jax.nn.relu(units), out)


def _plan(config: NCFConfig, sequences: Sequences, first: Mapping[str, Floats], epochs: float | None) -> Plan:
    """Return how to go about it within the configuration's `work`."""
    batch = max(1, usual_batch(sequences, config.length) // SMALLER)
    negatives = min(config.negatives, len(sequences.known))
    event = negatives * (config.dim + SLOWER * config.hidden)
    return Plan(
        width=config.length,
        batch=batch,
        negatives=config.negatives,
        rate=config.rate,
        steps=affordable(config.work, event * config.length * batch, first),
        epochs=epochs,
    )
