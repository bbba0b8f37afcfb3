"""`/retrain` and `/jobs`: training beside the service."""

import asyncio

import msgspec

from foretaste.app.http.asgi.exchange import Request, Response, json_response
from foretaste.app.http.asgi.operations import Operations
from foretaste.app.http.service import Service
from foretaste.app.retraining.job import Job, State, TrainingOrder
from foretaste.domain.errors import InvalidInputError

operations: Operations[Service] = Operations("Models")


class JobSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One training in short."""

    job_id: str
    state: State
    cause: str
    created_at: str
    ended_at: str | None
    stage: str | None
    progress: float
    reason: str | None
    model_version: str | None


class Jobs(msgspec.Struct, frozen=True, kw_only=True):
    """The trainings that are remembered, the latest first; `running` is the one under way."""

    running: str | None
    jobs: tuple[JobSummary, ...]


@operations.route(
    "POST",
    "/retrain",
    body=TrainingOrder,
    answer=Job,
    status=202,
    refusals=(400, 403, 408, 409, 413, 415, 503),
)
async def retrain(service: Service, request: Request) -> Response:
    """Train a new model; the answer is a job, and does not wait for it.

    The body may be left out: then it trains as the settings say. It happens in a process of its own, behind
    answers. A model that passes the gate serves from then on, without a lost request. One job runs at a
    time: 409 names it.
    """
    order = _order(await request.body())
    return json_response(await asyncio.to_thread(service.retraining.begin, order), 202)


@operations.route("GET", "/jobs", answer=Jobs, refusals=(503,))
async def jobs(service: Service, _: Request) -> Response:
    """List the trainings, the latest first."""
    found = await asyncio.to_thread(service.retraining.jobs)
    running = next((job.job_id for job in found if job.is_running), None)
    return json_response(Jobs(running=running, jobs=tuple([_summary(job) for job in found])))


@operations.route("GET", "/jobs/{job_id}", answer=Job, refusals=(404, 503))
async def job(service: Service, request: Request) -> Response:
    """Say how far a training has come, and how it ended.

    A job whose service stopped is `interrupted`.
    """
    return json_response(await asyncio.to_thread(service.retraining.job, request.path["job_id"]))


@operations.route("DELETE", "/jobs/{job_id}", answer=Job, refusals=(403, 404, 503))
async def cancel(service: Service, request: Request) -> Response:
    """Cancel a training and answer how it ended.

    Nothing half done is left. One that has ended stays as it is, and one that is being published ends so.
    """
    return json_response(await asyncio.to_thread(service.retraining.cancel, request.path["job_id"]))


def _order(body: bytes) -> TrainingOrder:
    if not body.strip():
        return TrainingOrder()
    try:
        return msgspec.json.decode(body, type=TrainingOrder)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"the body does not say how to train: {error}", field="body") from error


def _summary(job: Job) -> JobSummary:
    return JobSummary(**{name: getattr(job, name) for name in JobSummary.__struct_fields__})
