"""Causal self-attention in NumPy: what `self_attention_training` computes with JAX, for one history.

Each layer lets every event hear itself and those before it, then thinks about what it heard. Normalization
comes before each part (RMSNorm: Zhang, Sennrich 2019), distances in place of absolute places bias what is
heard, residuals are gated (LiGR: Borisyuk et al. 2025), and the second part is a SwiGLU (Shazeer 2020).
"""

from collections.abc import Mapping

import numpy as np

from foretaste.domain.arrays import Floats

EPSILON = np.float32(1e-6)
Parameters = Mapping[str, Floats]


def outputs(parameters: Parameters, tokens: Floats, *, every: bool) -> Floats:
    """Return what follows from each event and those before it, float32 [n, dim].

    `tokens` float32 [n, dim] stand for the events, n at least 1, oldest first. Without `every` the answer
    has one row, the last.
    """
    told, n_layers = tokens, len(parameters["query"])
    for layer in range(n_layers):
        asked = slice(None) if every or layer < n_layers - 1 else slice(-1, None)
        normal = _normalized(told, parameters["attention_norm"][layer])
        heard = _heard(parameters, layer, normal, asked)
        told = told[asked] + heard * _sigmoid(normal[asked] @ parameters["attention_gate"][layer])
        normal = _normalized(told, parameters["feed_norm"][layer])
        thought = _thought(parameters, layer, normal)
        told = told + thought * _sigmoid(normal @ parameters["feed_gate"][layer])
    return _normalized(told, parameters["final_norm"])


def _normalized(rows: Floats, scale: Floats) -> Floats:
    """Return rows divided by their root mean square, times `scale`."""
    square = np.einsum("nd,nd->n", rows, rows) / np.float32(rows.shape[1])
    return np.asarray(rows * (scale / np.sqrt(square + EPSILON)[:, np.newaxis]))


def _heard(parameters: Parameters, layer: int, normal: Floats, asked: slice) -> Floats:
    n, dim = normal.shape
    distance = parameters["distance"][layer]
    heads = len(distance)
    query = _by_head(normal[asked] @ parameters["query"][layer], heads)
    key = _by_head(normal @ parameters["key"][layer], heads)
    value = _by_head(normal @ parameters["value"][layer], heads)
    back = np.arange(n)[asked, np.newaxis] - np.arange(n)
    volume = query @ key.transpose(0, 2, 1) * np.float32((dim // heads) ** -0.5)
    volume += distance[:, np.maximum(back, 0)]
    volume[:, back < 0] = -np.inf
    volume -= volume.max(axis=2, keepdims=True)
    np.exp(volume, out=volume)
    volume /= volume.sum(axis=2, keepdims=True)
    mixed = (volume @ value).transpose(1, 0, 2).reshape(-1, dim)
    return np.asarray(mixed @ parameters["output"][layer])


def _thought(parameters: Parameters, layer: int, normal: Floats) -> Floats:
    wide = normal @ parameters["feed_in"][layer]
    gate, content = np.split(wide, 2, axis=1)
    return np.asarray((gate * _sigmoid(gate) * content) @ parameters["feed_out"][layer])


def _by_head(rows: Floats, heads: int) -> Floats:
    return rows.reshape(len(rows), heads, -1).transpose(1, 0, 2)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(np.float32(1.0) / (np.float32(1.0) + np.exp(-x)))
