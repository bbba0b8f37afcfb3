"""Optional drivers: which extra brings which, and the error that says how to install it."""

from importlib import import_module
from types import ModuleType

from foretaste.domain.errors import MissingExtraError

EXTRA_OF_MODULE = {
    "confluent_kafka": "kafka",
    "deltalake": "delta",
    "faiss": "faiss",
    "httptools": "serve",
    "httpx": "client",
    "jax": "neural",
    "jaxlib": "neural",
    "lightgbm": "ranker",
    "matplotlib": "plots",
    "optax": "neural",
    "prometheus_client": "serve",
    "psycopg": "postgres",
    "psycopg_pool": "postgres",
    "qdrant_client": "qdrant",
    "redis": "redis",
    "sklearn": "nmf",
    "tokenizers": "text",
    "uvicorn": "serve",
}


def with_extra(module: str, field: str) -> ModuleType:
    """Return a module that needs an optional driver, imported only now: others do without it and its cost.

    Raises `MissingExtraError` where the driver is missing; it names `field`, the setting or parameter that
    asked for it, and the extra.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = missing_extra(error, field)
        if missing is None:
            raise
        raise missing from error


def missing_extra(error: ModuleNotFoundError, field: str | None = None) -> MissingExtraError | None:
    """Return the error that says what to install for `field`; None for a module that no extra brings."""
    driver = (error.name or "").partition(".")[0]
    extra = EXTRA_OF_MODULE.get(driver)
    if extra is None:
        return None
    words = f"{field or 'this'} needs the package {driver}: pip install 'foretaste[{extra}]'"
    return MissingExtraError(words, field=field or extra)
