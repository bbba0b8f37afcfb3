"""JSON that holds one thing or several, cut into its parts, each left as bytes for whoever checks it."""

import msgspec

from foretaste.domain.errors import InvalidInputError

_list = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parts_of(body: bytes, name: str, error: type[InvalidInputError]) -> list[msgspec.Raw]:
    """Return the parts of a batch: of a JSON list, of `{name: [...]}`, or one object that stands alone.

    Raises `error`.
    """
    if not body.strip():
        raise error(f"the body is empty; send a JSON object, a list, or {{{name!r}: [...]}}")
    try:
        if body.lstrip()[:1] == b"[":
            parts = _list.decode(body)
        else:
            fields = _object.decode(body)
            if name not in fields:
                return [msgspec.Raw(body)]
            parts = _list.decode(fields[name])
    except msgspec.ValidationError as wrong:
        raise error(f"send a JSON object, a list of objects, or {{{name!r}: [...]}}") from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise error(f"the body is not valid JSON: {wrong}") from wrong
    except RecursionError as wrong:
        raise error("the body is nested too deeply") from wrong
    if not parts:
        raise error(f"the list of {name} is empty", field=name)
    return parts
