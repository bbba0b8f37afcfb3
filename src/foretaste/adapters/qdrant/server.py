"""A Qdrant server: its address, how long it is waited for, and its errors in our words."""

import random
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from foretaste.domain.errors import ForetasteError, InvalidInputError, MissingExtraError, UnavailableError
from foretaste.ports.telemetry import Telemetry

try:
    from qdrant_client import QdrantClient
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "the vector index `qdrant` needs its client: pip install 'foretaste[qdrant]'", field="vector_index"
    ) from error

T = TypeVar("T")

PORT = 6333
SCHEMES = {"qdrant": False, "qdrants": True, "http": False, "https": True}
"""The schemes of an URL, and whether they mean TLS."""
REQUEST_SECONDS = 2
"""How long one request may take that somebody waits for; the client takes whole seconds."""
WRITE_SECONDS = 60
"""How long one request may take that builds an index, and how long it is tried."""
ASK_SECONDS = 3.0
"""How long it is tried to get an answer, request by request."""
PAUSES = (0.02, 0.25)
"""Shortest and longest pause between attempts; each is drawn by lot, so that replicas do not come at once."""
MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
NOT_ALLOWED = frozenset({401, 403})


class QdrantServer:
    """A server behind `client`, and behind the more patient `builder`; both put up with what passes."""

    def __init__(
        self,
        client: QdrantClient,
        telemetry: Telemetry,
        *,
        builder: QdrantClient | None = None,
        where: str = "Qdrant",
    ) -> None:
        self.client = client
        self.where = where
        self._builder = client if builder is None else builder
        self._telemetry = telemetry

    @classmethod
    def at(cls, url: str, telemetry: Telemetry, *, seconds: int = REQUEST_SECONDS) -> "QdrantServer":
        """Return the server at `qdrant://host:port`, `qdrants://:key@host` (TLS and an API key) or http(s).

        Nothing is asked yet. Raises `InvalidInputError` for an URL that is none.
        """
        parts = urlsplit(url)
        try:
            port = PORT if parts.port is None else parts.port
        except ValueError as error:
            raise _bad_url(str(error)) from error
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise _bad_url("it needs a scheme and a host")
        client, builder = (
            QdrantClient(
                host=parts.hostname,
                port=port,
                https=SCHEMES[parts.scheme],
                api_key=unquote(parts.password) if parts.password else None,
                prefix=parts.path.strip("/") or None,
                timeout=patience,
                check_compatibility=False,
            )
            for patience in (seconds, WRITE_SECONDS)
        )
        return cls(client, telemetry, builder=builder, where=f"Qdrant at {parts.hostname}:{port}")

    def build(self, work: Callable[[QdrantClient], T]) -> T:
        """Return what `work` gives, with the patience that building needs; see `ask`.

        A server that is not there at all is said to be away as soon as by `ask`.
        """
        self.ask(lambda client: client.info())
        return self._tried(work, self._builder, WRITE_SECONDS)

    def ask(
        self, work: Callable[[QdrantClient], T], *, measured: str | None = None, seconds: float = ASK_SECONDS
    ) -> T:
        """Return what `work` gives, begun again while the server is away; it must be harmless to repeat.

        The time is observed as `measured`. Raises `UnavailableError` once `seconds` are over, and at once for
        what will not pass.
        """
        started = time.monotonic()
        try:
            return self._tried(work, self.client, seconds)
        finally:
            if measured is not None:
                self._telemetry.observe(measured, time.monotonic() - started)

    def close(self) -> None:
        """Release the connections."""
        self.client.close()
        self._builder.close()

    def _tried(self, work: Callable[[QdrantClient], T], client: QdrantClient, seconds: float) -> T:
        deadline = time.monotonic() + seconds
        pause = PAUSES[0]
        while True:
            try:
                return work(client)
            except (ApiException, QdrantException, OSError) as error:
                if not _may_pass(error) or deadline - time.monotonic() <= pause:
                    raise self._explained(error) from error
            time.sleep(random.uniform(0.0, pause))  # noqa: S311 # spreads attempts, hides nothing
            pause = min(2 * pause, PAUSES[1])

    def _explained(self, error: Exception) -> ForetasteError:
        if isinstance(error, UnexpectedResponse) and error.status_code in NOT_ALLOWED:
            return UnavailableError(
                f"{self.where} refuses the key: put the right one into the URL, as qdrants://:key@host",
                field="vector_index",
            )
        if isinstance(error, UnexpectedResponse) and error.status_code == 404:
            return UnavailableError(
                f"{self.where} does not have this index any more, it was built anew since;"
                " build or load the present one",
                field="vector_index",
            )
        return UnavailableError(
            f"{self.where} does not answer as it should ({error}); try again when it is back",
            field="vector_index",
        )


def _may_pass(error: Exception) -> bool:
    if isinstance(error, UnexpectedResponse):
        return error.status_code in MAY_PASS
    return isinstance(error, ResponseHandlingException | QdrantException | OSError)


def _bad_url(reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"this is no URL of a Qdrant server, as qdrant://host:{PORT} or https://host: {reason}",
        field="vector_index",
    )
