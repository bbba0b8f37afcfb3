"""Every blend that ever served: so a past answer can be given again, and a restart goes on from the last."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from foretaste.domain.errors import NotFoundError
from foretaste.pipeline.artifact import Artifact, with_blend
from foretaste.ranking.blend import Blend

_log = logging.getLogger(__name__)


class BlendRecord(msgspec.Struct, frozen=True, kw_only=True):
    """From the event after `seq` on, `artifact` served with the blend `described`, called `blend_version`.

    `shift` is what had been learnt then, by source (see `OnlineWeights`); `time` is when it began, in
    microseconds UTC (0: not known).
    """

    seq: int
    time: int = 0
    artifact: str
    blend_version: str
    shift: tuple[float, ...]
    described: msgspec.Raw

    def shift_of(self, sources: Sequence[str]) -> tuple[float, ...]:
        """Return what had been learnt of each of `sources`, 0 for those that had no part in the blend."""
        names = msgspec.json.decode(self.described)["sources"]
        known = dict(zip(names, self.shift, strict=False))
        return tuple([known.get(source, 0.0) for source in sources])


class BlendLog:
    """Records as lines of JSON, added at the end of the file at `path`; without one they are not kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def add(self, record: BlendRecord) -> None:
        """Add a record; a full disk is no error, the blend can then not be reproduced."""
        if self._path is None:
            return
        try:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(record) + b"\n")
        except OSError as error:
            _log.warning("blend %s could not be logged: %s", record.blend_version, error)

    def latest(self, artifact: str) -> BlendRecord | None:
        """Return the last record of an artifact."""
        found = None
        for record in self._records():
            if record.artifact == artifact:
                found = record
        return found

    def serving_at(self, time: int) -> BlendRecord | None:
        """Return the record of what served at a moment (microseconds UTC), None where none tells."""
        found = None
        for record in self._records():
            if 0 < record.time <= time:
                found = record
        return found

    def last(self) -> BlendRecord | None:
        """Return the record of what served last."""
        found = None
        for found in self._records():  # noqa: B007 - the last one counts
            pass
        return found

    def artifact_with(self, artifact: Artifact, blend_version: str) -> Artifact:
        """Return `artifact` with the blend of that version; raise `NotFoundError` if it had none such."""
        if artifact.blend_version == blend_version:
            return artifact
        for record in self._records():
            if record.artifact == artifact.version and record.blend_version == blend_version:
                return with_blend(artifact, Blend.from_description(msgspec.json.decode(record.described)))
        raise NotFoundError(
            f"model {artifact.version} never served with a blend {blend_version!r}", field="blend_version"
        )

    def _records(self) -> Iterator[BlendRecord]:
        """Yield the records; a last line that was cut off by a crash is passed over."""
        if self._path is None or not self._path.is_file():
            return
        for line in self._path.read_bytes().splitlines():
            try:
                yield msgspec.json.decode(line, type=BlendRecord)
            except msgspec.MsgspecError:
                _log.warning("a line of %s cannot be read", self._path.name)


def record_of(artifact: Artifact, shift: tuple[float, ...], seq: int, time: int) -> BlendRecord:
    """Return the record that `artifact` serves from after `seq` on, as of `time`."""
    return BlendRecord(
        seq=seq,
        time=time,
        artifact=artifact.version,
        blend_version=artifact.blend_version,
        shift=shift,
        described=msgspec.Raw(msgspec.json.encode(artifact.blend.describe())),
    )
