"""The OpenAPI document, written from the routes and the structs that they name."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from foretaste.app.http.asgi.examples import Example, Examples
from foretaste.app.http.asgi.parameters import CONTEXT, Parameters
from foretaste.app.http.asgi.problems import Problem, phrase_of
from foretaste.app.http.asgi.routing import Route

_REFS = "#/components/schemas/{name}"
NO_EXAMPLE = Example()
_NO_EXAMPLES: Examples = MappingProxyType({})


def document(
    routes: Sequence[Route], *, title: str, version: str, about: str, examples: Examples = _NO_EXAMPLES
) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document of `routes`, without the hidden ones."""
    shown = [route for route in routes if not route.hidden]
    types = [kind for route in shown for kind in (route.answer, route.body) if kind is not None]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REFS)
    by_type = iter(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        answer = next(by_type) if route.answer is not None else None
        body = next(by_type) if route.body is not None else None
        example = examples.get(f"{route.method} {route.path}", NO_EXAMPLE)
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, answer, body, example)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": about},
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in shown)],
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(route: Route, answer: Any, body: Any, example: Example) -> dict[str, Any]:
    content = {route.media: _content(answer or {"type": "string"}, example.answer)}
    refused = {
        str(status): {
            "description": phrase_of(status),
            "content": {"application/problem+json": {"schema": {"$ref": _REFS.format(name="Problem")}}},
        }
        for status in route.refusals
    }
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [_with_example(parameter, example) for parameter in _parameters(route)],
        "responses": {
            str(route.status): {"description": phrase_of(route.status), "content": content},
            **refused,
        },
    }
    if route.description:
        operation["description"] = route.description
    if body is not None:
        content = {"application/json": _content(body, example.body)}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _content(schema: Any, example: Any) -> dict[str, Any]:
    return {"schema": schema} if example is None else {"schema": schema, "example": example}


def _with_example(parameter: dict[str, Any], example: Example) -> dict[str, Any]:
    """Return the parameter with what the example gives it; another name of it stands for it."""
    given = example.path if parameter["in"] == "path" else example.query
    value = given.get(parameter["name"])
    return parameter if value is None else {**parameter, "example": _typed(value, parameter)}


def _typed(value: str, parameter: dict[str, Any]) -> Any:
    """Return the text of an address as the value that the parameter's schema describes."""
    kind = parameter["schema"].get("type")
    if kind == "array":
        return [value] if parameter["explode"] else value.split(",")
    return value if kind in {None, "string"} else msgspec.json.decode(value)


def _name(route: Route) -> str:
    words = route.path.replace("{", "").replace("}", "").replace("_", "/").split("/")
    return "_".join([route.method.lower(), *(word for word in words if word)])


def _parameters(route: Route) -> list[dict[str, Any]]:
    named: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": "Percent-encoded; a slash in it as %2F.",
        }
        for name in route.path_parameters
    ]
    return named + (_query_parameters(route.parameters) if route.parameters is not None else [])


def _query_parameters(parameters: Parameters[Any]) -> list[dict[str, Any]]:
    properties = _properties(parameters.struct)
    found = []
    for name, field in parameters.fields.items():
        schema = _given(properties[name])
        described = schema.pop("description", None)
        parameter: dict[str, Any] = {"name": name, "in": "query", "schema": schema}
        if field.required:
            parameter["required"] = True
        if schema.get("type") == "array":
            parameter |= {"style": "form", "explode": name in parameters.whole}
        if name == CONTEXT:
            parameter["name"] = "context_*"
            parameter["schema"] = {"type": "string"}
        if described:
            parameter["description"] = described
        found.append(parameter)
    return found


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that is given: in an address there is no null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return dict(kinds[0]) if len(kinds) == 1 else dict(schema)


def _properties(struct: type[msgspec.Struct]) -> dict[str, Any]:
    (reference,), components = msgspec.json.schema_components([struct], ref_template=_REFS)
    properties: dict[str, Any] = components[reference["$ref"].rpartition("/")[2]]["properties"]
    return properties
