"""Features: what is remembered of users, items and the catalog, as folds of the log."""

from foretaste.features.warming import warm_up

__all__ = ["warm_up"]
