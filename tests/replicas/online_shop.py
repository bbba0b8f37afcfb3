"""Replicas of one shop on a PostgreSQL and a Redis, in one process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex

import msgspec

import foretaste as ft
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.testing.servers.postgres import drop_schema

SECONDS = 20.0


def settings_for(database: str, redis: str) -> Settings:
    """Return settings of a shop that nobody else uses."""
    name = f"t{token_hex(5)}"
    return Settings(
        namespace=name,
        database_url=database,
        database_connections=4,
        database_write_seconds=SECONDS,
        database_answer_seconds=SECONDS,
        redis_url=redis,
    )


@contextmanager
def replicas(folder: Path, settings: Settings, number: int = 2) -> Iterator[list[ft.Recommender]]:
    """Open the shop so many times; its tables go when it is closed."""
    with ExitStack() as opened:
        opened.callback(_drop, settings)
        yield [
            opened.enter_context(
                ft.Recommender(open_home(folder / str(place), settings=settings, create=True))
            )
            for place in range(number)
        ]


def measured(rec: ft.Recommender, name: str, **labels: str) -> float:
    """Return what was counted under a name."""
    wanted = name + (
        "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else ""
    )
    lines = rec.home.telemetry.exposition().decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(wanted + " ")), 0.0)


def is_trusted(rec: ft.Recommender) -> bool:
    """Whether a replica believes the online store."""
    return measured(rec, "online_store_trusted") == 1.0


def without_redis(settings: Settings) -> Settings:
    """Return the same shop on PostgreSQL alone."""
    return msgspec.structs.replace(settings, redis_url="")


def _drop(settings: Settings) -> None:
    drop_schema(settings.database_url, f"foretaste_{settings.namespace}")
