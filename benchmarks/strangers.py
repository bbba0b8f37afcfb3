"""People without a history: what their circumstances tell, beside popularity alone.

Only the first 80 % of the events by time are learnt from. Of those after them, the first liked items of
everyone who had no event before (the first five) are asked about one by one, each time as of a person
without a history: at the item's moment, with what is known of the person. Gains are over popularity of the
half-life that was chosen on the first part.

`python benchmarks/strangers.py` takes MovieLens-100K with age, gender, occupation; `--data DIR` a folder of
`events.parquet` (`user_id`, `item_id`, `timestamp`) and `users.parquet` (`user_id` and attributes).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

import foretaste as ft
from foretaste.adapters.files.event_table import Events
from foretaste.adapters.files.reading import read_events
from foretaste.app.importing import BATCH, import_events
from foretaste.app.wiring import home_in_memory
from foretaste.domain.arrays import Doubles, Int64s
from foretaste.domain.circumstances import circumstances_of, clock_of
from foretaste.domain.item import Attribute
from foretaste.evaluation.bootstrap import difference_interval, mean_interval
from foretaste.models.context_popularity import ContextPopularityConfig
from foretaste.models.interface import Learner, Model, Moment
from foretaste.models.popularity import PopularityConfig
from foretaste.training.config import TrainConfig
from foretaste.training.corpus import Corpus, read_corpus
from foretaste.training.evaluate import state_before
from foretaste.training.prepare import Prepared, prepare

SEED, K, LIKED, ASKED_EACH = 0, 10, 4.0, 5
OURS = "by circumstances"
DAY = 86_400.0
ALIKE = {30 * DAY: "popularity of a month", 7 * DAY: "popularity of a week", DAY: "popularity of a day"}


def corpus_of(events: Events, people: dict[str, dict[str, Attribute]]) -> Corpus:
    """Return the log with what is known of people."""
    home = home_in_memory()
    import_events(home.log, events.chunks(BATCH))
    corpus = read_corpus(home.log, home.id_map, home.catalog_columns)
    known = [people.get(name, {}) for name in home.id_map.names("user")]
    return replace(corpus, people=circumstances_of(known))


def retail(folder: Path) -> tuple[Events, dict[str, dict[str, Attribute]]]:
    """Return purchases and what is known of buyers."""
    users = pl.read_parquet(folder / "users.parquet")
    people = {str(row.pop("user_id")): row for row in users.iter_rows(named=True)}
    columns = ["user_id", "item_id", "timestamp"]
    frame = pl.read_parquet(folder / "events.parquet").select(columns).sort("timestamp")
    return read_events(frame.with_columns(pl.col("user_id").cast(pl.String)), event_type="purchase"), people


def asked_of(prepared: Prepared) -> Int64s:
    """Return the positions of the first liked items of those who had no event in the first part."""
    value = prepared.events.value
    liked = prepared.counts & (np.isnan(value) | (value >= LIKED))
    later = np.arange(prepared.tune, len(prepared.events))
    new = ~np.isin(prepared.events.user[later], prepared.events.user[: prepared.tune])
    rows = later[new & liked[later]]
    order = np.argsort(prepared.events.user[rows], kind="stable")
    _, begin, count = np.unique(prepared.events.user[rows][order], return_index=True, return_counts=True)
    rank = np.arange(len(rows)) - np.repeat(begin, count)
    return np.sort(rows[order[rank < ASKED_EACH]])


def gains(prepared: Prepared, models: dict[str, Model], asked: Int64s) -> dict[str, Doubles]:
    """Return the NDCG@10 of every question for each model, the state as it was after the first part."""
    state = state_before(prepared, prepared.tune)
    nothing = state.history(-1)
    found: dict[str, list[float]] = {name: [] for name in models}
    for position in asked.tolist():
        user, truth = int(prepared.events.user[position]), int(prepared.events.item[position])
        now = int(prepared.events.time[position])
        told = (*clock_of(now), *prepared.corpus.people.of(user))
        moment = Moment(now, state.items, prepared.corpus.catalog, circumstances=told)
        for name, model in models.items():
            score = model.score(nothing, moment)
            known = truth < len(score) and score[truth] > 0.0
            place = int((score > score[truth]).sum()) if known else K
            found[name].append(1.0 / np.log2(2.0 + place) if place < K else 0.0)
    return {name: np.array(values) for name, values in found.items()}


def main() -> int:
    """Print the table; return 1 if circumstances make it worse beyond doubt."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR")
    options = parser.parse_args()
    loaded = (
        retail(options.data)
        if options.data
        else (ft.datasets.movielens_100k(), ft.datasets.movielens_100k_people())
    )
    with threadpool_limits(limits=1, user_api="blas"):
        prepared = prepare(corpus_of(*loaded), TrainConfig(), SEED)
        window, catalog = prepared.interactions(prepared.tune), prepared.corpus.catalog
        learners: dict[str, Learner] = {
            "popularity": PopularityConfig(),
            **{name: PopularityConfig(half_life=seconds) for seconds, name in ALIKE.items()},
            OURS: ContextPopularityConfig(),
        }
        models: dict[str, Model] = {name: one.fit(window, SEED, catalog) for name, one in learners.items()}
        for name, model in models.items():
            print(f"{name}: {model.config}")
        asked = asked_of(prepared)
        values = gains(prepared, models, asked)
    users = prepared.events.user[asked]
    print(f"\n{len(asked)} first likes of {len(np.unique(users))} strangers, 95 % intervals by person\n")
    print("| | NDCG@10 | over popularity |\n|---|---|---|")
    worse = False
    for name, value in values.items():
        own = mean_interval(value, users, seed=SEED)
        rival = values[ALIKE.get(models[OURS].config.half_life, "popularity")]
        difference = difference_interval(value, rival, users, seed=SEED)
        print(f"| {name} | {own} | {difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}] |")
        worse = worse or (name == OURS and difference.high < 0.0)
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
