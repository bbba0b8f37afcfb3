"""The sources that are vectors or item-to-item rows, opened to items that come after training."""

from collections.abc import Mapping

from foretaste.domain.interactions import Interactions
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.cold_items import BASES, ColdItemsConfig, content_of
from foretaste.models.interface import Model
from foretaste.training.prepare import Prepared

USUAL_FEATURES = 10_000
"""So many words of the catalog are known where nothing else is said."""


def opened(prepared: Prepared, models: Mapping[str, Model]) -> Mapping[str, Model]:
    """Return `models`, fitted on the first part of the window, open to new items.

    Sources that somebody chose stay as they were chosen, and a quick training has no time for it.
    """
    if prepared.config.sources is not None or prepared.config.effort == "quick":
        return models
    window = prepared.interactions(prepared.tune)
    return open_to_newcomers(
        models,
        window,
        prepared.corpus.catalog,
        seed=prepared.seed,
        max_features=prepared.config.max_features or USUAL_FEATURES,
    )


def open_to_newcomers(
    models: Mapping[str, Model],
    interactions: Interactions,
    catalog: CatalogColumns,
    *,
    seed: int,
    max_features: int = USUAL_FEATURES,
) -> dict[str, Model]:
    """Return the fitted `models`, those that can be being `ColdItems` around what was fitted.

    A model stays as it is where the catalog describes too few items, or where foretelling new items would
    make it worse on what is held out. What the catalog says is read once for all of them.
    """
    config = {source: model.config for source, model in models.items() if _is_plain(model)}
    opened = dict(models)
    if not config:
        return opened
    usual = ColdItemsConfig(base=next(iter(config.values())), max_features=max_features)
    content = content_of(interactions, seed, catalog, usual)
    if content is None:
        return opened
    for source, base in config.items():
        learner = ColdItemsConfig(base=base, max_features=max_features)
        opened[source] = learner.around(models[source], interactions, seed, catalog, content)
    return opened


def _is_plain(model: Model) -> bool:
    return isinstance(model, tuple(BASES.values()))
