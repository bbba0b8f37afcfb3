"""How the weights of a blend are found: forms compete, the winner is fitted on all samples."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.ranking.contexts import N_CONTEXTS
from foretaste.ranking.listwise import fit_weights, gains, sharpen, to_log_odds
from foretaste.ranking.samples import SampleTable

BLENDS = ("by context", "common")
"""The forms of a blend proper; any other form is the number of a single source."""


class BlendOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the blend is learnt."""

    least_boost: float = 0.1
    """The boost's weight is never below this: the last hour's categories always count (in log odds)."""

    prior: float = 50.0
    """The pull of a context's weights to those of the wider one, as a number of samples."""

    fewest: int = 30
    """With fewer usable samples nothing is learnt and all sources count alike."""

    most: int = 6000
    """More samples than this are thinned out evenly at random."""

    least_part: float = 0.06
    """What weighs less than this part of a context's weightiest source is not heard there: it only costs."""

    judged: float = 0.4
    """The latest part of the samples, on which the forms of blend are compared."""

    anchor: float = 1.0
    """The pull of the sharpened weights that all share to the likeliest."""

    returning: float = 200.0
    """On coming back, outside of sessions, the pull to strangers' weights and half the common ones."""

    visits: int = 150
    """On coming back weights are sharpened from so many visits on; of fewer, strangers tell more."""

    practised: float = 1000.0
    """On coming back, the pull of the weights of a length of history to those of all lengths."""

    alike: float = 0.25
    """How far a person's samples say the same: pulls are this times as strong for each sample of a person."""

    settled: float = 30_000.0
    """For strangers, and where they tell on coming back, the pull of sharpened weights to the likeliest."""

    def for_people(self, table: SampleTable) -> "BlendOptions":
        """Return the options with pulls as strong as the samples of `table` are dependent.

        Thousands of samples of a few heavy users say no more than hundreds of many people would.
        """
        each = max(1.0, self.alike * len(table) / max(table.people(), 1.0))
        return msgspec.structs.replace(self, prior=each * self.prior, anchor=each * self.anchor)


LEAST_FACTOR = 1e-3
"""Weights are not sharper than log odds by more than one over this."""

KEPT = 0.25
"""In every context a source keeps this part of its common weight: people who come back stay people."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Weights float64 [N_CONTEXTS, len(sources) + 1]; `sources` are column numbers, rising.

    `sharpness`: see `Blend`.
    """

    sources: tuple[int, ...]
    weights: Doubles
    form: str
    report: Mapping[str, float]
    sharpness: float = 1.0


def fitted(
    table: SampleTable, n_sources: int, options: BlendOptions, strangers: Doubles | None = None
) -> Found:
    """Return the form that wins on the latest part of `table`, fitted on all of it.

    Sources that never proposed anything are none. `strangers` float64 [n_sources + 1] are the weights,
    in log odds, of people without a history, whom those who come back resemble; None where there are none.
    """
    telling = np.flatnonzero(table.proposed.any(axis=0))
    if len(telling) < n_sources:
        alike = None if strangers is None else strangers[[*telling, -1]]
        found = fitted(table.among(telling), len(telling), options, alike)
        places = tuple([int(telling[source]) for source in found.sources])
        renamed = {
            form if form in BLENDS else str(telling[int(form)]): gain for form, gain in found.report.items()
        }
        form = found.form if found.form in BLENDS else str(telling[int(found.form)])
        return Found(places, found.weights, form, renamed, found.sharpness)
    cut = int(len(table) * (1.0 - options.judged))
    early, late = table.take(np.arange(cut)), table.take(np.arange(cut, len(table)))
    _, common = _fit_common(early, options)
    rows = _by_context(early, common, options, strangers)
    gained = {"by context": judge_by_context(late, rows), "common": gains(late, common)}
    own = None if strangers is None else _own_on_return(early, common, rows, options)
    if own is not None:
        by_own = judge_by_context(late, own)
        if _lead(gained["by context"], by_own, late.visit) <= 1.0:
            strangers, gained["by context"] = None, by_own
    for source in range(n_sources):
        gained[str(source)] = gains(late, np.eye(1, n_sources + 1, source)[0])
    form = _winner(gained, late.visit)
    report = {name: float(gain.mean()) for name, gain in gained.items()}
    if form not in BLENDS:
        return Found((int(form),), _alone(table, int(form), options), form, report)
    likely, common = _fit_common(table, options)
    loud = _part(likely) + _part(common) >= 2.0 * options.least_part
    if form == "by context" and strangers is not None and _is_mixed(table):
        loud |= _part(strangers) >= 2.0 * options.least_part
    heard = np.flatnonzero(loud)
    if not len(heard):  # none foretells anything: all go on alike
        heard = np.arange(n_sources)
    if len(heard) < n_sources:
        table = table.among(heard)
        _, common = _fit_common(table, options)
        strangers = None if strangers is None else strangers[[*heard, -1]]
    factor = to_log_odds(table, common)
    parts = {context: table.take(_of(table, context)) for context in np.unique(table.context).tolist()}
    rows = np.tile(common, (N_CONTEXTS, 1))
    if form == "by context":
        rows = _by_context(table, common, options, strangers)
        calm = strangers is not None and _is_mixed(table)
        rows, parts = _quieted(rows, parts, common, options, calm=calm)
    weights = _in_log_odds(parts, rows, factor, options)
    return Found(tuple(heard.tolist()), weights, form, report, 1.0 / max(factor, LEAST_FACTOR))


