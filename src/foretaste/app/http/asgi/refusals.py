"""What those are told who are turned away because there is too much to do."""

import msgspec

from foretaste.app.http.asgi.exchange import Response
from foretaste.app.http.asgi.problems import PROBLEM_JSON, HttpError, problem_of

RETRY_SECONDS = 1

REFUSAL = Response(
    msgspec.json.encode(
        problem_of(
            HttpError(503, f"too many requests at once; try again in {RETRY_SECONDS} s", kind="overloaded"),
            legacy=True,
        )
    ),
    503,
    (
        (b"content-type", PROBLEM_JSON),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"%d" % RETRY_SECONDS),
    ),
)
