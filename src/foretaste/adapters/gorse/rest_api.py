"""A running Gorse, read over its REST API page by page."""

import http.client
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from foretaste.adapters.files.rows import Reject
from foretaste.adapters.gorse.records import GorseKind, GorseRecord, record_of
from foretaste.domain.errors import InvalidInputError, UnavailableError

PAGE = 1_000
TIMEOUT_SECONDS = 60.0
ATTEMPTS = 4
PAUSE_SECONDS = 0.5
KEYS: dict[GorseKind, str] = {"users": "Users", "items": "Items", "feedback": "Feedback"}
EXCERPT = 200


class GorseApi:
    """The Gorse server at `url`; `api_key` is what its setting `server.api_key` says.

    A page that fails for a reason that may pass is asked for again, a few times. Raises `InvalidInputError`
    for an address that is none, or a key that is refused, and `UnavailableError` where Gorse stays away.
    """

    def __init__(self, url: str, api_key: str = "", sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInputError(
                f"{url!r} is no address of a Gorse server; write it as http://127.0.0.1:8087", field="source"
            )
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self._base = parts.path.rstrip("/").removesuffix("/api")
        self._url = url
        self._headers = {"Accept": "application/json", "X-API-Key": api_key}
        self._sleep = sleep

    def batches(self, kind: GorseKind) -> Generator[list[tuple[int, GorseRecord] | Reject]]:
        """Return records in pieces, each with its number."""
        with closing(self._connection):
            yield from self._pages(kind)

    def _pages(self, kind: GorseKind) -> Iterator[list[tuple[int, GorseRecord] | Reject]]:
        cursor, number, seen = "", 0, set[str]()
        while True:
            page = self._page(kind, cursor)
            records = page.get(KEYS[kind]) or []
            yield [(number + at, record_of(raw)) for at, raw in enumerate(records, 1)]
            number += len(records)
            cursor = page.get("Cursor") or ""
            if not cursor:
                return
            if cursor in seen:
                raise UnavailableError(f"{self._url} gives the same page of {kind} again and again")
            seen.add(cursor)

    def _page(self, kind: GorseKind, cursor: str) -> dict[str, Any]:
        target = f"{self._base}/api/{kind}?{urlencode({'cursor': cursor, 'n': PAGE})}"
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(PAUSE_SECONDS * 2.0**attempt)
            try:
                status, body = self._get(target)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                reason = str(error) or type(error).__name__
                continue
            if status == http.client.OK:
                return self._decoded(target, body)
            reason = f"it answered {status}: {body[:EXCERPT].decode('utf-8', 'replace')}"
            if status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
                raise InvalidInputError(f"{self._url}: {reason}; give its key by --api-key", field="api_key")
            if status < http.client.INTERNAL_SERVER_ERROR:
                raise InvalidInputError(f"{self._url}{target}: {reason}", field="source")
        raise UnavailableError(f"{self._url} cannot be read: {reason}", field="source")

    def _get(self, target: str) -> tuple[int, bytes]:
        self._connection.request("GET", target, headers=self._headers)
        with self._connection.getresponse() as response:
            return response.status, response.read()

    def _decoded(self, target: str, body: bytes) -> dict[str, Any]:
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidInputError(
                f"{self._url}{target} does not answer as Gorse: {error}", field="source"
            ) from error
