"""Recipes in memory, for one process; `adapters.files.scenario_store` keeps them in a file."""

from collections.abc import Iterable, Iterator, Sequence

from foretaste.ports.scenario_store import ScenarioRecord


class MemoryScenarioStore:
    """`ScenarioStore` that ends with the process."""

    def __init__(self) -> None:
        self._kept: list[ScenarioRecord] = []

    def append(self, records: Sequence[ScenarioRecord]) -> None:
        """Add records."""
        self._kept += records

    def standing(self) -> dict[str, ScenarioRecord]:
        """Return what was put last under each name, but for what was deleted since."""
        found: dict[str, ScenarioRecord] = {}
        for record in self.records():
            if record.recipe is None:
                found.pop(record.name, None)
            elif record.put:
                found[record.name] = record
        return found

    def mark(self) -> int:
        """Return how much was added."""
        return len(self._kept)

    def named(self, version: str) -> ScenarioRecord | None:
        """Return a record with a recipe of that version."""
        recorded = (one for one in self.records() if one.recipe is not None and one.version == version)
        return next(recorded, None)

    def records(self) -> Iterator[ScenarioRecord]:
        """Yield all records in the order in which they were added."""
        yield from self._kept

    def restore(self, records: Iterable[ScenarioRecord]) -> None:
        """Add records, unless something was put or deleted already."""
        if not any(record.put or record.recipe is None for record in self.records()):
            self.append(list(records))
