"""Problem documents (RFC 9457): every refusal says what is wrong and what to do."""

import math
from http import HTTPStatus

import msgspec

from foretaste.domain.errors import (
    BusyError,
    CorruptDataError,
    ForetasteError,
    GateRefusedError,
    InvalidEventError,
    InvalidInputError,
    InvalidItemError,
    InvalidQueryError,
    MissingExtraError,
    NoModelError,
    NotDurableError,
    NotFoundError,
    UnavailableError,
    UnknownItemError,
    UnknownModelError,
    UnknownScenarioError,
    UnknownUserError,
)

PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""RFC 9110's words where versions of Python differ."""

PROBLEM_JSON = b"application/problem+json"

KINDS: tuple[tuple[type[ForetasteError], int, str], ...] = (
    (InvalidEventError, 400, "invalid-event"),
    (InvalidItemError, 400, "invalid-item"),
    (InvalidQueryError, 400, "invalid-query"),
    (InvalidInputError, 400, "invalid-input"),
    (UnknownItemError, 404, "unknown-item"),
    (UnknownUserError, 404, "unknown-user"),
    (UnknownModelError, 404, "unknown-model"),
    (UnknownScenarioError, 404, "unknown-scenario"),
    (NotFoundError, 404, "not-found"),
    (NotDurableError, 503, "not-durable"),
    (NoModelError, 503, "no-model"),
    (BusyError, 409, "busy"),
    (UnavailableError, 503, "unavailable"),
    (GateRefusedError, 409, "gate-refused"),
    (MissingExtraError, 501, "missing-extra"),
    (CorruptDataError, 500, "corrupt-data"),
)
"""Status and name of each error; the first that fits counts."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document. `field` names the parameter concerned; `errors` has one entry per event or item."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    errors: tuple[msgspec.Raw, ...] | None = None
    error: str | None = None
    """The same as `detail`, on the paths of other systems, whose clients read it.

    Also where a request is turned away whatever its path, because there is too much to do.
    """


class HttpError(Exception):
    """A refusal that only HTTP knows. With `hang_up` the connection ends, since a body was left unread.

    `legacy` says that the path is one of another system.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        allow: str | None = None,
        hang_up: bool = False,
        retry_after: int | None = None,
        kind: str | None = None,
        field: str | None = None,
        errors: tuple[msgspec.Raw, ...] | None = None,
        legacy: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.allow = allow
        self.hang_up = hang_up
        self.retry_after = retry_after
        self.kind = kind or phrase_of(status).lower().replace(" ", "-")
        self.field = field
        self.errors = errors
        self.legacy = legacy


def problem_of(error: ForetasteError | HttpError, *, legacy: bool = False) -> Problem:
    """Return the document of an error; what happened inside (status 500) is not told."""
    if isinstance(error, HttpError):
        status, name, detail = error.status, error.kind, error.detail
        legacy = legacy or error.legacy
    else:
        status, name = kind_of(error)
        detail = error.message
    if status >= 500 and status != 503 and not isinstance(error, MissingExtraError):
        detail = "something went wrong inside; the server's log has the details"
    return Problem(
        type=f"urn:foretaste:problem:{name}",
        title=phrase_of(status),
        status=status,
        detail=detail,
        field=error.field,
        errors=error.errors if isinstance(error, HttpError) else None,
        error=detail if legacy else None,
    )


def phrase_of(status: int) -> str:
    """Return the reason phrase of a status, the same on each version of Python."""
    return PHRASES.get(status) or HTTPStatus(status).phrase


def extra_headers(error: ForetasteError | HttpError) -> tuple[tuple[bytes, bytes], ...]:
    """Return `Retry-After`, `Allow` and `Connection` where the error calls for them."""
    if isinstance(error, UnavailableError):
        return ((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after))),)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if isinstance(error, HttpError) and error.retry_after is not None:
        headers = ((b"retry-after", b"%d" % error.retry_after),)
    if isinstance(error, HttpError) and error.allow is not None:
        headers = (*headers, (b"allow", error.allow.encode()))
    if isinstance(error, HttpError) and error.hang_up:
        headers = (*headers, (b"connection", b"close"))
    return headers


def kind_of(error: ForetasteError) -> tuple[int, str]:
    """Return the status and the name of an error's kind."""
    for kind, status, name in KINDS:
        if isinstance(error, kind):
            return status, name
    return 500, "internal"
