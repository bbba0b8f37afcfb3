"""The one place that assembles a home out of adapters."""

import random
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from foretaste.adapters.directory.model_registry import DirectoryModelRegistry
from foretaste.adapters.memory.answer_cache import MemoryAnswerCache
from foretaste.adapters.memory.page_memory import MemoryPageMemory
from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.home import Home
from foretaste.app.settings import Settings
from foretaste.app.settings_loading import load_settings
from foretaste.app.stores import (
    Stores,
    models_directory,
    stores_at,
    stores_in_memory,
)
from foretaste.app.text_vectors import TextVectors
from foretaste.domain.errors import NotFoundError
from foretaste.domain.extras import with_extra
from foretaste.ports.answer_cache import AnswerCache
from foretaste.ports.telemetry import Telemetry
from foretaste.serving.answer_cache import AnswerCacheFront
from foretaste.serving.breaker import Breaker
from foretaste.serving.measures import begin_counting
from foretaste.serving.pages import Pages
from foretaste.training.load import load_artifact


def open_home(
    directory: Path,
    *,
    settings: Settings | None = None,
    create: bool = False,
    read_only: bool = False,
    beside: bool = False,
    with_model: bool = True,
    telemetry: Telemetry | None = None,
) -> Home:
    """Open the home in `directory`, with its own settings unless others are given.

    With `create` it is made if absent. Where the setting `database_url` names a PostgreSQL, that holds all
    but models and snapshots, and any number of replicas may have it, each with a directory of its own, or
    the directory of another one with `beside`: for those who write, but do not answer. Without it one process
    has the home at a time, unless `read_only`: that is the home as it is now, beside the process that writes
    it, and nothing can be changed through it. The champion serves, unless `with_model` is off (`refresh`
    takes it later).

    Raises `NotFoundError` where there is no home, `UnavailableError` where another process has it, and
    `CorruptArtifactError` where the champion is damaged.
    """
    if not create and not directory.is_dir():
        raise NotFoundError(
            f"there is no home at {directory}: foretaste ingest creates one, --home names another",
            field="home",
        )
    chosen = load_settings(directory) if settings is None else settings
    measures = MemoryTelemetry() if telemetry is None else telemetry
    stores = stores_at(directory, chosen, measures, read_only=read_only, beside=beside)
    home = home_of(directory, chosen, stores, measures)
    try:
        if with_model:
            home.refresh()
    except BaseException:
        home.close()
        raise
    return home


def home_in_memory(settings: Settings | None = None) -> Home:
    """Return an empty home that ends with the process; it reads no settings but those given."""
    chosen = Settings() if settings is None else settings
    return home_of(None, chosen, stores_in_memory(chosen), MemoryTelemetry())


def home_registry(directory: Path) -> DirectoryModelRegistry:
    """Return the models of the home in `directory`; raise `NotFoundError` where there is no home."""
    if not directory.is_dir():
        raise NotFoundError(f"there is no home at {directory}: --home names another", field="home")
    return DirectoryModelRegistry(models_directory(directory, load_settings(directory)))


def home_of(
    directory: Path | None,
    settings: Settings,
    stores: Stores,
    telemetry: Telemetry,
    make: Callable[..., Home] = Home,
) -> Home:
    """Return what `make` makes of these parts; `directory` is None for a home in memory.

    Where that fails the stores are closed.
    """
    begin_counting(telemetry)
    try:
        models = None if directory is None else models_directory(directory, settings)
        return make(
            directory=directory,
            settings=settings,
            stores=stores,
            registry=None if models is None else DirectoryModelRegistry(models),
            load=load_artifact,
            telemetry=telemetry,
            text_vectors=_text_vectors(settings, None if models is None else models.parent),
            cache=_answer_cache(settings, telemetry),
            pages=_pages(settings, telemetry),
        )
    except BaseException:
        stores.close()
        raise


def _answer_cache(settings: Settings, telemetry: Telemetry) -> AnswerCacheFront | None:
    """Return what keeps answers; raise `MissingExtraError` where that needs the extra `redis`."""
    where = settings.answer_cache
    if where == "auto":
        where = "redis" if settings.redis_url else "none"
    if where == "none":
        return None
    cache: AnswerCache = MemoryAnswerCache(ttl_seconds=settings.answer_cache_seconds)
    if where == "redis":
        wiring = with_extra("foretaste.app.online_wiring", "redis_url")
        cache = wiring.redis_answer_cache(settings, telemetry)
    return AnswerCacheFront(
        cache,
        telemetry,
        breaker=Breaker(random=random.random),
        item_state_seconds=settings.item_state_seconds,
    )


def _pages(settings: Settings, telemetry: Telemetry) -> Pages:
    """Return what remembers pages; raise `MissingExtraError` where that needs the extra `redis`."""
    memory = None
    if settings.redis_url:
        memory = with_extra("foretaste.app.online_wiring", "redis_url").redis_pages(settings, telemetry)
    own = MemoryPageMemory(ttl_seconds=settings.page_seconds)
    return Pages(own, telemetry, memory=memory, breaker=Breaker(random=random.random))


def _text_vectors(settings: Settings, folder: Path | None) -> TextVectors | None:
    """Return what makes vectors of texts; raise `MissingExtraError` without the extra `text`."""
    if not settings.text_model:
        return None
    # tokenizers is optional, and importing it costs what only those who use it should pay
    encoder = import_module("foretaste.adapters.text.encoder").FolderEncoder(settings.text_model)
    return TextVectors(encoder, folder)
