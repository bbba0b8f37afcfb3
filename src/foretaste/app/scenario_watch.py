"""A file of scenarios, watched: read again when it changes, and the last good one kept."""

import logging
import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from foretaste.adapters.files.scenario_file import ScenarioFileError, parse_scenarios, read_scenario_file
from foretaste.pipeline.scenario import Scenario

_log = logging.getLogger(__name__)
Check = Callable[[Mapping[str, Scenario]], object]


class ScenarioWatch:
    """The scenarios of the file at `path`, which must be there if `required`; None: there is no file.

    `accepted` is where the text of the last good file is kept, so that a restart beside a bad one goes on
    with it; None: nowhere. `situation` returns what else decides whether a file is good: a bad one is looked
    at again when that changes.
    """

    def __init__(
        self,
        path: Path | None,
        accepted: Path | None,
        situation: Callable[[], object],
        *,
        writable: bool,
        required: bool = False,
    ) -> None:
        self.path = path
        self.error = ""
        self.scenarios: Mapping[str, Scenario] = {}
        self._accepted = accepted
        self._situation = situation
        self._writable = writable
        self._required = required
        self._seen: tuple[object, ...] = ()
        self._digest = ""
        self._read = False

    def look(self, bases: Mapping[str, Scenario], check: Check) -> bool:
        """Read the file if it is another one than before; return whether other scenarios are good now."""
        if self.path is None:
            return False
        seen = (_stamp(self.path), self._situation() if self.error else None)
        if seen == self._seen:
            return False
        self._seen = seen
        if seen[0] is None and not self._required:
            return self._take({}, "")
        try:
            text = read_scenario_file(self.path)
            digest = sha256(text.encode()).hexdigest()
            if digest == self._digest and not self.error:
                return False
            found = parse_scenarios(text, self.path.name, bases, check)
        except ScenarioFileError as error:
            self._complain(error.message)
            return self._fall_back(bases, check)
        changed = self._take(found, digest)
        self._keep(text)
        return changed

    def _take(self, found: Mapping[str, Scenario], digest: str) -> bool:
        changed = found != self.scenarios
        if self.error:
            _log.info("the scenarios of %s are good again", self.path)
        self.scenarios, self._digest, self.error, self._read = found, digest, "", True
        return changed

    def _complain(self, message: str) -> None:
        if message != self.error:
            _log.error("scenarios: %s; those from before go on", message)
        self.error = message
        self._seen = (self._seen[0], self._situation())

    def _fall_back(self, bases: Mapping[str, Scenario], check: Check) -> bool:
        """Take the last good file where none was read since the start."""
        if self._read or self._accepted is None or not self._accepted.is_file():
            return False
        self._read = True
        try:
            text = read_scenario_file(self._accepted)
            self.scenarios = parse_scenarios(text, self._accepted.name, bases, check)
        except ScenarioFileError as error:
            _log.warning("scenarios: %s", error.message)
            return False
        return True

    def _keep(self, text: str) -> None:
        if self._accepted is None or not self._writable:
            return
        beside = self._accepted.with_name(f"{self._accepted.name}.{os.getpid()}")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(self._accepted)
        except OSError as error:
            _log.warning("the good scenarios could not be kept for a restart: %s", error)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what tells whether a file may have changed, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
