"""The servers that the settings name, looked at one by one."""

from collections.abc import Callable, Iterator

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.archive_wiring import open_archive
from foretaste.app.cli.findings import Finding, finding_of
from foretaste.app.settings import Settings
from foretaste.app.stores import schema_of
from foretaste.app.vector_indexes import IN_PROCESS, PGVECTOR, require_index
from foretaste.app.worker_wiring import topics_of
from foretaste.domain.check import Check
from foretaste.domain.errors import ForetasteError, MissingExtraError
from foretaste.domain.extras import with_extra

POSTGRES = "PostgreSQL"


def server_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is found of every server that is set; one that is away is a problem, and ends nothing."""
    looks: tuple[tuple[str, str, Callable[[Settings], list[Check]]], ...] = (
        (POSTGRES, settings.database_url, _postgres),
        ("Redis", settings.redis_url, _redis),
        ("Kafka", settings.kafka_url, _kafka),
        ("archive", settings.archive_url, _archive),
        ("vector index", _at_a_server(settings.vector_index), _vectors),
    )
    for about, url, look in looks:
        if not url:
            continue
        try:
            found = look(settings)
        except MissingExtraError as error:
            words, _, remedy = error.message.rpartition(": ")
            yield Finding(level="problem", about=about, words=words, remedy=remedy)
        except ForetasteError as error:
            setting = "archive_url" if error.field == "archive" else error.field
            remedy = f"start it, or correct {setting}" if setting else "start it"
            yield Finding(level="problem", about=about, words=error.message, remedy=remedy)
        else:
            yield from (finding_of(about, check) for check in found)


def _postgres(settings: Settings) -> list[Check]:
    checks = with_extra("foretaste.adapters.postgres.checks", "database_url")
    found: list[Check] = checks.checks_of(settings.database_url, schema_of(settings))
    return found


def _redis(settings: Settings) -> list[Check]:
    checks = with_extra("foretaste.adapters.redis.checks", "redis_url")
    found: list[Check] = checks.checks(settings.redis_url, MemoryTelemetry())
    return found


def _kafka(settings: Settings) -> list[Check]:
    checks = with_extra("foretaste.adapters.kafka.checks", "kafka_url")
    topics = topics_of(settings)
    found: list[Check] = checks.checks(settings.kafka_url, [topics.events, topics.log, topics.dead])
    return found


def _at_a_server(vector_index: str) -> str:
    """Return the choice of a vector index where it is none of this process."""
    return "" if vector_index in IN_PROCESS else vector_index


def _vectors(settings: Settings) -> list[Check]:
    require_index(settings)
    if settings.vector_index == PGVECTOR:
        return []  # what is to be said of it is said of the database
    checks = with_extra("foretaste.adapters.qdrant.checks", "vector_index")
    found: list[Check] = checks.checks(settings.vector_index, settings.namespace, MemoryTelemetry())
    return found


def _archive(settings: Settings) -> list[Check]:
    reached = open_archive(settings.archive_url, namespace=settings.namespace).last_seq()
    words = f"events up to number {reached:,} are in {settings.archive_url}"
    return [
        Check(
            level="good" if reached else "note", words=words, remedy=None if reached else "foretaste archive"
        )
    ]
