"""Self-attention fitted by JAX; a module of its own because JAX is optional."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from foretaste.domain.arrays import Floats
from foretaste.domain.interactions import Interactions
from foretaste.models.neural.hold_out import HoldOut, ends_held_out, within_bounds
from foretaste.models.neural.self_attention import SelfAttention, SelfAttentionConfig
from foretaste.models.neural.sequences import GAPS, STRENGTHS, Sequences, sequences_of
from foretaste.models.neural.training_loop import (
    Plan,
    Tree,
    affordable,
    dropped,
    fit_network,
    normalized,
    usual_batch,
)

WIDER = 2
"""The second part of a layer is so many times as wide as the first."""


@dataclass(frozen=True, slots=True)
class SelfAttentionNetwork:
    """Implements `training_loop.Network`; what `attention` computes, for whole rows at once."""

    layers: int
    heads: int
    dropout: float

    def logits(
        self, parameters: Tree, rows: Tree, negatives: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Return the scores of targets and negatives; see `Network`."""
        told = self.outputs(parameters, rows, key)
        told = told.reshape(-1, told.shape[-1])
        items = parameters["items"]
        target = rows["target"].reshape(-1)
        return (told * items[target]).sum(axis=1), told @ items[negatives].T

    def outputs(self, parameters: Tree, rows: Tree, key: jax.Array | None = None) -> jax.Array:
        """Return what follows from each event, [n_rows, width, dim]; nothing is dropped without `key`."""
        width, dim = rows["item"].shape[1], parameters["items"].shape[1]
        keys = None if key is None else jax.random.split(key, 1 + 2 * self.layers)
        told = parameters["items"][rows["item"]] * np.float32(np.sqrt(dim))
        told += parameters["strength"][rows["strength"]]
        told += jnp.where(rows["gap"][..., None] > 0, parameters["gap"][rows["gap"]], 0.0)
        told = self._dropped(told, keys, 0)
        back = np.arange(width)[:, None] - np.arange(width)
        hears = (rows["person"][:, :, None] == rows["person"][:, None, :]) & (back >= 0)
        for layer in range(self.layers):
            normal = normalized(told, parameters["attention_norm"][layer])
            heard = self._heard(parameters, layer, normal, hears)
            heard *= jax.nn.sigmoid(normal @ parameters["attention_gate"][layer])
            told += self._dropped(heard, keys, 1 + 2 * layer)
            normal = normalized(told, parameters["feed_norm"][layer])
            gate, content = jnp.split(normal @ parameters["feed_in"][layer], 2, axis=-1)
            thought = (jax.nn.silu(gate) * content) @ parameters["feed_out"][layer]
            thought *= jax.nn.sigmoid(normal @ parameters["feed_gate"][layer])
            told += self._dropped(thought, keys, 2 + 2 * layer)
        return normalized(told, parameters["final_norm"])

    def _heard(self, parameters: Tree, layer: int, normal: jax.Array, hears: jax.Array) -> jax.Array:
        n_rows, width, dim = normal.shape
        shape = (n_rows, width, self.heads, dim // self.heads)
        query, key, value = (
            (normal @ parameters[name][layer]).reshape(shape) for name in ("query", "key", "value")
        )
        back = np.maximum(np.arange(width)[:, None] - np.arange(width), 0)
        volume = jnp.einsum("rthe,rshe->rhts", query, key) * np.float32((dim // self.heads) ** -0.5)
        volume = jnp.where(hears[:, None], volume + parameters["distance"][layer][:, back], -1e30)
        mixed = jnp.einsum("rhts,rshe->rthe", jax.nn.softmax(volume, axis=-1), value)
        return jnp.matmul(mixed.reshape(n_rows, width, dim), parameters["output"][layer])

    def _dropped(self, x: jax.Array, keys: jax.Array | None, place: int) -> jax.Array:
        return x if keys is None else dropped(x, self.dropout, keys[place])


def fitted(
    config: SelfAttentionConfig, interactions: Interactions, seed: int
) -> tuple[float, dict[str, Floats]]:
    """Return after how many passes over the data learning ended, and the arrays of `SelfAttention`."""
    bounded = within_bounds(interactions, seed)
    held = ends_held_out(bounded, seed) if config.epochs is None else HoldOut(bounded, ())
    sequences = sequences_of(held.train)
    first = first_parameters(config, len(sequences.known), seed)
    if not sequences.n_users:
        return 0.0, as_model_arrays(first, sequences, 0)

    def judged(parameters: Mapping[str, Floats]) -> float:
        model = SelfAttention(config, as_model_arrays(parameters, sequences, interactions.n_items))
        return held.value(model.score_all)

    network = SelfAttentionNetwork(config.layers, config.heads, config.dropout)
    found = fit_network(
        network, first, sequences, _plan(config, sequences, first, config.epochs or held.epochs), seed, judged
    )
    return found.epochs, as_model_arrays(found.parameters, sequences, interactions.n_items)


def first_parameters(config: SelfAttentionConfig, n_items: int, seed: int) -> dict[str, Floats]:
    """Return the parameters that learning begins with, drawn by `seed`."""
    generator = np.random.default_rng(seed)
    dim, layers, wide = config.dim, config.layers, WIDER * config.dim

    def drawn(*shape: int, size: float) -> Floats:
        return (generator.standard_normal(shape) * size).astype(np.float32)

    size, deep = dim**-0.5, (2.0 * layers) ** -0.5
    return {
        "items": drawn(n_items, dim, size=0.02),
        "strength": np.zeros((STRENGTHS, dim), np.float32),
        "gap": np.zeros((GAPS, dim), np.float32),
        "attention_norm": np.ones((layers, dim), np.float32),
        "query": drawn(layers, dim, dim, size=size),
        "key": drawn(layers, dim, dim, size=size),
        "value": drawn(layers, dim, dim, size=size),
        "distance": np.zeros((layers, config.heads, config.length), np.float32),
        "output": drawn(layers, dim, dim, size=size * deep),
        "attention_gate": drawn(layers, dim, dim, size=size),
        "feed_norm": np.ones((layers, dim), np.float32),
        "feed_in": drawn(layers, dim, 2 * wide, size=size),
        "feed_out": drawn(layers, wide, dim, size=wide**-0.5 * deep),
        "feed_gate": drawn(layers, dim, dim, size=size),
        "final_norm": np.ones(dim, np.float32),
    }


def as_model_arrays(
    parameters: Mapping[str, Floats], sequences: Sequences, n_items: int
) -> dict[str, Floats]:
    """Return the arrays of `SelfAttention`: items by ordinal, their mean zero, which changes no order."""
    arrays = dict(parameters)
    known = arrays["items"]
    arrays["centre"] = known.mean(axis=0) if len(known) else np.zeros(known.shape[1], np.float32)
    arrays["items"] = np.zeros((n_items, known.shape[1]), np.float32)
    arrays["items"][sequences.known] = known - arrays["centre"]
    return arrays


def _plan(
    config: SelfAttentionConfig, sequences: Sequences, first: Mapping[str, Floats], epochs: float | None
) -> Plan:
    """Return how to go about it within the configuration's `work`."""
    batch, negatives = usual_batch(sequences, config.length), min(config.negatives, len(sequences.known))
    layer = (6 + 3 * WIDER) * config.dim**2 + 2 * config.length * config.dim
    event = config.layers * layer + negatives * config.dim
    return Plan(
        width=config.length,
        batch=batch,
        negatives=config.negatives,
        rate=config.rate,
        steps=affordable(config.work, event * config.length * batch, first),
        epochs=epochs,
    )
