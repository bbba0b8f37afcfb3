"""Recipes as people write them: read into scenarios, and checked before they may answer."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, get_type_hints

import msgspec

from foretaste.domain.errors import InvalidInputError, InvalidQueryError
from foretaste.features.expressions.errors import ExpressionError, nearest
from foretaste.pipeline.scenario import Scenario, circle_of

Path = tuple[str | int, ...]
MOST_SCENARIOS = 200
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_WITHIN = re.compile(r" - at `\$(?P<path>.*)`$")
_STEP = re.compile(r"\.?(?P<name>\w+)|\[(?P<number>\d*)[^]]*\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`")

EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "title": '"Because you {did} {item}"',
        "newest": "200",
        "sources": '["ials", "content"], or "all"',
        "weights": "{ popularity = 0.5, content = 0 }",
        "filter": '["price < 20"]',
        "boost": '["on_sale : 1.5"]',
        "budget_ms": "50",
        "fallback": '["trending", "popular"]',
        "shadow": '"home"',
        "rules": '{ quotas = [{ each = "category", at_most = 3 }] }',
    }
)
"""How a key is written whose default shows nothing."""


class RecipeError(InvalidInputError):
    """A recipe that cannot be used: `path` leads to what is wrong in it, `problem` says what it is.

    `at` is the place of a character in the expression at `path`, from 0; None where it is no expression.
    """

    def __init__(self, path: Path, problem: str, *, at: int | None = None) -> None:
        self.path, self.problem, self.at = path, problem, at
        super().__init__(f"{path_text(path)}: {problem}", field=path_text(path))


@dataclass(frozen=True, slots=True)
class Around:
    """What recipes may speak of: names and kinds of sources, types of events.

    `check` raises `ExpressionError` for a filter or boost that cannot be used. `attributes` are what quotas
    may be for each of, None before there are items: then any will do.
    """

    sources: Collection[str]
    types: Collection[str]
    check: Callable[[Literal["filter", "boost"], str], object]
    attributes: Collection[str] | None = None


def read_recipe(name: str, given: Mapping[str, Any], base: Scenario | None = None) -> Scenario:
    """Return the scenario `name`: what is given, and all else as in `base`.

    Raises `RecipeError` for a key that there is not, or a value of another kind or out of its range.
    """
    if not NAME.fullmatch(name):
        raise RecipeError(
            (name,),
            "a scenario's name has 1 to 64 of a to z, 0 to 9, - and _, and begins with a letter or digit",
        )
    kinds = _kinds()
    changes: dict[str, Any] = {}
    for key, value in given.items():
        if key == "name" and value == name:
            continue
        if key not in kinds or key == "name":
            raise RecipeError((name, key), _unknown(key, [known for known in kinds if known != "name"]))
        try:
            changes[key] = msgspec.convert(value, kinds[key])
        except msgspec.ValidationError as error:
            raise _explained(name, key, value, error) from error
        except InvalidQueryError as error:
            raise RecipeError((name, *_steps(error.field or key)), error.message) from error
    return msgspec.structs.replace(base or Scenario(name=name), name=name, **changes)


def check_recipe(scenario: Scenario, around: Around) -> None:
    """Raise `RecipeError` where a scenario speaks of what there is not, or has a bad expression."""
    name = scenario.name
    named = () if scenario.sources == "all" else scenario.sources
    for key, sources in (("sources", named), ("cold_sources", scenario.cold_sources)):
        for position, source in enumerate(sources):
            _require((name, key, position), "source", source, around.sources)
    for source in scenario.weights:
        _require((name, "weights", source), "source", source, around.sources)
    for kind in sorted(scenario.consumed):
        _require((name, "consumed"), "type of event", kind, around.types)
    for position, text in enumerate(scenario.filter):
        _check_expression((name, "filter", position), "filter", text, around)
    for position, text in enumerate(scenario.boost):
        _check_expression((name, "boost", position), "boost", text, around)
    for field, text in scenario.rules.filters if scenario.rules else ():
        _check_expression((name, *_steps(field)), "filter", text, around)
    for position, quota in enumerate(scenario.rules.quotas if scenario.rules else ()):
        if quota.each is not None and around.attributes is not None:
            _require((name, "rules", "quotas", position, "each"), "attribute", quota.each, around.attributes)


def check_together(scenarios: Mapping[str, Scenario]) -> None:
    """Raise `RecipeError` where a scenario names one that there is not, or fallbacks lead in a circle."""
    if len(scenarios) > MOST_SCENARIOS:
        raise RecipeError((), f"there are {len(scenarios)} scenarios, at most {MOST_SCENARIOS} are allowed")
    for name, scenario in scenarios.items():
        for position, other in enumerate(scenario.fallback):
            _require((name, "fallback", position), "scenario", other, scenarios)
        if scenario.shadow:
            _require((name, "shadow"), "scenario", scenario.shadow, scenarios)
            if scenario.shadow == name:
                raise RecipeError((name, "shadow"), "a scenario cannot be its own shadow; name another")
        circle = circle_of(name, scenarios)
        if circle:
            raise RecipeError(
                (name, "fallback"), f"the fallbacks lead in a circle ({' → '.join(circle)}); take one out"
            )


def recipe_of(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as it is written: all keys but its name, sets in order."""
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(scenario, order="deterministic"))
    del described["name"]
    return described


def path_text(path: Path) -> str:
    """Return a path as people write it: `cart.filter[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "scenarios"


@cache
def _kinds() -> Mapping[str, Any]:
    return get_type_hints(Scenario, include_extras=True) | {}


def _unknown(key: str, known: Collection[str]) -> str:
    alike = nearest(key, known)
    hint = f"did you mean {alike[0]}?" if alike else f"there are {', '.join(known)}"
    return f"there is no such key; {hint}"


def _require(path: Path, what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        alike = nearest(name, known)
        hint = f"did you mean {alike[0]!r}?" if alike else f"there are {', '.join(sorted(known))}"
        raise RecipeError(path, f"no {what} is called {name[:80]!r}; {hint}")


def _check_expression(path: Path, kind: Literal["filter", "boost"], text: str, around: Around) -> None:
    try:
        around.check(kind, text)
    except ExpressionError as error:
        raise RecipeError(
            path, str(ExpressionError(error.problem, error.text, error.at)), at=error.at
        ) from error


def _explained(name: str, key: str, value: Any, error: msgspec.ValidationError) -> RecipeError:
    """Return an error of msgspec in our words, with the way to what is wrong."""
    said = str(error)
    within = _WITHIN.search(said)
    path: Path = (name, key, *_steps(within["path"] if within else ""))
    problem = said[: within.start()] if within else said
    unknown = _UNKNOWN.match(problem)
    if unknown:
        return RecipeError((*path, unknown["name"]), "there is no such key here; take it out")
    shown = msgspec.json.encode(value, enc_hook=str).decode()
    shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
    example = EXAMPLES.get(key) or msgspec.json.encode(_default(key), order="deterministic").decode()
    return RecipeError(path, f"{key} is {shown}: {problem}; write it as {key} = {example}")


def _steps(written: str) -> Path:
    """Return the path that `a.b[0]` or `.b[0]` means, up to where it says no more which element."""
    path: Path = ()
    for step in _STEP.finditer(written):
        if step["number"] == "":
            break
        path = (*path, step["name"] or int(step["number"]))
    return path


def _default(key: str) -> Any:
    return getattr(Scenario(name="any"), key)
