"""Content: what an item is about, so that one added a second ago can be recommended and explained."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Floats, Int64s, Ordinals
from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.domain.kernel import kernel
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.recency import Recency
from foretaste.models.content_index import ContentIndex, digest_of, first_index, heard_terms
from foretaste.models.interface import Moment
from foretaste.models.padding import at
from foretaste.models.recency import recent_weights
from foretaste.models.term_rows import NO_TERMS, Row, TermRows, term_rows
from foretaste.models.unit_rows import unit_rows
from foretaste.models.vocabulary import Vocabulary, vocabulary_of

USUAL_HALF_LIFE = 10.0
PROJECTED_DIM = 128
PROJECTION_SEED = 20_240_117


class ContentConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="content"):
    """TF-IDF over title, text and categories.

    `max_features` terms make the vocabulary; of a person's profile the `profile_terms` strongest count.
    `recency` None: a half-life of ten events where interactions have times, else none.
    """

    max_features: int = 10_000
    profile_terms: int = 128
    recency: Recency | None = None

    def fit(self, interactions: Interactions, seed: int, catalog: CatalogColumns) -> "Content":  # noqa: ARG002 - nothing is drawn
        """Learn the vocabulary and vectorize the catalog; interactions only say whether there are times."""
        usual = Recency(half_life_events=USUAL_HALF_LIFE if interactions.timed else None)
        config = msgspec.structs.replace(self, recency=self.recency or usual)
        vocabulary = vocabulary_of(catalog.items, self.max_features)
        empty = term_rows((), ())
        index = first_index(vocabulary, empty, catalog.items)
        rows = term_rows(
            [index.row(ordinal) for ordinal in range(len(catalog.items))],
            [digest_of(item) for item in catalog.items],
        )
        return Content(config, vocabulary, rows)


class Content:
    """Cosine of TF-IDF vectors, summed over the history.

    Items are vectorized when they first appear in the moment's catalog, or appear changed; words that
    are not in the vocabulary say nothing until the next training.
    """

    name: ClassVar[str] = "content"

    def __init__(self, config: ContentConfig, vocabulary: Vocabulary, rows: TermRows) -> None:
        self._config = config
        self.vocabulary = vocabulary
        self._rows = rows
        self._recency = config.recency or Recency()
        self._index: ContentIndex | None = None
        self._token = object()
        self._projection: Floats | None = None

    @property
    def config(self) -> ContentConfig:
        """The configuration, nothing left open."""
        return self._config

    @property
    def is_silent(self) -> bool:
        """Whether there were no words to learn: then it says nothing of any item."""
        return not len(self.vocabulary.idf)

    def score(self, history: History, moment: Moment, items: Ordinals | None = None) -> Floats:
        """Return the inner products with the profile; see `Model`."""
        index = self.index_of(moment.catalog)
        weight = recent_weights(history, self._recency, moment.now)
        scores = index.score(self._profile(index, history, weight), moment.n_items)
        return scores if items is None else at(scores, items)

    def score_guests(self, history: History, moment: Moment) -> Floats:
        """Return the inner products with the profile; see `Host`."""
        index, rows = self.index_of(moment.catalog), self.vocabulary.rows_of(moment.guests)
        profile = self._profile(index, history, recent_weights(history, self._recency, moment.now))
        return _products(rows.start, rows.term, rows.weight, profile)

    def guest_vectors(self, moment: Moment) -> Floats:
        """Return the projected rows; see `Host`."""
        rows = self.vocabulary.rows_of(moment.guests)
        return self._projected([rows.row(place) for place in range(len(moment.guests.item))])

    def basis(self, moment: Moment) -> object | None:
        """Return what stands for the index of the moment's catalog; see `Model`."""
        self.index_of(moment.catalog)
        return None if self._recency.half_life_seconds is not None else self._token

    def explain(self, history: History, item: int, moment: Moment) -> Floats:
        """Return each event's part of the inner product; see `Model`."""
        return np.asarray(self.explain_each(history, np.array([item], np.int32), moment)[0])

    def explain_each(self, history: History, items: Ordinals, moment: Moment) -> Floats:
        """Return each event's part of the inner product for each item; see `Model`."""
        shares = np.zeros((len(items), len(history)), np.float32)
        index = self.index_of(moment.catalog)
        weight = recent_weights(history, self._recency, moment.now)
        profile = self._profile(index, history, weight)
        event, spoken = index.rows_of(history.item)
        asked, rows = index.rows_of(items)
        place, guest = moment.guests.among(items)
        if len(place):
            guests = self.vocabulary.rows_of(moment.guests)
            own = dict(zip(place.tolist(), guest.tolist(), strict=True))
            each = [
                guests.row(own[k]) if k in own else index.row(item) for k, item in enumerate(items.tolist())
            ]
            asked, rows = np.arange(len(items), dtype=np.int32), term_rows(each, ())
        said, told = (spoken.start, spoken.term, spoken.weight), (rows.start, rows.term, rows.weight)
        _find_shares(event, weight, *said, asked, *told, profile, shares)
        return shares

    def vectors(self, items: Ordinals) -> Floats | None:
        """Return the rows projected at random to 128 dimensions; cosines stay what they are within about 0.1.

        A row is that of the catalog last asked about, else the one of the training.
        """
        return self._projected([self._row(item) for item in items.tolist()])

    def _projected(self, rows: Sequence[Row]) -> Floats:
        if self._projection is None:
            generator = np.random.default_rng(PROJECTION_SEED)
            shape = (len(self.vocabulary.idf), PROJECTED_DIM)
            self._projection = (generator.integers(0, 2, shape) * 2 - 1).astype(np.float32)
        projected = np.zeros((len(rows), PROJECTED_DIM), np.float32)
        for place, (term, value) in enumerate(rows):
            projected[place] = value @ self._projection[term]
        return unit_rows(projected)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the vocabulary's arrays and the rows' (`start`, `term`, `weight`, `digest`)."""
        return {**self.vocabulary.arrays(), **self._rows.arrays()}

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the model; raise `CorruptArtifactError` where arrays contradict each other."""
        vocabulary = Vocabulary.from_arrays(arrays)
        rows = TermRows.from_arrays(arrays, len(vocabulary.idf))
        return cls(msgspec.convert(dict(config), ContentConfig), vocabulary, rows)

    def index_of(self, catalog: CatalogColumns) -> ContentIndex:
        """Return the index of this version of the catalog; costs something only when it is another one."""
        if self._index is None:
            self._index = first_index(self.vocabulary, self._rows, catalog.items)
        elif self._index.items is not catalog.items:
            self._index, self._token = self._index.updated(catalog.items), object()
        return self._index

    def _row(self, item: int) -> tuple[Ordinals, Floats]:
        row = self._index.row(item) if self._index is not None else NO_TERMS
        if not len(row[0]) and 0 <= item < len(self._rows.digest):
            return self._rows.row(item)
        return row

    def _profile(self, index: ContentIndex, history: History, weight: Floats) -> Floats:
        """Return the weighted sum of the events' rows, all but the strongest terms zero; float32 [terms]."""
        return _strongest(index.profile(history, weight), self._config.profile_terms)


