"""The home of a reader: all that the keeper published is known before an answer is given."""

import logging
import os
import signal
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any

import msgspec

from foretaste.app.home import Home
from foretaste.app.processes.keeper_home import ServingBlend
from foretaste.app.processes.page import NOTHING, Published, SharedPage
from foretaste.app.processes.stores import Followed
from foretaste.app.told_people import ToldPeople
from foretaste.domain.errors import CorruptDataError, ForetasteError
from foretaste.pipeline.artifact import Artifact

TICK_SECONDS = 0.05
"""How often an idle reader looks whether there is something to take over."""
RETRY_TICKS = 40
"""Ticks until a model that could not be loaded is tried again."""
_log = logging.getLogger(__name__)


class ReaderHome(Home):
    """`Home` in the place `slot` of a service whose keeper publishes on `page`; nothing is written here.

    Before an answer what was published is compared with what is known here, which is one number where nothing
    happened. Events, catalog and people that are missing are read and folded first. A new model is loaded in
    the background; the keeper waits for that before it acknowledges the change.
    """

    def __init__(
        self, *, page: SharedPage, slot: int, blend_file: Path, followed: Followed, **parts: Any
    ) -> None:
        self._page = page
        self._slot = slot
        self._blend_file = blend_file
        self._followed = followed
        self._following = RLock()
        self._seen = -1
        self._taken = NOTHING
        self._ending = Event()
        self._ticking: Thread | None = None
        self._rest = 0
        self._encoded = -1
        super().__init__(stores=followed.stores, **parts)
        self.condition.watch(self._complaint)

    def catch_up(self, user_id: str | None) -> bool:
        """Learn what was acknowledged to anyone by any process; return whether that was possible."""
        del user_id  # what is known of everybody is one fold
        if self._page.change == self._seen:
            return True
        try:
            self._follow_page()
        except ForetasteError as error:
            _log.warning("what other processes did cannot be read: %s", error.message)
            self.telemetry.count("answers_stale_total")
            return False
        return True

    def serve_artifact(self, artifact: Artifact) -> None:
        """As `Home`, with the blend that the keeper serves it with."""
        with self.state.lock:
            super().serve_artifact(artifact)
            self._take_serving_blend()

    def take_place(self) -> None:
        """Know all that was published, its model too; from now on changes of models wait for this process."""
        self._page.take_over(self._slot, os.getpid(), self._taken)
        try:
            self.refresh()
        except CorruptDataError as error:
            _log.warning("answers come without a trained model: %s", error.message)
        self._tick()

    def follow(self, seconds: float = TICK_SECONDS) -> None:
        """Look every `seconds` for what was published, and for clicks, in the background, until closed."""
        self.click_following.follow()
        self._ticking = Thread(target=self._tick_on, args=(seconds,), name="foretaste-follower", daemon=True)
        self._ticking.start()

    def close(self) -> None:
        """Release everything. Closing twice is fine."""
        self._ending.set()
        if self._ticking is not None:
            self._ticking.join()
        self._page.vacate(self._slot)
        super().close()

    def _complaint(self) -> str | None:
        """Return which other processes of the service are missing, None where none is."""
        wanted, there = self._page.wanted, len(self._page.answering())
        if not self._page.keeper:
            return "the keeper is away: nothing can be written until it is back, answers go on"
        return None if there >= wanted else f"{there} of {wanted} workers answer; the others are starting"

    def _tick_on(self, seconds: float) -> None:
        while not self._ending.wait(seconds):
            self._tick()

    def _tick(self) -> None:
        try:
            if self._page.change != self._seen:
                self._follow_page()
            _, now = self._page.published()
            if now.model != self._taken.model and not self._rested():
                self.refresh()
                self._taken = self._taken._replace(model=now.model)
            self._encode_texts()
        except (ForetasteError, OSError) as error:
            _log.warning("what other processes did cannot be taken over yet: %s", error)
            self._rest = RETRY_TICKS
        self._page.take_over(self._slot, os.getpid(), self._taken)

    def _rested(self) -> bool:
        """Whether to wait on, after a model could not be loaded."""
        self._rest = max(0, self._rest - 1)
        return self._rest > 0

    def _follow_page(self) -> None:
        with self._following:
            change, now = self._page.published()
            if now.seq < self.state.seq:
                _log.error("the keeper's log ends at %d, before %d: starting anew", now.seq, self.state.seq)
                os.kill(os.getpid(), signal.SIGTERM)
                return
            if now.catalog > self.catalog_columns.version:
                self._follow_catalog()
            if now.people > self._taken.people:
                self._follow_people()
            if now.scenarios != self._taken.scenarios:
                self.scenario_book.refresh()
            self._follow_log(now)
            self._taken = now._replace(model=self._taken.model)
            self._seen = change

    def _follow_log(self, now: Published) -> None:
        """Fold up to what was published, and take the blend of that moment."""
        log, keeper = self._followed.log, self._stores.keeper
        while self.state.seq < now.seq:
            events = log.follow(now.seq)
            with self.state.lock:
                keeper.fold(events)
                log.take(events)
                if events.last_seq == now.seq and now.blend != self._taken.blend:
                    self._take_serving_blend()
        if now.blend != self._taken.blend:
            with self.state.lock:
                self._take_serving_blend()

    def _follow_people(self) -> None:
        change = self._followed.profiles.people_after(self._taken.people)
        if change.is_all:
            self._told = ToldPeople(change.people)
        else:
            self._told.put(change.people)

    def _follow_catalog(self) -> None:
        """As `Home`, but texts are not encoded while an answer waits."""
        entries = self._stores.catalog.changes(self.catalog_columns.version)
        columns = self.catalog_columns.apply(entries)
        if self._text_vectors is not None:
            columns = self._text_vectors.filled(columns, encode=False)
        with self.state.lock:
            self.catalog_columns = columns

    def _encode_texts(self) -> None:
        """Give new items the vectors of their texts, where a text model is set."""
        columns = self.catalog_columns
        if self._text_vectors is None or self.artifact is None or columns.version == self._encoded:
            return
        filled = self._text_vectors.filled(columns, encode=True)
        with self.state.lock:
            if self.catalog_columns is columns:
                self.catalog_columns = filled
                self._encoded = columns.version

    def _take_serving_blend(self) -> None:
        if self.artifact is None or not self._blend_file.is_file():
            return
        serving = msgspec.json.decode(self._blend_file.read_bytes(), type=ServingBlend)
        self.artifact = serving.taken_by(self.artifact)
