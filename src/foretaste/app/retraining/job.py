"""One training job, as its record on disk and the service tell it."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from foretaste.training.sources import Effort

RUNNING: "State" = "running"
State: TypeAlias = Literal["running", "succeeded", "refused", "failed", "cancelled", "interrupted"]
"""`succeeded`: the model passed the gate, and serves where that was asked for. `refused`: the gate did not
let it pass; it is kept as challenger. `failed`: training raised an error. `cancelled`: by request.
`interrupted`: the service or the machine stopped, or the process was killed."""

REQUESTED = "asked for"


class TrainingOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to train; what is not given is as the settings say."""

    effort: Annotated[Effort | None, Meta(description="`quick`, `usual` or `best`.")] = None
    seed: Annotated[int, Meta(ge=0, lt=2**32)] | None = None
    publish: Annotated[bool, Meta(description="Let the model serve if it passes the gate.")] = True
    fresh: Annotated[bool, Meta(description="Begin from the usual settings, not from what tuning chose.")] = (
        False
    )


class JobStage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of a training: when it began, and how long it took once it is done."""

    stage: str
    began_at: str
    seconds: float | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One training.

    `progress` is the share of `stage` that is done, `stages` are all that were begun, in order. `reason`
    says why it ended where it did not succeed. Once it is trained, `model_version` is what came of it,
    `decision` what the gate made of it, and `report` what `foretaste train --json` would have said.
    """

    job_id: str
    state: State
    cause: str
    created_at: str
    ended_at: str | None = None
    state_seq: int = 0
    """The last event of the log when it began."""

    order: TrainingOrder = TrainingOrder()
    stage: str | None = None
    progress: float = 0.0
    stages: tuple[JobStage, ...] = ()
    reason: str | None = None
    model_version: str | None = None
    decision: str | None = None
    metrics: dict[str, float] = {}
    report: dict[str, Any] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.state == RUNNING


def ended(job: Job, state: State, *, at: str, reason: str | None = None) -> Job:
    """Return `job` as it is once it has ended."""
    return msgspec.structs.replace(job, state=state, ended_at=at, reason=reason)


def advanced(job: Job, stage: str, share: float, *, at: str, seconds: float | None) -> Job:
    """Return `job` with `share` of `stage` done; `seconds` is what the stage took where it is done.

    A stage that is told of again after it was done, as a part of a longer one, stays as it was.
    """
    stages = job.stages
    known = [one.stage for one in stages]
    if stage not in known:
        stages = (*stages, JobStage(stage=stage, began_at=at))
    elif seconds is not None:
        place = known.index(stage)
        done = msgspec.structs.replace(stages[place], seconds=seconds)
        stages = (*stages[:place], done, *stages[place + 1 :])
    return msgspec.structs.replace(job, stage=stage, progress=round(share, 3), stages=stages)
