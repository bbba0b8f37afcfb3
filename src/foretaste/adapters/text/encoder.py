"""Sentence embeddings from a sentence-transformers folder, without PyTorch."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.adapters.text.bert import Bert, weight_shapes
from foretaste.adapters.text.model_folder import (
    LENGTHS,
    LONGEST_JSON,
    POOLING,
    TENSORS,
    TOKENIZER,
    EncoderConfig,
    LengthConfig,
    PoolingConfig,
    described,
    described_or_usual,
    existing,
    read_weights,
    unusable,
)
from foretaste.domain.arrays import Floats, Int64s
from foretaste.domain.errors import MissingExtraError

try:
    import tokenizers
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "text_model needs tokenizers: pip install 'foretaste[text]'", field="text_model"
    ) from error

USUAL_LENGTH = 512
LONGEST_TEXT = 20_000
"""Characters of a text that are read."""
TOKENS_PER_BATCH = 4_096
TEXTS_PER_BATCH = 64


class FolderEncoder:
    """`TextEncoder` of a folder with `config.json`, `model.safetensors` and `tokenizer.json`.

    BERT encoders with mean or first-token pooling, as all-MiniLM-L6-v2 and its kin. Texts are sorted by
    length and padded to the longest of their batch. Raises `InvalidInputError`, naming the file, where the
    folder is none such.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        if not folder.is_dir():
            raise unusable(f"there is no folder {folder}")
        self._config = _supported(folder)
        pooling = described_or_usual(folder, POOLING, PoolingConfig)
        self._first_token = pooling.pooling_mode_cls_token
        if pooling.pooling_mode_max_tokens or pooling.pooling_mode_mean_sqrt_len_tokens:
            raise unusable(
                f"{folder / POOLING} asks for a pooling other than that of the mean or first token"
            )
        self._tokenizer = _tokenizer(folder)
        wanted = described_or_usual(folder, LENGTHS, LengthConfig).max_seq_length or USUAL_LENGTH
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(wanted, self._config.max_position_embeddings))
        self._model = Bert(self._config, read_weights(folder, weight_shapes(self._config)))
        self._digest = _digest(folder)

    @property
    def dim(self) -> int:
        """How long the vectors are."""
        return self._config.hidden_size

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits of the folder's files."""
        return self._digest

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, float32 [len(texts), dim]; see `TextEncoder`."""
        read = [text[:LONGEST_TEXT].encode("utf-8", "replace").decode() for text in texts]
        numbers = [encoding.ids for encoding in self._tokenizer.encode_batch(read)]
        length = np.array([len(row) for row in numbers], np.int64)
        out = np.zeros((len(texts), self.dim), np.float32)
        for rows in _batches(length):
            out[rows] = self._pooled([numbers[row] for row in rows.tolist()])
        return out

    def _pooled(self, numbers: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, numbers))
        tokens = np.zeros((len(numbers), max(longest, 1)), np.int64)
        there = np.zeros(tokens.shape, np.bool_)
        for row, words in enumerate(numbers):
            tokens[row, : len(words)] = words
            there[row, : len(words)] = True
        if tokens.max(initial=0) >= self._config.vocab_size:
            raise unusable(f"{TOKENIZER} knows more words than the model's {self._config.vocab_size}")
        states = self._model.states(tokens, there)
        if self._first_token:
            pooled = states[:, 0]
        else:
            count = np.maximum(there.sum(axis=1, keepdims=True), 1)
            pooled = (states * there[:, :, np.newaxis]).sum(axis=1) / count
        size = np.linalg.norm(pooled, axis=1, keepdims=True)
        return (pooled / np.where(size > 0.0, size, 1.0)).astype(np.float32)


def _supported(folder: Path) -> EncoderConfig:
    config = described(folder, "config.json", EncoderConfig)
    if config.model_type != "bert" or config.position_embedding_type != "absolute":
        raise unusable(f"{folder} has an encoder of the type {config.model_type!r}; `bert` is read")
    if config.hidden_act != "gelu":
        raise unusable(f"{folder} has an encoder with {config.hidden_act!r} units; `gelu` is computed")
    if config.hidden_size % config.num_attention_heads:
        raise unusable(f"{folder} has {config.num_attention_heads} heads for {config.hidden_size} numbers")
    return config


def _tokenizer(folder: Path) -> Any:
    path = existing(folder, TOKENIZER, LONGEST_JSON)
    try:
        return tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception for every broken file
        raise unusable(f"{path} is no tokenizer: {error}") from error


def _digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for name in ("config.json", TENSORS, TOKENIZER, LENGTHS, POOLING):
        if (folder / name).is_file():
            with (folder / name).open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        whole.update(name.encode())
    return whole.hexdigest()[:16]


def _batches(length: Int64s) -> Iterator[NDArray[np.int64]]:
    """Yield the places of texts that are computed together: of much the same length, bounded in all."""
    order = np.argsort(length, kind="stable")
    start = 0
    while start < len(order):
        end = start + 1
        while (
            end < min(len(order), start + TEXTS_PER_BATCH)
            and (end + 1 - start) * length[order[end]] <= TOKENS_PER_BATCH
        ):
            end += 1
        yield order[start:end]
        start = end
