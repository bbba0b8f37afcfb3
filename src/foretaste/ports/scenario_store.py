"""Recipes of scenarios: those put by API, and every one that ever answered."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec


class ScenarioRecord(msgspec.Struct, frozen=True, kw_only=True):
    """At `time` (microseconds UTC) the scenario `name` became the recipe `recipe`, called `version`.

    `put` says that it was put by API; else it came with the program or from a file, and is recorded so that
    answers by it can be given again. `recipe` None: what was put under that name was deleted.
    """

    time: int
    name: str
    version: str = ""
    put: bool = False
    recipe: dict[str, Any] | None = None


class ScenarioStore(Protocol):
    """What scenarios became, in order.

    Promises (`foretaste.testing.contracts.scenario_store`):

    - **Durable.** What `append` returned from is there after `kill -9`, and for every process that shares the
      store.
    - **Kept.** A recipe is found by its version for good.

    All raise `UnavailableError` where the store cannot be reached, or refuses to write.
    """

    def append(self, records: Sequence[ScenarioRecord]) -> None:
        """Add records, all or none of them."""
        ...

    def standing(self) -> dict[str, ScenarioRecord]:
        """Return what was put last under each name, but for what was deleted since."""
        ...

    def mark(self) -> int:
        """Return a number that is another one after each change; cheap to ask for."""
        ...

    def named(self, version: str) -> ScenarioRecord | None:
        """Return a record with a recipe of that version."""
        ...

    def records(self) -> Iterator[ScenarioRecord]:
        """Yield all records in the order in which they were added."""
        ...

    def restore(self, records: Iterable[ScenarioRecord]) -> None:
        """Add records, unless something was put or deleted already."""
        ...
