"""Learning on what does not judge, and judging on the rest: the protocols of `foretaste evaluate`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foretaste.domain.arrays import Ordinals
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.event import EventColumns
from foretaste.domain.interactions import Interactions
from foretaste.evaluation.judgement import Advance, Groups, Judgement, Surroundings, unheard
from foretaste.evaluation.liveness import Liveness, measure_liveness
from foretaste.evaluation.profiles import profiles_before
from foretaste.evaluation.replay import drawn
from foretaste.events.weights import weigh
from foretaste.features.attribute_column import attribute_column
from foretaste.features.catalog_columns import CATEGORY, CatalogColumns
from foretaste.models.interface import Model
from foretaste.pipeline.artifact import Artifact, assemble
from foretaste.ranking.blend import Blend
from foretaste.ranking.calibration import Calibration
from foretaste.training.composition import Composition
from foretaste.training.config import Progress, silent
from foretaste.training.corpus import Corpus, joined
from foretaste.training.evaluate import UNPUBLISHED, judge_all, learn_blend, state_before, surroundings
from foretaste.training.fit import fit_sources
from foretaste.training.peers import Peer, WithPeers
from foretaste.training.prepare import Prepared
from foretaste.training.publish import version_of
from foretaste.training.tune import tune

FitPeers = Callable[[Interactions, int], Sequence[Peer]]
"""Fits the peers there are on interactions, with a seed."""

MOST_GROUPS = 12
OTHER = "other"
TRIED = 500
"""Around so many events it is looked whether an answer changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What was learnt before the judging part was opened; `version` is a digest of all of it.

    `models` and `blend` are those of `artifact`; `failures` says why sources were left out.
    """

    prepared: Prepared
    artifact: Artifact
    failures: Mapping[str, str]
    version: str

    @property
    def models(self) -> Mapping[str, Model]:
        """The fitted sources."""
        return self.artifact.models

    @property
    def blend(self) -> Blend:
        """How they are blended."""
        return self.artifact.blend

    def composition(self, *, sources: bool = True) -> Composition:
        """Return what ships with chance, and with `sources` each of these, as of the judging part."""
        prepared = self.prepared
        return Composition(
            prepared.corpus,
            state_before(prepared, prepared.test),
            self.artifact,
            prepared.config.scenario,
            sources=sources,
            seed=prepared.seed,
        )


def learn_before(prepared: Prepared, *, progress: Progress = silent) -> Learnt:
    """Fit the sources on the first part, tune and blend on the second; see nothing of the judging part.

    For a hold-out the sources are then fitted again, with all they chose, on both: what tuned is taken out
    of what a model may learn from. In time order and by sequence they stay as they are, and only the live
    state knows the tuning part.
    """
    catalog, seed = prepared.corpus.catalog, prepared.seed
    window = prepared.interactions(prepared.tune)
    fitted = fit_sources(
        prepared.sources, window, catalog, seed=seed, advance=lambda share: progress("fit", share)
    )
    models, config = fitted.models, prepared.config
    tuned = tune(
        prepared, models, prepared.budget, told=config.told, advance=lambda share: progress("tune", share)
    )
    models = models if tuned is None else tuned.models
    state = state_before(prepared, prepared.tune)
    blend = learn_blend(prepared, state, models, advance=lambda share: progress("blend", share))
    if prepared.kind == "hold-out":
        configs = {source: model.config for source, model in models.items()}
        window = prepared.interactions(prepared.test)
        progress("refit", 0.0)
        models = fit_sources(configs, window, catalog, seed=seed).models
        progress("refit", 1.0)
    version = version_of(models, blend, Calibration.flat(), _window(prepared), seed)
    return Learnt(
        prepared, assemble(models, blend, Calibration.flat(), UNPUBLISHED), fitted.failures, version
    )


def _window(prepared: Prepared) -> dict[str, int]:
    """Return what was learnt from, nothing of the judging part."""
    time = prepared.events.time[prepared.begin : prepared.test]
    return {"first_time": int(time.min()), "last_time": int(time.max()), "events": len(time)}


def judge_learnt(learnt: Learnt, peers: Sequence[Peer] = (), *, advance: Advance = unheard) -> Judgement:
    """Ask all on the judging part: by live replay, or statically where events have no times."""
    judged = WithPeers(learnt.composition(), peers, learnt.prepared)
    return judge_all(learnt.prepared, judged, advance=advance)


def peers_of(prepared: Prepared, fit: FitPeers) -> Sequence[Peer]:
    """Return peers that learnt from what our sources learnt from."""
    until = prepared.test if prepared.kind == "hold-out" else prepared.tune
    return fit(prepared.interactions(until), prepared.seed)


def liveness_of(learnt: Learnt) -> Liveness | None:
    """Return which shares of answers change with an event, are one's own, reach strangers.

    None where events have no times.
    """
    prepared = learnt.prepared
    if not prepared.timed:
        return None
    positions = np.flatnonzero(prepared.counts[prepared.test :]) + prepared.test
    tried = drawn(positions, TRIED, prepared.seed)
    return measure_liveness(
        prepared.events, tried, learnt.composition(sources=False), start=prepared.test, k=prepared.config.k
    )


def full_surroundings(learnt: Learnt, judgement: Judgement, groups: str | None = None) -> Surroundings:
    """Return all that lists are compared with; `groups` names an attribute, or `category` for the main one.

    Raises `InvalidInputError` for an attribute that no item has.
    """
    prepared = learnt.prepared
    position = judgement.position if prepared.timed else np.full(len(judgement), prepared.test)
    return replace(
        surroundings(prepared, learnt.models),
        profiles=profiles_before(prepared.events, prepared.counts, judgement.user, position),
        categories=prepared.corpus.catalog.categories,
        groups=None
        if groups is None
        else groups_of(prepared.corpus.catalog, groups, prepared.corpus.n_items),
    )


def groups_of(catalog: CatalogColumns, attribute: str, n_items: int) -> Groups:
    """Return the items by their main category or an attribute: the largest groups, the rest as one."""
    if attribute == CATEGORY:
        names, codes = list(catalog.category_names), catalog.main_category
    elif attribute in catalog.attribute_names:
        column = attribute_column(attribute, catalog.items)
        names, codes = list(column.codes), column.code
    else:
        known = ", ".join((CATEGORY, *sorted(catalog.attribute_names)))
        raise InvalidInputError(f"no item has the attribute {attribute!r}; there are {known}", field="groups")
    code = np.full(n_items, -1, np.int32)
    code[: len(codes)] = codes
    return _largest(names, code)


def _largest(names: Sequence[str], code: Ordinals) -> Groups:
    sizes = np.bincount(code[code >= 0], minlength=len(names))
    if len(names) <= MOST_GROUPS:
        return Groups(tuple(names), code)
    kept = np.argsort(-sizes, kind="stable")[: MOST_GROUPS - 1]
    place = np.full(len(names) + 1, len(kept), np.int32)
    place[kept] = np.arange(len(kept))
    place[-1] = -1
    return Groups((*(names[number] for number in kept), OTHER), place[code])


def with_test(prepared: Prepared, corpus: Corpus, test: EventColumns) -> Prepared:
    """Return `prepared`, which holds nothing to judge by, with `test` as its judging part.

    `corpus` has the names of both; `test` is in time order.
    """
    config, n = prepared.config, len(prepared.events)
    later = replace(test, previous_seq=n, seq=np.arange(n + 1, n + 1 + len(test), dtype=np.int64))
    weight = weigh(corpus.type_names, test.type, test.value, config.state.weights)
    consumed = config.scenario.consumed.difference(prepared.once)
    consuming = np.array([name in consumed for name in corpus.type_names], np.bool_)
    parts = f"{prepared.tune:,} / {n - prepared.tune:,} / {len(test):,} events to fit, to tune and to judge"
    return replace(
        prepared,
        corpus=corpus,
        events=joined([prepared.events, later]),
        weight=np.concatenate((prepared.weight, weight)),
        counts=np.concatenate((prepared.counts, weight > 0.0)),
        consuming=np.concatenate((prepared.consuming, consuming[test.type])),
        test=n,
        words=f"as given: {parts}",
    )
