"""Where settings come from: `foretaste.toml` in the home, a `.env` file, then the environment."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from foretaste.app.settings import Settings
from foretaste.domain.errors import InvalidInputError

PREFIX = "FORETASTE_"
ELSEWHERE = frozenset({"home", "cache", "data"})
"""Variables with our prefix that are no settings: where things are."""

PLAIN = (
    "database_url",
    "redis_url",
    "diversity_threshold",
    "serendipity_weight",
    "tfidf_max_features",
    "collaborative_factors",
    "collaborative_regularization",
    "content_embedding_dim",
    "environment",
    "debug",
)
"""Settings whose variable may stand without the prefix; the one with the prefix wins."""

BANDITS, PRIVACY = "choice by bandits", "differential privacy"
UNBUILT = {
    "BANDIT_ALPHA": BANDITS,
    "BANDIT_BETA": BANDITS,
    "EPSILON": BANDITS,
    "PRIVACY_EPSILON": PRIVACY,
    "PRIVACY_DELTA": PRIVACY,
}
"""Plain names that are understood and change nothing yet, with what they are for."""

LINK = re.compile(r"(tcp|udp)://.+")
"""What Kubernetes writes into `<NAME>_PORT` for a service: no value of ours."""

QUOTED = re.compile(r"""\s*(?P<quote>["'])(?P<value>.*?)(?P=quote)\s*(#.*)?""")
COMMENT = re.compile(r"\s#.*")

TRUTH = frozenset({"1", "0", "true", "false"})
"""What `DEBUG` must be to mean us: other programs write other things there."""


def load_settings(
    home: Path | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    dotenv: Path | None = Path(".env"),
) -> Settings:
    """Return the settings in force; later sources win: defaults, TOML file, `.env`, environment.

    Raises `InvalidInputError` naming the variable or the file's key, and what it must be.
    """
    values: dict[str, Any] = {}
    for name, value in _toml(home).items():
        values[name] = _converted(name, value, f"{name} in foretaste.toml")
    written = _dotenv(dotenv) if dotenv else {}
    variables = {**written, **environment}
    plain = _plain(variables)
    for variable, text in {**plain, **variables}.items():
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or name not in Settings.__struct_fields__ or text == "":
            continue
        if name.endswith("port") and LINK.fullmatch(text):
            continue
        where = variable if variable in variables else variable.removeprefix(PREFIX)
        values[name] = _converted(name, _parsed(name, text), where)
    return Settings(**values)


def unbuilt_variables(
    environment: Mapping[str, str] = os.environ, *, dotenv: Path | None = Path(".env")
) -> list[str]:
    """Return what to say of the variables that are set and understood, but have no effect yet."""
    variables = {**(_dotenv(dotenv) if dotenv else {}), **environment}
    return [
        f"{name} is understood but has no effect yet: there is no {feature} so far"
        for name, feature in UNBUILT.items()
        if variables.get(name)
    ]


def unknown_variables(
    environment: Mapping[str, str] = os.environ, *, dotenv: Path | None = Path(".env")
) -> list[str]:
    """Return the variables that have our prefix but name no setting: likely typing errors."""
    known = {PREFIX + name.upper() for name in (*Settings.__struct_fields__, *ELSEWHERE)}
    given = {*(_dotenv(dotenv) if dotenv else {}), *environment}
    return sorted(name for name in given if name.startswith(PREFIX) and name not in known)


def misplaced_variables(
    environment: Mapping[str, str] = os.environ, *, dotenv: Path | None = Path(".env")
) -> list[str]:
    """Return the variables of the `.env` file that are heard in the environment alone, and are not there."""
    places = [PREFIX + name.upper() for name in sorted(ELSEWHERE)]
    written = _dotenv(dotenv) if dotenv else {}
    return [name for name in places if name in written and name not in environment]


def _plain(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what stands without the prefix, under the names with it."""
    plain = {PREFIX + name.upper(): variables.get(name.upper(), "") for name in PLAIN}
    if plain[PREFIX + "DEBUG"].lower() not in TRUTH:
        plain[PREFIX + "DEBUG"] = ""
    if variables.get("REDIS_HOST") and not plain[PREFIX + "REDIS_URL"]:
        plain[PREFIX + "REDIS_URL"] = f"redis://{_redis_address(variables)}/0"
    return plain


def _redis_address(variables: Mapping[str, str]) -> str:
    """Return host and port; of a link that Kubernetes writes into `REDIS_PORT` its port is meant."""
    host, written = variables["REDIS_HOST"], variables.get("REDIS_PORT") or "6379"
    port = written.rpartition(":")[2] if LINK.fullmatch(written) else written
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise InvalidInputError(f"REDIS_PORT is {written!r}: it must be a port, as 6379", field="REDIS_PORT")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _toml(home: Path | None) -> dict[str, Any]:
    path = home / "foretaste.toml" if home else None
    if path is None or not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path}: not valid TOML: {error}", field="foretaste.toml") from error
    unknown = sorted(set(values) - set(Settings.__struct_fields__))
    if unknown:
        known = ", ".join(Settings.__struct_fields__)
        raise InvalidInputError(f"{path}: no setting is called {unknown[0]!r}; there are {known}")
    return values


def _dotenv(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file: `NAME=value` lines, `#` comments, optional quotes.

    Raises `InvalidInputError` for one that is not UTF-8.
    """
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not UTF-8: {error}", field=".env") from error
    found: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = _unquoted(value)
    return found


def _unquoted(written: str) -> str:
    """Return a value of a `.env` file: what is in quotes, else what stands before a blank and `#`."""
    quoted = QUOTED.fullmatch(written)
    return quoted["value"] if quoted else COMMENT.sub("", written).strip()


def _parsed(name: str, text: str) -> Any:
    """Return what `text` says: JSON, `a=1,b=2` for weights, `1,2` for lists, else the text itself."""
    if text.startswith(("{", "[")):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    if name == "weights":
        pairs = (part.partition("=") for part in text.split(",") if part.strip())
        return {key.strip(): value.strip() for key, _, value in pairs}
    if name in {"allowed_origins", "half_lives", "sources", "without_sources"}:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _converted(name: str, value: Any, where: str) -> Any:
    kind = Settings.__annotations__[name]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"{where} is {value!r}: {error}", field=where) from error
