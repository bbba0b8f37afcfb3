"""Write the reference pages from the code they speak of: `python scripts/generate_reference.py`."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click
import msgspec
import typer.main

import foretaste
from foretaste import client
from foretaste.adapters.files.toml_text import value_text
from foretaste.app import settings, settings_loading
from foretaste.app.cli import app
from foretaste.app.http.application import api_routes, openapi_document
from foretaste.app.wiring import home_in_memory
from foretaste.client import errors as client_errors
from foretaste.client.operations import Operation, Operations
from foretaste.pipeline import scenario
from foretaste.pipeline.recipes import recipe_of

WIDTH = 110
REFERENCE = Path(__file__).resolve().parents[1] / "docs/reference"
NOTE = "<!-- Written by scripts/generate_reference.py; change the code, then run it again. -->\n\n"


def cli_page() -> str:
    """Return the page of the command line."""
    root = typer.main.get_command(app)
    lines = ["# Command line\n", f"{root.help}\n", f"{root.epilog}\n"]
    for path, command in _commands(root, ("foretaste",)):
        lines += [f"## `{' '.join(path)}`\n", f"{inspect.cleandoc(command.help or '')}\n"]
        lines += ["| argument or option | meaning | default |", "|---|---|---|"]
        context = click.Context(command, info_name=path[-1])
        for parameter in command.get_params(context):
            if parameter.name != "help":
                lines.append(_parameter_row(parameter))
        lines.append("")
    return "\n".join(lines)


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, child in getattr(command, "commands", {}).items():
        if getattr(child, "commands", None):
            yield from _commands(child, (*path, name))
        else:
            yield (*path, name), child


def _parameter_row(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    shown = ", ".join(f"`{name}`" for name in names) if names[0].startswith("-") else f"`{names[0].upper()}`"
    meaning = getattr(parameter, "help", None) or ""
    variable = f" (`{parameter.envvar}`)" if parameter.envvar else ""
    default = (
        "" if parameter.default in (None, (), []) or callable(parameter.default) else f"`{parameter.default}`"
    )
    return f"| {shown} | {_cell(meaning)}{variable} | {default if not parameter.required else 'required'} |"


def settings_page() -> str:
    """Return the page of the settings, from the struct's fields and the text below each."""
    lines = [
        "# Settings\n",
        "Later sources win: defaults, `foretaste.toml` in the home, a `.env` file, the environment.\n",
        "| setting | variable | default | meaning |",
        "|---|---|---|---|",
    ]
    for name, default, meaning in _fields(settings.Settings, settings.Settings()):
        lines.append(f"| `{name}` | `{settings_loading.PREFIX}{name.upper()}` | `{default}` | {meaning} |")
    lines += [
        "",
        "`FORETASTE_HOME` is the folder that holds all state, `FORETASTE_CACHE` that of fetched data sets.",
        "Both are read from the environment alone.\n",
    ]
    return "\n".join(lines)


def scenarios_page() -> str:
    """Return the page of recipes, from the fields of scenarios and the text below each."""
    lines = [
        "# Scenarios\n",
        "The keys of a recipe. [How to use and change scenarios](../how-to/scenarios.md).\n",
        "| key | default | meaning |",
        "|---|---|---|",
    ]
    for name, default, meaning in _fields(scenario.Scenario, scenario.Scenario(name="any")):
        lines.append(f"| `{name}` | `{_cell(default)}` | {meaning} |")
    lines += ["", "What ships, where it says something else:\n", "| scenario | recipe |", "|---|---|"]
    usual = recipe_of(scenario.Scenario(name="any"))
    for name, one in scenario.SHIPPED.items():
        own = [
            f"`{key} = {_cell(value_text(value))}`"
            for key, value in recipe_of(one).items()
            if value != usual[key]
        ]
        lines.append(f"| `{name}` | {', '.join(own)} |")
    return "\n".join([*lines, ""])


def _fields(struct: type, usual: Any) -> Iterator[tuple[str, str, str]]:
    """Yield name, default and meaning of the fields of a struct that have a text below them."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(struct) or struct))
    body = next(
        node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == struct.__name__
    )
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            name = ast.unparse(field.target)
            default = msgspec.json.encode(getattr(usual, name), order="deterministic").decode()
            yield name, default, _cell(ast.literal_eval(text.value))


def python_page() -> str:
    """Return the page of the Python face: every public name with its signature and promise."""
    lines = ["# Python\n", f"{inspect.cleandoc(foretaste.__doc__ or '')}\n"]
    for name in sorted(foretaste.__all__):
        thing = getattr(foretaste, name)
        if inspect.ismodule(thing):
            for inner in sorted(thing.__all__):
                lines += _described(f"{name}.{inner}", getattr(thing, inner))
        elif callable(thing):
            lines += _described(name, thing)
            if inspect.isclass(thing) and not issubclass(thing, Exception | msgspec.Struct):
                for method, function in inspect.getmembers(thing, inspect.isroutine):
                    if not method.startswith("_") and method in vars(thing):
                        lines += _described(f"{name}.{method}", function, level="###")
    return "\n".join([*lines, *_client_section()])


def _client_section() -> list[str]:
    """Return what `foretaste.client` holds: the clients' methods once, then every other name."""
    lines = ["## Client of a service\n", "```text", f"{inspect.cleandoc(client.__doc__ or '')}", "```\n"]
    for name in sorted(client.__all__):
        thing = getattr(client, name)
        if not issubclass(thing, Exception):
            lines += _described(name, thing, place="foretaste.client")
    for name, operation in vars(Operations).items():
        if isinstance(operation, Operation):
            lines += _described(name, operation.build, level="###", place="client")
    errors = inspect.cleandoc(client_errors.__doc__ or "").replace(".. code-block:: text\n\n", "")
    return [*lines, "## Errors of the client\n", "```text", errors, "```\n"]


