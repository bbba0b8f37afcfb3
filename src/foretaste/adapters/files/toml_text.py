"""Values as TOML text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def table_text(path: Iterable[str], values: Mapping[str, Any]) -> str:
    """Return a table with its header; `None` values, which TOML has not, are left out."""
    lines = [f"[{'.'.join(key_text(name) for name in path)}]"]
    lines += [
        f"{key_text(name)} = {value_text(value)}" for name, value in values.items() if value is not None
    ]
    return "\n".join(lines) + "\n"


def key_text(name: str) -> str:
    """Return a key, quoted where it must be."""
    return name if _BARE.fullmatch(name) else value_text(name)


def value_text(value: Any) -> str:
    """Return a text, number, truth value, list or mapping on one line; raise `TypeError` for all else."""
    if isinstance(value, str):
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007F")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        inner = [f"{key_text(name)} = {value_text(one)}" for name, one in value.items() if one is not None]
        return "{ " + ", ".join(inner) + " }" if inner else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_text(one) for one in value) + "]"
    raise TypeError(f"TOML has no {type(value).__name__}")
