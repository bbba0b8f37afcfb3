"""What can go wrong for a client: one tree, so that `except ClientError` takes all of it.

.. code-block:: text

    ClientError
    ├── QueueFullError         a batcher has no room; send less, or wait
    ├── ClosedError            a client or a batcher was closed
    ├── NoAnswerError          nothing came back; it is not known what the service did
    │   └── TimedOutError
    ├── UnreadableAnswerError  what came back is not what this client understands
    └── RefusedError           the service answered with a problem document
        ├── InvalidRequestError   400, 411, 413, 414, 415, 422, 431: what was sent cannot be used as it is
        ├── NotAllowedError       401, 403
        ├── NotFoundError         404, 410
        ├── ConflictError         409
        ├── BusyError             408, 425, 429, 502, 503, 504: try again, after `retry_after` seconds
        └── ServiceFailedError    any other status: something went wrong inside the service
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class ClientError(Exception):
    """Root of the tree."""


class QueueFullError(ClientError):
    """A batcher holds as many events as it may; none was dropped, and this one was not taken."""


class ClosedError(ClientError):
    """What was closed takes nothing more."""


class NoAnswerError(ClientError):
    """The service could not be reached, or went away before it answered."""


class TimedOutError(NoAnswerError):
    """The service did not answer in time."""


class UnreadableAnswerError(ClientError):
    """An answer is no JSON, or lacks what this client needs of it."""


class RefusedError(ClientError):
    """The service refused; its words are the message.

    `status` is HTTP's, `kind` the last part of the problem's `type` (`invalid-event`), `field` the parameter
    concerned, `errors` has one entry for each event or item of a batch that was refused as a whole.
    `retry_after` is what the service asked to wait, in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        kind: str = "",
        field: str | None = None,
        errors: tuple[dict[str, Any], ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.field = field
        self.errors = errors
        self.retry_after = retry_after


class InvalidRequestError(RefusedError):
    """What was sent cannot be used as it is; the message says what to change."""


class NotAllowedError(RefusedError):
    """This may not be done, or not by this client."""


class NotFoundError(RefusedError):
    """There is no such item, person, model or answer."""


class ConflictError(RefusedError):
    """The state of the service does not allow it."""


class BusyError(RefusedError):
    """It cannot be done now and may be tried again."""


class ServiceFailedError(RefusedError):
    """Something went wrong inside the service; its log says what."""


KINDS: Mapping[int, type[RefusedError]] = {
    **dict.fromkeys((400, 411, 413, 414, 415, 422, 431), InvalidRequestError),
    **dict.fromkeys((401, 403), NotAllowedError),
    **dict.fromkeys((404, 410), NotFoundError),
    409: ConflictError,
    **dict.fromkeys((408, 425, 429, 502, 503, 504), BusyError),
}


class _Problem(msgspec.Struct, frozen=True):
    type: str = ""
    title: str = ""
    detail: str = ""
    field: str | None = None
    errors: tuple[dict[str, Any], ...] | None = None


_problem = msgspec.json.Decoder(_Problem)
SHOWN = 200


def refusal(status: int, body: bytes, retry_after: str | None) -> RefusedError:
    """Return the error that a refusal is; a body that is no problem document becomes the message."""
    try:
        problem = _problem.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        problem = _Problem(detail=body[:SHOWN].decode("utf-8", "replace"))
    return KINDS.get(status, ServiceFailedError)(
        problem.detail or problem.title or f"the service answered {status}",
        status=status,
        kind=problem.type.rpartition(":")[2],
        field=problem.field,
        errors=problem.errors or (),
        retry_after=_seconds(retry_after),
    )


def _seconds(written: str | None) -> float | None:
    """Return a `Retry-After` that is a number of seconds; one that is a date is not heeded."""
    return float(written) if written is not None and written.isascii() and written.isdigit() else None
