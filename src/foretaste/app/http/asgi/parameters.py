"""Query parameters as msgspec structs, with errors that name the parameter and what it may be."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect

from foretaste.domain.errors import InvalidQueryError

S = TypeVar("S", bound=msgspec.Struct)
MOST_PARAMETERS = 100
MOST_VALUES = 1000
LONGEST_KEPT, MOST_KEPT = 512, 512
"""So many query strings are kept with what they mean, and how long they may be: most clients ask the same."""
CONTEXT, CONTEXT_PREFIX = "context", "context_"
_NONE: Mapping[str, str] = MappingProxyType({})


class Parameters(Generic[S]):
    """Reads a query string into `struct`.

    A field of type `tuple[str, ...]` is a comma-separated list, with or without spaces after the commas, and
    may be given repeatedly (those named in `whole` only repeatedly: their values may hold commas); any other
    parameter may be given once.
    `other_names` maps further names to fields. Where the struct has a field `context`, every parameter
    `context_*` goes into it. What the struct does not know is ignored.
    """

    def __init__(
        self, struct: type[S], other_names: Mapping[str, str] = _NONE, whole: Collection[str] = ()
    ) -> None:
        self.struct = struct
        self.other_names = other_names
        self.whole = frozenset(whole)
        info = inspect.type_info(struct)
        if not isinstance(info, inspect.StructType):
            raise TypeError("parameters are read into a struct")
        self.fields = {field.name: field for field in info.fields}
        self._lists = {name for name, field in self.fields.items() if _is_list(field.type)}
        self._kept: dict[bytes, S] = {}

    def read(self, query: bytes) -> S:
        """Return the parameters; raise `InvalidQueryError` naming the one that is wrong.

        The same query string gives the same struct, which nobody may change.
        """
        kept = self._kept.get(query)
        if kept is None:
            kept = self._read(query)
            if len(query) <= LONGEST_KEPT:
                if len(self._kept) >= MOST_KEPT:
                    self._kept = {}
                self._kept[query] = kept
        return kept

    def _read(self, query: bytes) -> S:
        if not query:
            return self._converted({})
        given: dict[str, Any] = {}
        called: dict[str, str] = {}
        context: dict[str, str] = {}
        for written, value in _pairs(query):
            name = self.other_names.get(written, written)
            if name.startswith(CONTEXT_PREFIX) and CONTEXT in self.fields:
                context[name.removeprefix(CONTEXT_PREFIX)] = value
            elif name in self._lists:
                parts = (value,) if name in self.whole else _listed(value)
                given.setdefault(name, []).extend(part for part in parts if part)
            elif name in given:
                raise InvalidQueryError(f"{written} is given twice; send it once", field=written)
            elif name in self.fields:
                given[name], called[name] = value, written
        if context:
            given[CONTEXT] = context
        return self._converted(given, called)

    def _converted(self, given: dict[str, Any], called: Mapping[str, str] = _NONE) -> S:
        """Return the parameters `given`; a wrong one is named as it was `called`."""
        for name in self._lists:
            if len(given.get(name, ())) > MOST_VALUES:
                raise InvalidQueryError(
                    f"{name} has more than {MOST_VALUES} values; send at most so many", field=name
                )
        try:
            return msgspec.convert(given, self.struct, strict=False)
        except msgspec.ValidationError as error:
            raise self._explained(error, given, called) from error

    def _explained(
        self, error: msgspec.ValidationError, given: Mapping[str, Any], called: Mapping[str, str]
    ) -> InvalidQueryError:
        name = str(error).rpartition("$.")[2].rstrip("`").partition("[")[0]
        if name not in self.fields:
            missing = next((field for field in self.fields if f"`{field}`" in str(error)), None)
            return InvalidQueryError(f"{missing or 'a parameter'} is missing", field=missing)
        shown, written = str(given.get(name))[:80], called.get(name, name)
        return InvalidQueryError(
            f"{written} must be {described(self.fields[name].type)}, not {shown!r}", field=written
        )


def described(kind: inspect.Type) -> str:
    """Return in words what a value of `kind` is."""
    if isinstance(kind, inspect.Metadata):
        return described(kind.type)
    if isinstance(kind, inspect.UnionType | inspect.LiteralType):
        return " or ".join(_alternatives(kind))
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        return noun if kind.ge is None or kind.le is None else f"{noun} from {kind.ge:g} to {kind.le:g}"
    if isinstance(kind, inspect.StrType):
        return "text" if kind.max_length is None else f"text of 1 to {kind.max_length} characters"
    return "a comma-separated list"


def _alternatives(kind: inspect.UnionType | inspect.LiteralType) -> list[str]:
    if isinstance(kind, inspect.LiteralType):
        return [str(value) for value in kind.values]
    return [described(part) for part in kind.types if not isinstance(part, inspect.NoneType)]


def _listed(value: str) -> list[str]:
    """Return the parts of a comma-separated list; a part that stands alone is left as it is."""
    parts = value.split(",")
    return [part.strip() for part in parts] if len(parts) > 1 else parts


def _is_list(kind: inspect.Type) -> bool:
    return isinstance(kind.type if isinstance(kind, inspect.Metadata) else kind, inspect.VarTupleType)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except UnicodeDecodeError as error:
        raise InvalidQueryError("the query string is not percent-encoded UTF-8") from error
    except ValueError as error:
        raise InvalidQueryError(f"there are more than {MOST_PARAMETERS} parameters") from error
