"""The scenarios of a home: those that ship, those of a file, those put by API; reloaded while it serves."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Any, Literal

from foretaste.app.scenario_watch import ScenarioWatch
from foretaste.domain.clock import Clock
from foretaste.domain.errors import ForetasteError, UnavailableError, UnknownScenarioError
from foretaste.pipeline.recipes import (
    Around,
    RecipeError,
    check_recipe,
    check_together,
    read_recipe,
    recipe_of,
)
from foretaste.pipeline.scenario import Scenario
from foretaste.ports.scenario_store import ScenarioRecord, ScenarioStore

Origin = Literal["shipped", "file", "api"]
Scenarios = Mapping[str, Scenario]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shelf:
    """All scenarios of one moment, each with where it comes from; replaced as one reference."""

    scenarios: Scenarios
    origins: Mapping[str, Origin]


class ScenarioBook:
    """Keeps the scenarios that serve: what was put by API goes before the file, the file before what ships.

    `serve` is called with all of them whenever one changes. A file that cannot be used changes nothing, but
    for the complaint. Every recipe is recorded in `store` before it answers, so that its answers can be given
    again; `writable` off: nothing is recorded or changed. `around` returns what recipes may speak of now.
    `shipped` are what recipes of the same name start from.
    """

    def __init__(
        self,
        shipped: Scenarios,
        store: ScenarioStore,
        watch: ScenarioWatch,
        *,
        around: Callable[[], Around],
        serve: Callable[[Scenarios], object],
        clock: Clock,
        writable: bool,
    ) -> None:
        self.shipped = shipped
        self._store = store
        self._watch = watch
        self._around = around
        self._serve = serve
        self._clock = clock
        self._writable = writable
        self.previewing = Lock()
        """Held by the one preview that runs."""
        self._changing = Lock()
        self._mark = -1
        self._put: Scenarios = {}
        self._unusable = ""
        self._noted = {record.version for record in store.records()}
        self.shelf = Shelf({}, {})
        with self._changing:
            self._read_store()
            self._watch.look(self.shipped, self._check_file)
            self._shelve()

    @property
    def scenarios(self) -> Scenarios:
        """All scenarios by name."""
        return self.shelf.scenarios

    @property
    def file(self) -> ScenarioWatch:
        """The file, and what is wrong with it."""
        return self._watch

    def complaint(self) -> str | None:
        """Return what is wrong with the file or with what was put, None where all is well.

        Who only reads looks first: nothing else tells it of a file that changes nothing.
        """
        if not self._writable:
            with suppress(UnavailableError):
                self.refresh()
        return self._watch.error or self._unusable or None

    def refresh(self) -> bool:
        """Take over what changed in the file, or was put elsewhere; return whether anything did.

        Raises `UnavailableError` where the store cannot be reached.
        """
        with self._changing:
            put = self._store.mark() != self._mark
            if put:
                self._read_store()
            read = self._watch.look(self.shipped, self._check_file)
            return self._shelve() if put or read else False

    def put(self, name: str, given: Mapping[str, Any]) -> Scenario:
        """Let `name` be what is given, durably; what it does not say is as in the shipped one of its name.

        Raises `RecipeError` where it cannot be used, `UnavailableError` where it cannot be kept.
        """
        with self._changing:
            scenario = self.checked(name, given)
            described = {"name": name, **recipe_of(scenario)}
            self._record(
                ScenarioRecord(
                    time=self._clock(), name=name, version=scenario.version, put=True, recipe=described
                )
            )
            return scenario

    def delete(self, name: str) -> Scenario | None:
        """Take back what was put under a name; return what serves as it then, None where nothing.

        Raises `UnknownScenarioError` where nothing was put, `RecipeError` where others speak of it.
        """
        with self._changing:
            self._read_store()
            if name not in self._put:
                known = ", ".join(sorted(self._put)) or "none"
                raise UnknownScenarioError(
                    f"nothing was put as {name[:80]!r} that could be taken back; put were {known}",
                    field="scenario",
                )
            check_together(self._all({key: one for key, one in self._put.items() if key != name}))
            self._record(ScenarioRecord(time=self._clock(), name=name))
            return self.scenarios.get(name)

    def checked(self, name: str, given: Mapping[str, Any]) -> Scenario:
        """Return what a recipe would make of `name`; raise `RecipeError` where it cannot be used."""
        scenario = read_recipe(name, given, self.shipped.get(name))
        check_recipe(scenario, self._around())
        check_together({**self.scenarios, name: scenario})
        return scenario

    def check_file(self, found: Scenarios) -> None:
        """Raise `RecipeError` where the scenarios of a file cannot be used beside the others there are."""
        self._check_file(found)

    def recipe(self, version: str) -> Scenario | None:
        """Return the recipe of a version, of now or before; None where none is kept."""
        for scenario in (*self.scenarios.values(), *self.shipped.values()):
            if scenario.version == version:
                return scenario
        record = self._store.named(version)
        return None if record is None or record.recipe is None else _read(record)

    def _record(self, record: ScenarioRecord) -> None:
        if not self._writable:
            raise UnavailableError("this home was opened for reading; its scenarios cannot be changed")
        self._store.append([record])
        self._noted.add(record.version)
        self._read_store()
        self._shelve()

    def _read_store(self) -> None:
        self._mark = self._store.mark()
        found: dict[str, Scenario] = {}
        self._unusable = ""
        for name, record in self._store.standing().items():
            try:
                found[name] = _read(record)
            except RecipeError as error:
                self._unusable = f"the scenario put as {name!r} cannot be used: {error.message}; put it anew"
                _log.warning("%s", self._unusable)
        self._put = found

    def _all(self, put: Scenarios) -> Scenarios:
        return {**self.shipped, **self._watch.scenarios, **put}

    def _check_file(self, found: Scenarios) -> None:
        around = self._around()
        for scenario in found.values():
            check_recipe(scenario, around)
        check_together({**self.shipped, **found, **self._put})

    def _shelve(self) -> bool:
        """Serve what there is now; return whether that is something else."""
        scenarios = self._all(self._put)
        try:
            check_together(scenarios)
        except RecipeError as error:
            self._unusable = f"what was put and the file do not go together: {error.message}"
            _log.warning("%s", self._unusable)
            scenarios = self.scenarios or self.shipped
        if scenarios == self.scenarios:
            return False
        self._note(scenarios)
        origins = {name: self._origin(one) for name, one in scenarios.items()}
        self.shelf = Shelf(MappingProxyType(dict(scenarios)), MappingProxyType(origins))
        self._serve(self.shelf.scenarios)
        return True

    def _origin(self, scenario: Scenario) -> Origin:
        if self._put.get(scenario.name) is scenario:
            return "api"
        return "file" if self._watch.scenarios.get(scenario.name) is scenario else "shipped"

    def _note(self, scenarios: Scenarios) -> None:
        """Record the recipes that never answered before."""
        new = {one.version: one for one in scenarios.values() if one.version not in self._noted}
        if not new or not self._writable:
            return
        records = [
            ScenarioRecord(
                time=self._clock(),
                name=one.name,
                version=one.version,
                recipe={"name": one.name, **recipe_of(one)},
            )
            for one in new.values()
        ]
        try:
            self._store.append(records)
        except ForetasteError as error:
            _log.warning("recipes could not be recorded, answers by them cannot be given again: %s", error)
            return
        self._noted |= new.keys()
        self._mark = self._store.mark()


def _read(record: ScenarioRecord) -> Scenario:
    return read_recipe(record.name, record.recipe or {})
