"""A sentence-transformers folder on disk, read with distrust: sizes and shapes are checked before use."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats
from foretaste.domain.errors import InvalidInputError

SETTING = "text_model"
CONFIG, TENSORS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
LENGTHS, POOLING = "sentence_bert_config.json", "1_Pooling/config.json"
LENGTH_BYTES = 8
LONGEST_JSON = 64 << 20
LONGEST_HEADER = 16 << 20
LARGEST_FILE = 8 << 30
T = TypeVar("T")

Whole = Annotated[int, Meta(ge=1, le=1 << 20)]


class EncoderConfig(msgspec.Struct, frozen=True):
    """What `config.json` says of the encoder."""

    model_type: str
    hidden_size: Annotated[int, Meta(ge=1, le=4096)]
    num_hidden_layers: Annotated[int, Meta(ge=1, le=64)]
    num_attention_heads: Annotated[int, Meta(ge=1, le=256)]
    intermediate_size: Annotated[int, Meta(ge=1, le=65_536)]
    vocab_size: Whole
    max_position_embeddings: Whole
    type_vocab_size: Annotated[int, Meta(ge=1, le=64)] = 2
    layer_norm_eps: Annotated[float, Meta(gt=0, le=1)] = 1e-12
    hidden_act: str = "gelu"
    position_embedding_type: str = "absolute"


class PoolingConfig(msgspec.Struct, frozen=True):
    """What `1_Pooling/config.json` says: how a text's vector is made of its tokens'."""

    pooling_mode_cls_token: bool = False
    pooling_mode_mean_tokens: bool = True
    pooling_mode_max_tokens: bool = False
    pooling_mode_mean_sqrt_len_tokens: bool = False


class LengthConfig(msgspec.Struct, frozen=True):
    """What `sentence_bert_config.json` says: how many tokens of a text are read."""

    max_seq_length: Whole | None = None


class _Tensor(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[Annotated[int, Meta(ge=0)], ...]
    data_offsets: tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]


DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "F64": np.dtype("<f8"),
}


def unusable(message: str) -> InvalidInputError:
    """Return the error that a folder cannot be used, naming the setting."""
    remedy = "text_model must name a sentence-transformers folder of a BERT encoder"
    return InvalidInputError(f"{message}; {remedy}", field=SETTING)


def existing(folder: Path, name: str, most_bytes: int) -> Path:
    """Return the path of a file of the folder; raise `InvalidInputError` if it is absent or too large."""
    path = folder / name
    if not path.is_file():
        raise unusable(f"{folder} has no file {name}")
    if path.stat().st_size > most_bytes:
        raise unusable(f"{path} has {path.stat().st_size} bytes, more than the {most_bytes} that are read")
    return path


def described(folder: Path, name: str, kind: type[T]) -> T:
    """Return what a JSON file of the folder says; raise `InvalidInputError` naming file and member."""
    path = existing(folder, name, LONGEST_JSON)
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unusable(f"{path} cannot be read: {error}") from error


def described_or_usual(folder: Path, name: str, kind: type[T]) -> T:
    """Return what a file says that may be absent, or the defaults."""
    return described(folder, name, kind) if (folder / name).is_file() else kind()


def read_weights(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
    """Return the tensors of these names and shapes from `model.safetensors`, as float32.

    Others in the file are left alone, and a prefix such as `bert.` is understood. No memory is taken for what
    the file's size does not bear out. Raises `InvalidInputError` naming the tensor.
    """
    path = existing(folder, TENSORS, LARGEST_FILE)
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or length > min(LONGEST_HEADER, size - LENGTH_BYTES):
            raise unusable(f"{path} claims a header of {length} bytes")
        header = _header(path, file.read(length))
        begin = LENGTH_BYTES + length
        found: dict[str, Floats] = {}
        for name, shape in shapes.items():
            tensor = _checked(path, header, name, shape, size - begin)
            file.seek(begin + tensor.data_offsets[0])
            raw = np.fromfile(file, DTYPES[tensor.dtype], math.prod(shape))
            found[name] = _floats(raw, tensor.dtype).reshape(shape)
    return found


def _header(path: Path, written: bytes) -> dict[str, _Tensor]:
    try:
        raw = msgspec.json.decode(written, type=dict[str, Any])
        raw.pop("__metadata__", None)
        tensors = msgspec.convert(raw, dict[str, _Tensor])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unusable(f"{path} has a header that cannot be read ({error})") from error
    return {name.removeprefix("bert.").removeprefix("0.auto_model."): one for name, one in tensors.items()}


def _checked(
    path: Path, header: Mapping[str, _Tensor], name: str, shape: tuple[int, ...], room: int
) -> _Tensor:
    tensor = header.get(name)
    if tensor is None:
        raise unusable(f"{path} has no tensor {name!r}")
    if tensor.shape != shape:
        raise unusable(f"{path} has {name!r} of shape {tensor.shape}, where {CONFIG} says {shape}")
    if tensor.dtype not in DTYPES:
        raise unusable(f"{path} has {name!r} of dtype {tensor.dtype}; {', '.join(DTYPES)} are read")
    first, end = tensor.data_offsets
    if end > room or end - first != math.prod(shape) * DTYPES[tensor.dtype].itemsize:
        raise unusable(f"{path} gives {name!r} a place that does not fit its shape")
    return tensor


def _floats(raw: NDArray[Any], dtype: str) -> Floats:
    if dtype == "BF16":  # the upper half of a float32
        wide: NDArray[np.uint32] = raw.astype(np.uint32) << np.uint32(16)
        return wide.view(np.float32)
    return raw.astype(np.float32, copy=False)
