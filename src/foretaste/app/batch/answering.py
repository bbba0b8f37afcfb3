"""The answers of one part: people scored together, each answered alone, so that a failure is one's own."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foretaste.adapters.files.rows import Reject
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.batch.pinned_home import PinnedHome
from foretaste.app.batch.plan import BatchManifest
from foretaste.app.home import Home
from foretaste.app.settings import expression_limits
from foretaste.domain.slate import Slate
from foretaste.pipeline.known import KnownPeople
from foretaste.pipeline.together import TOGETHER, score_together
from foretaste.serving.answerer import Answerer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """The slates of a part, and who failed: `line` counts the people of the whole batch from 1."""

    slates: list[Slate]
    failed: list[Reject]


class PartAnswerer:
    """Answers parts of a batch as its manifest says, bit for bit alike however often it is begun."""

    def __init__(self, home: Home, manifest: BatchManifest) -> None:
        self._live = PinnedHome(home, manifest.pin)
        self._order = manifest.order
        self._now = manifest.pin.now
        self._answerer = answerer_of(self._live, home, manifest)

    def answer(self, number: int, users: Sequence[str]) -> Answered:
        """Answer the people of part `number`."""
        answered = Answered([], [])
        first = number * self._order.users_per_part + 1
        for start in range(0, len(users), TOGETHER):
            some = users[start : start + TOGETHER]
            self._score(some)
            for line, user_id in enumerate(some, start=first + start):
                try:
                    answered.slates.append(self._answer(user_id))
                except Exception as error:  # noqa: BLE001 - whatever fails for one must not end the others
                    reason = f"{type(error).__name__}: {error}"
                    answered.failed.append(Reject(line=line, reason=reason, row=user_id))
        return answered

    def _answer(self, user_id: str) -> Slate:
        ready = self._answerer.ready(self._order.scenario)
        return self._answerer.tried(self._order.query(user_id, self._now), ready)

    def _score(self, users: Sequence[str]) -> None:
        """Score people together; where that fails they are scored one by one."""
        live, artifact = self._live, self._live.artifact
        if artifact is None:
            return
        try:
            with live.state.lock:
                ordinals = [live.state.person(each) for each in self._ordinals(users)]
                score_together(
                    self._answerer.known, live.state, live.catalog_columns, artifact, ordinals, self._now
                )
        except Exception:  # noqa: BLE001 - it only saves time
            _log.exception("these people are scored one by one")

    def _ordinals(self, users: Sequence[str]) -> Iterator[int]:
        for user_id in users:
            ordinal = self._answerer.names.ordinal("user", user_id)
            if ordinal >= 0:
                yield ordinal


def answerer_of(live: PinnedHome, home: Home, manifest: BatchManifest) -> Answerer:
    """Return what answers a batch, once it is sure that it can be asked so.

    Raises `UnknownScenarioError`, `UnknownModelError` and `InvalidQueryError`.
    """
    answerer = Answerer(
        live,
        MemoryTelemetry(),
        namespace=home.settings.namespace,
        scenarios=home.scenarios,
        limits=expression_limits(home.settings),
        known=KnownPeople(least=TOGETHER),
    )
    answerer.recommend(manifest.order.query(None, manifest.pin.now), dry_run=True)
    return answerer
