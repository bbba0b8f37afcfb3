"""The optional part `neural`: JAX and optax, which take seconds to import and serving can do without."""

from importlib import import_module
from types import ModuleType

from foretaste.domain.errors import MissingExtraError

LIBRARIES = frozenset({"jax", "jaxlib", "optax"})


def training_of(name: str) -> ModuleType:
    """Return this package's module `name`, which trains; raise `MissingExtraError` without its libraries."""
    try:
        return import_module(f"foretaste.models.neural.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in LIBRARIES:
            raise
        raise MissingExtraError(
            f"neural models need {error.name} to be trained: pip install 'foretaste[neural]'", field="models"
        ) from error
