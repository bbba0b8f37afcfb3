"""Whether JSON keeps to a schema: the keywords that our document uses, and no member that it lacks."""

import re

TYPES = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
SAID_ONLY = {"title", "description", "default", "examples", "propertyNames"}
CHECKED = {
    *("$ref", "type", "anyOf", "enum", "const", "properties", "required", "additionalProperties", "items"),
    *("prefixItems", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "pattern", "discriminator"),
}


def faults(value, schema, components, at="$"):
    """Return what is wrong with `value`, one line each."""
    if schema in ({}, True):
        return []
    unknown = schema.keys() - SAID_ONLY - CHECKED
    assert not unknown, f"{at}: this check does not know {unknown}"
    if "$ref" in schema:
        return faults(value, components[schema["$ref"].rpartition("/")[2]], components, at)
    if "anyOf" in schema:
        tried = [faults(value, part, components, at) for part in schema["anyOf"]]
        return [] if not all(tried) else min(tried, key=len)
    if not _is(value, schema.get("type")):
        return [f"{at}: {value!r} is no {schema['type']}"]
    if value not in schema.get("enum", (value,)):
        return [f"{at}: {value!r} is none of {schema['enum']}"]
    check = {dict: _members, list: _elements}.get(type(value), _bounds)
    return check(value, schema, components, at)


def _is(value, kind):
    if kind is None:
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def _members(value, schema, components, at):
    properties = schema.get("properties", {})
    further = schema.get("additionalProperties", not properties)
    found = [f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value]
    for name, part in value.items():
        inner = properties.get(name, further)
        if inner is False:
            found.append(f"{at}: {name} is not described")
        else:
            found += faults(part, inner, components, f"{at}.{name}")
    return found


def _elements(value, schema, components, at):
    inner = schema.get("items", {})
    found = [fault for n, part in enumerate(value) for fault in faults(part, inner, components, f"{at}[{n}]")]
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        found.append(f"{at}: {len(value)} elements")
    return found


def _bounds(value, schema, _components, at):
    if isinstance(value, str):
        fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        return (
            [] if fits and re.search(schema.get("pattern", ""), value) else [f"{at}: {value!r} does not fit"]
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        return [] if low <= value <= high else [f"{at}: {value} is not from {low} to {high}"]
    return []
