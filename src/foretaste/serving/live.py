"""What serving stands on: the parts of a running system, of one moment each."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

from foretaste.domain.item import Attribute
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.state import State
from foretaste.pipeline.artifact import Artifact
from foretaste.pipeline.fresh_clicks import FreshClicks
from foretaste.ports.event_log import EventLog
from foretaste.ports.exposure_log import ExposureLog
from foretaste.ports.id_map import IdMap


class Live(Protocol):
    """State, stores and the model that serves.

    Promise: `catalog_columns` and `artifact` are replaced as one reference each while `state.lock` is
    held, so that who holds it sees state, catalog and model of one moment, and a swap of models loses
    no request. `artifact` is None until a model is published.
    """

    @property
    def state(self) -> State:
        """All that is known of users and items."""
        ...

    @property
    def log(self) -> EventLog:
        """The event log; what is appended is in `state` before its future resolves."""
        ...

    @property
    def id_map(self) -> IdMap:
        """Ids and their ordinals."""
        ...

    @property
    def exposures(self) -> ExposureLog:
        """What was shown."""
        ...

    @property
    def catalog_columns(self) -> CatalogColumns:
        """The catalog by ordinal."""
        ...

    def circumstances_of(self, user_id: str | None) -> tuple[str, ...]:
        """Return what is known of a person beside events (see `domain.circumstances`)."""
        ...

    def attributes_of(self, user_id: str | None) -> Mapping[str, Attribute]:
        """Return what was told of a person, as it was told."""
        ...

    @property
    def attribute_names(self) -> AbstractSet[str]:
        """The names of all attributes that people have."""
        ...

    def catch_up(self, user_id: str | None) -> bool:
        """Learn what an answer for this person must know that other processes were told.

        False where that cannot be learnt in time. Not to be called while `state.lock` is held.
        """
        ...

    @property
    def artifact(self) -> Artifact | None:
        """The model that serves."""
        ...

    @property
    def clicks(self) -> FreshClicks | None:
        """What was shown and clicked since a model learnt; None where that is not followed."""
        ...
