"""The names under which models are asked for: stable ones for groups of sources, and each source's own."""

from collections.abc import Mapping
from types import MappingProxyType

from foretaste.domain.errors import UnknownModelError
from foretaste.pipeline.artifact import Artifact

HYBRID = "hybrid"
"""All sources, blended: what answers where no model is named."""

GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "content": frozenset({"content", "latent", "vectors"}),
        "ncf": frozenset({"ncf"}),
    }
)
"""Name → the kinds of models that it stands for; blended with each other as they are in the whole."""


def model_names(artifact: Artifact) -> tuple[str, ...]:
    """Return every name that `sources_called` finds: `hybrid`, then groups, then single sources."""
    groups = [name for name in GROUPS if _members(name, artifact)]
    return (HYBRID, *dict.fromkeys([*groups, *sorted(artifact.models)]))


def sources_called(name: str, artifact: Artifact) -> tuple[str, ...] | None:
    """Return the sources that `name` stands for; None, which is all of them, for `hybrid`.

    Raises `UnknownModelError`, which lists the names there are.
    """
    if name == HYBRID:
        return None
    members = _members(name, artifact) or ((name,) if name in artifact.models else ())
    if not members:
        known = ", ".join(model_names(artifact))
        raise UnknownModelError(f"no model is called {name[:80]!r}; there are {known}", field="model")
    return members


def _members(name: str, artifact: Artifact) -> tuple[str, ...]:
    kinds = GROUPS.get(name, frozenset())
    return tuple(source for source, model in artifact.models.items() if model.name in kinds)