def _own_on_return(
    table: SampleTable, common: Doubles, rows: Doubles, options: BlendOptions
) -> Doubles | None:
    """Return `rows`, fitted on `table`, but for those who come back sharpened weights, as in a session.

    None where there is but one session state, or where their visits are too few to sharpen weights on.
    """
    back = np.flatnonzero(table.context % 2 == 0)
    if not _is_mixed(table) or len(np.unique(table.visit[back])) < options.visits:
        return None
    least = np.maximum(_least(table.columns.shape[1] - 1, options), KEPT * common)
    own = rows.copy()
    own[::2] = _sharpened(table, 0, common, least, options)[::2]
    return own


def _part(weights: Doubles) -> Doubles:
    """Return each source's weight over the largest, float64 [n_sources]."""
    return np.asarray(weights[:-1] / max(float(weights[:-1].max()), np.finfo(np.float64).tiny))


def _fit_common(table: SampleTable, options: BlendOptions) -> tuple[Doubles, Doubles]:
    """Return one row of weights: the likeliest, and these sharpened."""
    n_sources = table.columns.shape[1] - 1
    least = _least(n_sources, options)
    even = np.append(np.full(n_sources, 1.0 / n_sources), options.least_boost)
    likely = fit_weights(table, start=even, least=least, prior=1.0)
    return likely, sharpen(table, start=likely, least=least, prior=options.anchor)


def _by_context(
    table: SampleTable, common: Doubles, options: BlendOptions, strangers: Doubles | None
) -> Doubles:
    """Return a row for every context, drawn to its session state's row, that one to `common`.

    Where all samples are of one session state the other's rows are alike.
    """
    least = np.maximum(_least(table.columns.shape[1] - 1, options), KEPT * common)
    if strangers is not None and _is_mixed(table):
        centre = 0.5 * common + strangers / max(to_log_odds(table, common), LEAST_FACTOR)
        rows = _returning(table, centre, least, options)
    else:
        rows = _sharpened(table, 0, common, least, options)
    within = _sharpened(table, 1, common, least, options)
    if not (table.context % 2 == 0).any():
        return np.repeat(within[1::2], 2, axis=0)
    if (table.context % 2 == 1).any():
        rows[1::2] = within[1::2]
    return rows


def _sharpened(
    table: SampleTable, in_session: int, common: Doubles, least: Doubles, options: BlendOptions
) -> Doubles:
    """Return a row for every context, sharpened on one session state, each drawn to the wider one."""
    own = np.flatnonzero(table.context % 2 == in_session)
    if not len(own):
        return np.tile(common, (N_CONTEXTS, 1))
    wider = sharpen(table.take(own), start=common, least=least, prior=options.prior)
    rows = np.tile(wider, (N_CONTEXTS, 1))
    for context in np.unique(table.context[own]).tolist():
        part = table.take(np.flatnonzero(table.context == context))
        rows[context] = sharpen(part, start=wider, least=least, prior=options.prior)
    return rows


def _returning(table: SampleTable, centre: Doubles, least: Doubles, options: BlendOptions) -> Doubles:
    """Return the rows of those who come back, drawn to `centre`.

    Of them there are few samples, and each stands for a whole visit, of which a list should hold as much as
    it can, not one item high up: so they are the likeliest weights rather than the sharpest.
    """
    back = table.take(np.flatnonzero(table.context % 2 == 0))
    likely = fit_weights(back, start=centre, least=least, prior=options.returning)
    wider = sharpen(back, start=likely, least=least, prior=options.settled)
    rows = np.tile(wider, (N_CONTEXTS, 1))
    for context in np.unique(back.context).tolist():
        part = back.take(np.flatnonzero(back.context == context))
        rows[context] = fit_weights(part, start=wider, least=least, prior=options.practised)
    return rows


def _is_mixed(table: SampleTable) -> bool:
    """Return whether there are samples of both session states."""
    in_session = table.context % 2 == 1
    return bool(in_session.any() and not in_session.all())


