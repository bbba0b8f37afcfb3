"""Which vector index the setting `vector_index` means."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from foretaste.adapters.index_file import corrupt_index, kind_of
from foretaste.adapters.memory.vector_index import MemoryVectorIndex
from foretaste.app.settings import Settings
from foretaste.app.stores import schema_of
from foretaste.domain.errors import InvalidInputError, MissingExtraError
from foretaste.domain.extras import with_extra
from foretaste.ports.telemetry import Telemetry
from foretaste.ports.vector_index import VectorIndex

IN_PROCESS = ("auto", "flat", "ivf", "hnsw")
PGVECTOR = "pgvector"
QDRANT_SCHEMES = ("qdrant://", "qdrants://", "http://", "https://")


def _nothing() -> None:
    """Release nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenIndex:
    """An index, and what releases its connections."""

    index: VectorIndex
    close: Callable[[], None] = _nothing


def require_index(settings: Settings) -> None:
    """Raise `InvalidInputError` where `vector_index` means nothing, or a database that is not set."""
    choice = settings.vector_index
    if choice == PGVECTOR:
        _require_database(settings)
    elif choice not in IN_PROCESS and not choice.startswith(QDRANT_SCHEMES):
        raise _no_index(choice)


def open_index(choice: str, settings: Settings, telemetry: Telemetry, name: str) -> OpenIndex:
    """Return an empty index of the kind `choice`, called `name` where a server keeps it.

    `auto` is exact in memory where FAISS is not installed. Raises `InvalidInputError` for what is no kind,
    `MissingExtraError` where its driver is missing, and `UnavailableError` where its server is away.
    """
    if choice in IN_PROCESS:
        return OpenIndex(_in_process(choice))
    if choice == PGVECTOR:
        return _pgvector(settings, name)
    if choice.startswith(QDRANT_SCHEMES):
        server = _adapter("qdrant.server").QdrantServer.at(choice, telemetry)
        index = _adapter("qdrant.vector_index").QdrantVectorIndex(server, settings.namespace, name)
        return OpenIndex(index, server.close)
    raise _no_index(choice)


def load_index(path: Path, settings: Settings, telemetry: Telemetry) -> OpenIndex:
    """Return the index that was saved at `path`, of whatever kind it is.

    Where a server keeps it, that is the one of `settings`. Raises `CorruptArtifactError` for a damaged file.
    """
    kind = kind_of(path)
    if kind in {PGVECTOR, "qdrant"}:
        at_server = settings.vector_index == PGVECTOR or settings.vector_index.startswith(QDRANT_SCHEMES)
        if not at_server or (kind == PGVECTOR) != (settings.vector_index == PGVECTOR):
            raise InvalidInputError(
                f"the index {path.name!r} is kept by {kind}, but vector_index is"
                f" {settings.vector_index.partition('://')[0]!r}: set it to that server",
                field="vector_index",
            )
        opened = open_index(settings.vector_index, settings, telemetry, "loaded")
    elif kind == "memory":
        opened = OpenIndex(MemoryVectorIndex())
    elif kind == "faiss":
        opened = OpenIndex(_in_process("flat"))
    else:
        raise corrupt_index(path, "is of no known kind")
    try:
        opened.index.load(path)
    except BaseException:
        opened.close()
        raise
    return opened


def _in_process(choice: str) -> VectorIndex:
    try:
        index: VectorIndex = _adapter("faiss.vector_index").FaissVectorIndex(choice)
    except MissingExtraError:
        if choice != "auto":
            raise
        return MemoryVectorIndex()
    return index


def _no_index(choice: str) -> InvalidInputError:
    return InvalidInputError(
        f"vector_index must be {', '.join(IN_PROCESS)}, {PGVECTOR} or the URL of a Qdrant server as"
        f" qdrant://host:6333, not {choice.partition('://')[0]!r}",
        field="vector_index",
    )


def _require_database(settings: Settings) -> None:
    if not settings.database_url:
        raise InvalidInputError(
            "vector_index is pgvector, but no database is set: set database_url to a PostgreSQL",
            field="database_url",
        )


def _pgvector(settings: Settings, name: str) -> OpenIndex:
    _require_database(settings)
    database = _adapter("postgres.database").PostgresDatabase(
        settings.database_url, schema_of(settings), connections=settings.database_connections
    )
    try:
        index = _adapter("postgres.vector_index").PgVectorIndex(database, name)
    except BaseException:
        database.close()
        raise
    return OpenIndex(index, database.close)


def _adapter(module: str) -> ModuleType:
    return with_extra(f"foretaste.adapters.{module}", "vector_index")
