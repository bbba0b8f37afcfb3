"""How one call becomes requests, pauses and an answer: the whole of it, without a connection.

`exchange` yields what is to be done next and is handed what came of it, so that waiting and sending, the only
things in which a blocking and an asynchronous client differ, are the caller's.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from foretaste.client.calls import Call
from foretaste.client.errors import BusyError, ClientError, NoAnswerError, refusal

T = TypeVar("T")
TIMEOUT_HEADER = "X-Request-Timeout"


@dataclass(frozen=True, slots=True)
class Send:
    """Send this request; hand back the `Reply`, or the `ClientError` for which there is none."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None
    timeout: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so many seconds; hand back None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    retry_after: str | None = None


Outcome: TypeAlias = Reply | ClientError | None
Exchange: TypeAlias = Generator[Send | Wait, Outcome, T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for an answer, and how often to ask again.

    `timeout` is in seconds and for each attempt; a call's own goes before it. After the n-th failure a time
    drawn from 0 to `first_pause` · 2ⁿ is waited, at most `longest_pause` (full jitter, so that many clients
    do not come back at once), or what `Retry-After` says and up to a `first_pause` more. A service that asks
    for more than `longest_pause` is not asked again.
    """

    timeout: float = 5.0
    retries: int = 3
    first_pause: float = 0.1
    longest_pause: float = 10.0

    def pause(self, error: ClientError, attempt: int, draw: Callable[[], float]) -> float | None:
        """Return the seconds to wait after the failure number `attempt` (from 0), None to give up."""
        if attempt >= self.retries or not isinstance(error, BusyError | NoAnswerError):
            return None
        if isinstance(error, BusyError) and error.retry_after is not None:
            if error.retry_after > self.longest_pause:
                return None
            return error.retry_after + draw() * self.first_pause
        return draw() * min(self.longest_pause, self.first_pause * 2.0**attempt)


def exchange(call: Call[T], patience: Patience, draw: Callable[[], float]) -> Exchange[T]:
    """Return the answer to `call`, asking again where that does no harm.

    `draw` gives random numbers in [0, 1). A call's own timeout goes along as `X-Request-Timeout`, in seconds.

    Raises what `foretaste.client.errors` lists.
    """
    send = _request(call, patience)
    attempt = 0
    while True:
        outcome = yield send
        if isinstance(outcome, Reply) and 200 <= outcome.status < 300:
            return call.read(outcome.body)
        error = _error(outcome)
        pause = patience.pause(error, attempt, draw) if call.repeatable else None
        if pause is None:
            raise error
        yield Wait(pause)
        attempt += 1


def _request(call: Call[T], patience: Patience) -> Send:
    headers = {"Accept": "application/json"}
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    if call.timeout is not None:
        headers[TIMEOUT_HEADER] = f"{call.timeout:g}"
    return Send(call.method, call.target, headers, call.body, call.timeout or patience.timeout)


def _error(outcome: Outcome) -> ClientError:
    if isinstance(outcome, Reply):
        return refusal(outcome.status, outcome.body, outcome.retry_after)
    return outcome or NoAnswerError("nothing was sent")
