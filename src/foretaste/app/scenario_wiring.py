"""The scenarios of a home, put together: what ships, the file that the settings name, what was put."""

from pathlib import Path
from typing import Protocol

from foretaste.app.scenario_book import ScenarioBook
from foretaste.app.scenario_watch import ScenarioWatch
from foretaste.app.settings import Settings
from foretaste.domain.clock import system_clock
from foretaste.events.vocabulary import KNOWN_TYPES
from foretaste.features.catalog_columns import CATEGORY, CatalogColumns
from foretaste.models.kinds import MODEL_KINDS
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.recipes import Around
from foretaste.pipeline.scenario import SHIPPED, adjusted
from foretaste.ports.scenario_store import ScenarioStore
from foretaste.serving.answerer import Answerer
from foretaste.training.sources import optional_sources, usual_sources

FILE, ACCEPTED = "scenarios.toml", "scenarios.accepted.toml"
LIVE_SOURCES = ("popularity_week", "transitions")
"""What answers before anything is trained."""


class Serving(Protocol):
    """What a book needs of a home."""

    settings: Settings
    answerer: Answerer
    catalog_columns: CatalogColumns

    @property
    def artifact(self) -> Artifact | None:
        """The model that serves."""
        ...


def scenario_book(
    home: Serving, store: ScenarioStore, folder: Path | None, *, writable: bool
) -> ScenarioBook:
    """Return the scenarios of a home, which its answerer serves from now on; `folder` is None in memory."""
    settings, answerer = home.settings, home.answerer

    def situation() -> tuple[int, str]:
        return home.catalog_columns.version, "" if home.artifact is None else home.artifact.version

    named = settings.scenarios_file
    path = Path(named).expanduser() if named else None if folder is None else folder / FILE
    accepted = None if folder is None else folder / ACCEPTED
    watch = ScenarioWatch(path, accepted, situation, writable=writable, required=bool(named))
    return ScenarioBook(
        adjusted(
            SHIPPED,
            diversity_threshold=settings.diversity_threshold,
            serendipity_weight=settings.serendipity_weight,
        ),
        store,
        watch,
        around=lambda: around(home),
        serve=answerer.serve,
        clock=system_clock,
        writable=writable,
    )


def around(home: Serving) -> Around:
    """Return what recipes may speak of now."""
    sources = {*MODEL_KINDS, *usual_sources(effort="best", vectors=True), *optional_sources(), *LIVE_SOURCES}
    if home.artifact is not None:
        sources |= {*home.artifact.models, *(model.name for model in home.artifact.models.values())}
    types = {*KNOWN_TYPES, *home.settings.weights, *home.answerer.names.of("type")}
    columns = home.catalog_columns
    return Around(
        sources=sources,
        types=types,
        check=home.answerer.conditions.require,
        attributes={CATEGORY, *columns.attribute_names} if columns.n_items else None,
    )