@kernel
def _products(start: Int64s, term: Ordinals, weight: Floats, profile: Floats) -> Floats:
    """Return every row's inner product with `profile`, float32 [n_rows], added up term by term."""
    found = np.zeros(len(start) - 1, np.float32)
    for row in range(len(found)):
        for place in range(start[row], start[row + 1]):
            if profile[term[place]] != np.float32(0.0):
                found[row] += profile[term[place]] * weight[place]
    return found


@kernel
def _find_shares(
    event: Ordinals,
    weight: Floats,
    start: Int64s,
    term: Ordinals,
    value: Floats,
    asked: Ordinals,
    asked_start: Int64s,
    asked_term: Ordinals,
    asked_value: Floats,
    profile: Floats,
    shares: Floats,
) -> None:
    """Write to `shares` [asked, event] what each event's row adds to the product of the profile and each row.

    Terms that are 0 in the profile are not heard. Sums are taken in float64.
    """
    row = np.zeros(len(profile), np.float32)
    for k in range(len(asked)):
        if not 0 <= asked[k] < len(asked_start) - 1:
            continue
        for place in range(asked_start[asked[k]], asked_start[asked[k] + 1]):
            if profile[asked_term[place]] != np.float32(0.0):
                row[asked_term[place]] = asked_value[place]
        for h in range(len(event)):
            if weight[h] != np.float32(0.0) and 0 <= event[h] < len(start) - 1:
                total = 0.0
                for place in range(start[event[h]], start[event[h] + 1]):
                    total += np.float64(value[place] * weight[h] * row[term[place]])
                shares[k, h] = total
        for place in range(asked_start[asked[k]], asked_start[asked[k] + 1]):
            row[asked_term[place]] = np.float32(0.0)


def _strongest(profile: Floats, most: int) -> Floats:
    wanted = heard_terms(profile)
    if len(wanted) > most:
        weakest = np.argsort(-np.abs(profile[wanted]), kind="stable")[most:]
        profile[wanted[weakest]] = 0.0
    return profile
