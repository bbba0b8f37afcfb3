"""A BERT encoder's forward pass, in NumPy.

Devlin, Chang, Lee, Toutanova: "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding", NAACL 2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from foretaste.adapters.text.model_folder import EncoderConfig
from foretaste.domain.arrays import Floats, Mask

NEVER = np.float32(-1e9)
ROOT_OF_HALF = np.float32(np.sqrt(0.5))


def weight_shapes(config: EncoderConfig) -> dict[str, tuple[int, ...]]:
    """Return the tensors that an encoder of this configuration has."""
    wide, narrow = config.intermediate_size, config.hidden_size
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config.vocab_size, narrow),
        "embeddings.position_embeddings.weight": (config.max_position_embeddings, narrow),
        "embeddings.token_type_embeddings.weight": (config.type_vocab_size, narrow),
        **_norm("embeddings.LayerNorm", narrow),
    }
    for layer in range(config.num_hidden_layers):
        here = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            shapes |= _dense(f"{here}.attention.self.{part}", narrow, narrow)
        shapes |= _dense(f"{here}.attention.output.dense", narrow, narrow)
        shapes |= _norm(f"{here}.attention.output.LayerNorm", narrow)
        shapes |= _dense(f"{here}.intermediate.dense", wide, narrow)
        shapes |= _dense(f"{here}.output.dense", narrow, wide)
        shapes |= _norm(f"{here}.output.LayerNorm", narrow)
    return shapes


@dataclass(frozen=True, slots=True, eq=False)
class Bert:
    """An encoder: `weights` as `weight_shapes` names them."""

    config: EncoderConfig
    weights: Mapping[str, Floats]

    def states(self, tokens: NDArray[np.int64], there: Mask) -> Floats:
        """Return the last layer's states, float32 [texts, length, hidden].

        `tokens` int64 [texts, length] are numbers of words, `there` bool which of them are no padding.
        """
        found = self.weights["embeddings.word_embeddings.weight"][tokens]
        found = found + self.weights["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        found = found + self.weights["embeddings.token_type_embeddings.weight"][0]
        found = self._normed(found, "embeddings.LayerNorm")
        unheard: Floats = np.where(there, np.float32(0.0), NEVER)[:, np.newaxis, np.newaxis, :]
        for layer in range(self.config.num_hidden_layers):
            here = f"encoder.layer.{layer}"
            heard = self._attended(found, unheard, f"{here}.attention.self")
            heard = self._dense(heard, f"{here}.attention.output.dense")
            found = self._normed(found + heard, f"{here}.attention.output.LayerNorm")
            inner = _gelu(self._dense(found, f"{here}.intermediate.dense"))
            found = self._normed(
                found + self._dense(inner, f"{here}.output.dense"), f"{here}.output.LayerNorm"
            )
        return found

    def _attended(self, states: Floats, unheard: Floats, here: str) -> Floats:
        texts, length, hidden = states.shape
        heads = self.config.num_attention_heads
        size = hidden // heads

        def split(part: str) -> Floats:
            whole = self._dense(states, f"{here}.{part}").reshape(texts, length, heads, size)
            return whole.transpose(0, 2, 1, 3)

        asked: Floats = split("query") @ split("key").transpose(0, 1, 3, 2)
        asked *= np.float32(1.0 / np.sqrt(size))
        asked += unheard
        asked -= asked.max(axis=-1, keepdims=True)
        np.exp(asked, out=asked)
        asked /= asked.sum(axis=-1, keepdims=True)
        heard = (asked @ split("value")).transpose(0, 2, 1, 3)
        return np.ascontiguousarray(heard).reshape(texts, length, hidden)

    def _dense(self, states: Floats, here: str) -> Floats:
        out: Floats = states @ self.weights[f"{here}.weight"].T
        out += self.weights[f"{here}.bias"]
        return out

    def _normed(self, states: Floats, here: str) -> Floats:
        centred = states - states.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        centred /= np.sqrt(variance + np.float32(self.config.layer_norm_eps))
        normed: Floats = centred * self.weights[f"{here}.weight"] + self.weights[f"{here}.bias"]
        return normed


def _gelu(values: Floats) -> Floats:
    """Return x Φ(x), Φ being the distribution function of the normal distribution."""
    gated: Floats = values * np.float32(0.5) * (np.float32(1.0) + erf(values * ROOT_OF_HALF))
    return gated


def _dense(name: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def _norm(name: str, size: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (size,), f"{name}.bias": (size,)}
