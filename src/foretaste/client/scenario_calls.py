"""Scenarios as the service tells of them, and what can be asked of it about them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from foretaste.client.calls import Call, encoded, query_string, segment


class ScenarioSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario in short; `origin` says whether it ships, stands in the file or was put."""

    name: str
    origin: str = ""
    version: str = ""
    title: str = ""
    needs_items: bool = False
    k: int = 0
    fallback: tuple[str, ...] = ()
    shadow: str = ""


class Scenarios(msgspec.Struct, frozen=True, kw_only=True):
    """All that can be asked for by name; `wrong` says what is wrong with the file, or with what was put."""

    scenarios: tuple[ScenarioSummary, ...]
    file: str | None = None
    wrong: str | None = None

    @property
    def names(self) -> list[str]:
        """The names, sorted."""
        return [scenario.name for scenario in self.scenarios]


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a shadow so far: `overlap` and `rank_shift` are means over all compared."""

    shadow: str
    compared: int = 0
    changed: int = 0
    dropped: int = 0
    failed: int = 0
    overlap: float = 0.0
    rank_shift: float = 0.0
    latest: tuple[dict[str, Any], ...] = ()


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario with its whole recipe and, where it has a shadow, what came of that."""

    name: str
    recipe: dict[str, Any]
    origin: str = ""
    version: str = ""
    shadow: ShadowReport | None = None


class TakenBack(msgspec.Struct, frozen=True, kw_only=True):
    """What was put is gone; `serving` answers under its name now, None where nothing does."""

    name: str
    serving: Scenario | None = None


class PreviewedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a list; `was` is its place in the other one, None where it is not there."""

    item_id: str
    title: str = ""
    score: float = 0.0
    was: int | None = None


class PreviewedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request of late with what it is answered now, and what it would be answered."""

    before: tuple[PreviewedItem, ...]
    after: tuple[PreviewedItem, ...]
    user_id: str | None = None
    item_ids: tuple[str, ...] = ()
    k: int = 0
    times: int = 1
    overlap: float = 0.0


class Milliseconds(msgspec.Struct, frozen=True, kw_only=True):
    """How long answers took: the median, and what 95 % of them stay below."""

    median: float
    p95: float


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipe would change: `changed` of `requests` lists, of whose items the part `overlap` stays."""

    scenario: str
    compared_with: str
    requests: int
    changed: int
    failed: int = 0
    overlap: float = 0.0
    rank_shift: float = 0.0
    empty_before: int = 0
    empty_after: int = 0
    version_before: str = ""
    version_after: str = ""
    milliseconds_before: Milliseconds | None = None
    milliseconds_after: Milliseconds | None = None
    examples: tuple[PreviewedRequest, ...] = ()


def scenarios() -> Call[Scenarios]:
    """Ask which scenarios there are."""
    return Call("GET", "/scenarios", Scenarios)


def scenario(name: str) -> Call[Scenario]:
    """Ask for a scenario with its whole recipe, and what came of its shadow."""
    return Call("GET", f"/scenarios/{segment(name)}", Scenario)


def put_scenario(name: str, recipe: Mapping[str, Any]) -> Call[Scenario]:
    """Let a recipe serve under a name from the next answer on; it is checked first.

    What it does not say is as in the shipped one of that name, or else as in `home`.
    """
    return Call("PUT", f"/scenarios/{segment(name)}", Scenario, encoded(dict(recipe)))


def delete_scenario(name: str) -> Call[TakenBack]:
    """Take back what was put under a name; what stands in the file, or ships, serves again."""
    return Call("DELETE", f"/scenarios/{segment(name)}", TakenBack)


def reload_scenarios() -> Call[Scenarios]:
    """Let the service look at its file of scenarios now; a wrong one is refused and changes nothing."""
    return Call("POST", "/scenarios/reload", Scenarios)


def preview_scenario(
    name: str,
    recipe: Mapping[str, Any],
    *,
    of: str | None = None,
    requests: int | None = None,
    examples: int | None = None,
    timeout: float | None = 60.0,
) -> Call[Preview]:
    """Try a recipe on the latest requests of its name, or `of` another; nothing is kept.

    It takes seconds, so `timeout` is longer than that of other calls, and a failure is not tried again.
    """
    query = query_string({"of": of, "requests": requests, "examples": examples})
    return Call(
        "POST",
        f"/scenarios/{segment(name)}/preview{query}",
        Preview,
        encoded(dict(recipe)),
        repeatable=False,
        timeout=timeout,
    )