def _quieted(
    rows: Doubles, parts: Mapping[int, SampleTable], common: Doubles, options: BlendOptions, *, calm: bool
) -> tuple[Doubles, dict[int, SampleTable]]:
    """Return `rows` and the samples `parts` of their contexts, without sources that hardly weigh there.

    These weigh 0, propose nothing and have no part in the union over which the others are standardized: just
    as in an answer. What is left is fitted again on those samples, near what it was and in the same way: as
    the likeliest for those who come back if that is `calm`. The weightiest of the `common` sources is heard
    everywhere.
    """
    quieted, left = rows.copy(), dict(parts)
    for context in range(N_CONTEXTS):
        loud = _part(rows[context]) >= options.least_part
        loud[common[:-1].argmax()] = True
        if loud.all() or not loud.any():
            continue
        quieted[context, :-1][~loud] = 0.0
        if context not in parts:
            continue
        kept = np.flatnonzero(loud)
        part = parts[context].among(kept)
        start = rows[context][[*kept, -1]]
        least = np.maximum(_least(len(kept), options), KEPT * common[[*kept, -1]])
        if calm and context % 2 == 0:
            own = fit_weights(part, start=start, least=least, prior=options.practised)
        else:
            own = sharpen(part, start=start, least=least, prior=options.prior)
        quieted[context, [*kept, -1]] = own
        left[context] = _spread_out(part, kept, len(loud))
    return quieted, left


def _spread_out(part: SampleTable, kept: Int64s, n_sources: int) -> SampleTable:
    """Return `part`, whose columns are those of `kept`, with zeros for all other sources."""
    columns = np.zeros((len(part.columns), n_sources + 1), np.float32)
    columns[:, [*kept, -1]] = part.columns
    proposed = np.zeros((len(part.columns), n_sources), np.bool_)
    proposed[:, kept] = part.proposed
    return replace(part, columns=columns, proposed=proposed)


def _of(table: SampleTable, context: int) -> Int64s:
    return np.flatnonzero(table.context == context)


def _in_log_odds(
    parts: Mapping[int, SampleTable], rows: Doubles, factor: float, options: BlendOptions
) -> Doubles:
    """Return `rows`, each times what makes scores log odds in its part; drawn to `factor`, that of all."""
    scaled = rows * factor
    for context, part in parts.items():
        own = to_log_odds(part, rows[context], start=factor, prior=options.prior)
        scaled[context] = rows[context] * own
    return np.asarray(np.maximum(scaled, _least(scaled.shape[1] - 1, options)))


def _alone(table: SampleTable, source: int, options: BlendOptions) -> Doubles:
    """Return the rows of one source beside the boost, in log odds."""
    columns = np.ascontiguousarray(table.columns[:, [source, -1]])
    least = _least(1, options)
    start = np.array([1.0, options.least_boost])
    weights = fit_weights(replace(table, columns=columns), start=start, least=least, prior=1.0)
    return np.tile(weights, (N_CONTEXTS, 1))


def _winner(gained: Mapping[str, Doubles], visit: Int64s) -> str:
    """Return the form that wins: a later one only if it is surely ahead.

    By context comes first: its weights are drawn to the common ones where samples are few. Common weights
    must be ahead by a standard error, a source alone by as many as the best of so many sources would be by
    chance, √(2 ln n).
    """
    by_context, common = BLENDS
    alone = [form for form in gained if form not in BLENDS]
    best = common if _lead(gained[common], gained[by_context], visit) > 1.0 else by_context
    source = max(alone, key=lambda form: gained[form].mean())
    chance = max(1.0, np.sqrt(2.0 * np.log(len(alone))))
    return source if _lead(gained[source], gained[best], visit) > chance else best


def _lead(gained: Doubles, other: Doubles, visit: Int64s) -> float:
    """Return by how many standard errors of the difference `gained` is ahead of `other`.

    Only visits are independent, so the error is that of sums over the samples of each `visit`; of one
    visit alone nothing is known.
    """
    ahead = gained - other
    apart = sums_apart(ahead, visit)
    if len(apart) < 2:
        return 0.0
    error = math.sqrt(float((apart**2).sum()) * len(apart) / (len(apart) - 1))
    return float(ahead.sum()) / max(error, float(np.finfo(np.float64).tiny))


def sums_apart(values: Doubles, visit: Int64s) -> Doubles:
    """Return for each visit how far the sum of its values is from what their mean would come to."""
    _, group = np.unique(visit, return_inverse=True)
    return np.asarray(np.bincount(group, weights=values - values.mean()))


def _least(n_sources: int, options: BlendOptions) -> Doubles:
    return np.append(np.zeros(n_sources), options.least_boost)


def best_alone(table: SampleTable) -> int:
    """Return the number of the source of the highest mean NDCG@10 by itself."""
    n_sources = table.columns.shape[1] - 1
    return int(np.argmax([gains(table, alone).mean() for alone in np.eye(n_sources, n_sources + 1)]))


def judge_by_context(table: SampleTable, rows: Doubles) -> Doubles:
    """Return NDCG@10 of each sample under the row of weights of its context, float64 [len(table)]."""
    gained = np.zeros(len(table))
    for context in np.unique(table.context).tolist():
        chosen: Int64s = np.flatnonzero(table.context == context)
        gained[chosen] = gains(table.take(chosen), rows[context])
    return gained