def _described(name: str, thing: Any, *, level: str = "##", place: str = "ft") -> list[str]:
    return [
        f"{level} `{place}.{name}`\n",
        "```text",
        name.rsplit(".", 1)[-1] + _signature(thing),
        "```\n",
        "```text",
        f"{inspect.cleandoc(thing.__doc__ or '')}",
        "```\n",
    ]


def _signature(thing: Any) -> str:
    """Return the signature without what differs between runs and versions of Python."""
    function = r"<(?:function|built-in method) (\w+)(?: of \w+ object)? at 0x[0-9a-f]+>"
    shown = re.sub(function, r"\1", str(inspect.signature(thing))).replace("typing.", "")
    shown = re.sub(r"Optional\[(Literal\[[^]]*\])\]", r"\1 | None", shown)
    shown = re.sub(r"numpy\.ndarray\[tuple\[Any, \.\.\.\], numpy\.dtype\[([\w.]+)\]\]", r"NDArray[\1]", shown)
    return shown.replace("pathlib._local.", "pathlib.")


def http_page() -> str:
    """Return the page of the HTTP interface, from its OpenAPI document."""
    with home_in_memory() as home:
        document = openapi_document(api_routes(home))
    lines = [
        "# HTTP\n",
        "It describes itself at `/docs` and `/openapi.json`. Errors are problem documents (RFC 9457).\n",
        "Whatever is asked may also be answered `503` with `Retry-After`, where there is too much to do or",
        "the time is over that the client gives in the header `X-Request-Timeout` (seconds). Events may be",
        "sent with an `Idempotency-Key`: a retry with the same one changes nothing.\n",
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            lines += [
                f"## `{method.upper()} {path}`\n",
                f"{operation.get('description') or operation.get('summary', '')}\n",
            ]
            parameters = operation.get("parameters") or []
            if parameters:
                lines += ["| parameter | in | type | meaning |", "|---|---|---|---|"]
                lines += [_http_row(parameter) for parameter in parameters] + [""]
            answers = [
                f"`{code}` {_cell(answer.get('description', ''))}"
                for code, answer in operation["responses"].items()
            ]
            lines += ["Answers: " + "; ".join(answers) + ".\n", *_http_example(path, method, operation)]
    return "\n".join(lines)


def _http_example(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    """Return the example of an operation: the request, and what it is answered."""
    given = {part["name"]: part["example"] for part in operation.get("parameters", []) if "example" in part}
    target = re.sub(r"{(\w+)}", lambda name: quote(str(given.pop(name[1])), safe=""), path)
    query = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
    lines = ["```http", f"{method.upper()} {target}{'?' if query else ''}{urlencode(query, doseq=True)}"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if body is not None:
        lines += ["", _json(body)]
    lines += ["```\n"]
    answer = next(iter(operation["responses"].values()))["content"].get("application/json", {}).get("example")
    return lines if answer is None else [*lines, "```json", _json(answer), "```\n"]


def _json(value: Any) -> str:
    """Return JSON in lines, short objects and lists on one."""
    return _folded(msgspec.to_builtins(value), "")


def _folded(value: Any, margin: str) -> str:
    line = msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    if len(line) + len(margin) <= WIDTH or not value or not isinstance(value, dict | list):
        return line
    inner = margin + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _folded(part, inner) for part in value) + f"\n{margin}]"
    members = (f"{inner}{_folded(name, inner)}: {_folded(part, inner)}" for name, part in value.items())
    return "{\n" + ",\n".join(members) + f"\n{margin}}}"


def _http_row(parameter: dict[str, Any]) -> str:
    schema = parameter.get("schema", {})
    kinds = [schema, *schema.get("oneOf", []), *schema.get("anyOf", [])]
    kind = next((part["type"] for part in kinds if part.get("type") not in (None, "null")), "string")
    ranges = [(part["minimum"], part["maximum"]) for part in kinds if {"minimum", "maximum"} <= part.keys()]
    bounds = [f"{low:g} to {high:g}" for low, high in ranges]
    default = next((part["default"] for part in kinds if part.get("default") is not None), None)
    shown = [] if default in (None, (), []) else [f"(default {str(default).lower()})"]
    shape = " ".join([str(kind), *bounds[:1], *shown])
    meaning = _cell(parameter.get("description") or "")
    return f"| `{parameter['name']}` | {parameter['in']} | {shape} | {meaning} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES = {
    "cli.md": cli_page,
    "settings.md": settings_page,
    "python.md": python_page,
    "http.md": http_page,
    "scenarios.md": scenarios_page,
}


def rendered(name: str) -> str:
    """Return the page `name` as the code is now."""
    title, _, rest = PAGES[name]().partition("\n")
    return f"{title}\n\n{NOTE}{rest.strip()}\n"


def main() -> int:
    """Write all pages."""
    for name in PAGES:
        (REFERENCE / name).write_text(rendered(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
