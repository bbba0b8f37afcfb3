"""The home of the keeper: what it does is published, so that readers know it before it is acknowledged."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from foretaste.adapters.sqlite.profiles import SqliteProfiles
from foretaste.app.home import Home
from foretaste.app.processes.page import Published, SharedPage
from foretaste.app.scenario_book import Shelf
from foretaste.domain.item import Item
from foretaste.pipeline.artifact import Artifact, with_blend
from foretaste.ports.profiles import Attributes
from foretaste.ranking.blend import Blend

TAKE_OVER_SECONDS = 30.0
"""How long a change of models waits for readers to load the new one."""
_PAUSE_SECONDS = 0.005
_log = logging.getLogger(__name__)


class ServingBlend(msgspec.Struct, frozen=True, kw_only=True):
    """The blend that `artifact` serves with now, as the keeper writes it for readers."""

    artifact: str
    blend_version: str
    described: msgspec.Raw

    def taken_by(self, artifact: Artifact) -> Artifact:
        """Return `artifact` with this blend, if it is one of its own."""
        if self.artifact != artifact.version or self.blend_version == artifact.blend_version:
            return artifact
        return with_blend(artifact, Blend.from_description(msgspec.json.decode(self.described)))


class KeeperHome(Home):
    """`Home` whose changes are on `page` before they are acknowledged; `blend_file` holds the blend."""

    def __init__(self, *, page: SharedPage, blend_file: Path, **parts: Any) -> None:
        super().__init__(**parts)
        self._page = page
        self._blend_file = blend_file
        self._publishing = Lock()
        _, before = page.published()
        self._model, self._blend, self._scenarios = before.model, before.blend, before.scenarios
        self._shelf: Shelf | None = None
        self._announced: Artifact | None = None
        self._people = self._people_changes()
        self._stores.keeper.folded = self.publish
        self.publish()

    def publish(self) -> None:
        """Let readers know how far this process is."""
        with self._publishing:
            with self.state.lock:
                seq, catalog, artifact = self.state.seq, self.catalog_columns.version, self.artifact
            if artifact is not None and artifact is not self._announced:
                self._announce(artifact)
            if self.scenario_book.shelf is not self._shelf:
                self._shelf = self.scenario_book.shelf
                self._scenarios += 1
            now = Published(seq, catalog, self._people, self._model, self._blend, self._scenarios)
            self._page.publish(now)

    def publish_changes(self) -> None:
        """Publish what is neither event nor item, if it changed: before an answer says that it did."""
        if self.scenario_book.shelf is not self._shelf or self.artifact is not self._announced:
            self.publish()

    def serve_artifact(self, artifact: Artifact) -> None:
        """As `Home`; readers learn of it."""
        super().serve_artifact(artifact)
        self.publish()

    def refresh(self) -> bool:
        """As `Home`; return when all readers serve the champion, or could not within a while."""
        changed = super().refresh()
        self._await_readers()
        return changed

    def put_items(self, items: Sequence[Item]) -> int:
        """As `Home`, for the next answer of every process."""
        try:
            return super().put_items(items)
        finally:
            self.publish()

    def delete_items(self, item_ids: Sequence[str]) -> int:
        """As `Home`, for the next answer of every process."""
        try:
            return super().delete_items(item_ids)
        finally:
            self.publish()

    def put_people(self, people: Mapping[str, Attributes]) -> None:
        """As `Home`, for the next answer of every process."""
        try:
            super().put_people(people)
        finally:
            self._people = self._people_changes()
            self.publish()

    def _people_changes(self) -> int:
        profiles = self._stores.profiles
        return profiles.version() if isinstance(profiles, SqliteProfiles) else 0

    def _announce(self, artifact: Artifact) -> None:
        """Let readers know what serves from now on."""
        if self._announced is None or self._announced.version != artifact.version:
            self._model += 1
        self._announced = artifact
        serving = ServingBlend(
            artifact=artifact.version,
            blend_version=artifact.blend_version,
            described=msgspec.Raw(msgspec.json.encode(artifact.blend.describe())),
        )
        partial = self._blend_file.with_suffix(f".{os.getpid()}")
        try:
            partial.write_bytes(msgspec.json.encode(serving))
            partial.replace(self._blend_file)
        except OSError as error:
            _log.warning("other processes go on with the blend before: %s", error)
            return
        self._blend += 1

    def _await_readers(self) -> None:
        deadline = time.monotonic() + TAKE_OVER_SECONDS
        while time.monotonic() < deadline:
            if all(self._page.taken_over(slot).model >= self._model for slot in self._page.readers()):
                return
            time.sleep(_PAUSE_SECONDS)
