"""Content knows an item from its words, also one added a second ago."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.history import History
from foretaste.domain.interactions import Interactions
from foretaste.domain.item import CatalogEntry, Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.features.item_state import no_items
from foretaste.features.recency import Recency
from foretaste.models import content_index
from foretaste.models.content import Content, ContentConfig
from foretaste.models.interface import Moment
from foretaste.models.terms import CATEGORY_MARK, terms, words
from foretaste.models.vocabulary import Vocabulary, vocabulary_of

NOTHING = Interactions(
    np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64), 0, 0
)
BOOKS = [
    Item(item_id="a", title="The garden in spring", categories=("Gardening",)),
    Item(item_id="b", title="Spring flowers", text="A garden book", categories=("Gardening",)),
    Item(item_id="c", title="Electric guitars", text="Amplifiers and strings", categories=("Music",)),
    Item(item_id="d", title="String quartets", categories=("Music",)),
]


def at(catalog):
    return Moment(now=0, items=no_items(), catalog=catalog)


def seen(*items):
    n = len(items)
    return History(
        item=np.array(items, np.int32),
        weight=np.ones(n, np.float32),
        time=np.arange(n),
        type=np.zeros(n, np.int16),
    )


def put(catalog, ordinal, item):
    return catalog.apply([CatalogEntry(ordinal=ordinal, version=catalog.version + 1, item=item)])


@pytest.fixture
def catalog():
    return CatalogColumns.of(BOOKS)


@pytest.fixture
def model(catalog):
    return ContentConfig().fit(NOTHING, 0, catalog)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP, me-now_42!", ["don't", "stop", "me", "now", "42"]),
        ("Ünïcode STRASSE straße ﬁne", ["ünïcode", "strasse", "strasse", "fine"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
        ("犬 abc猫def", ["犬", "abc", "猫", "def"]),
        ("кино и ДОМ", ["кино", "и", "дом"]),
        ("हिन्दी फ़िल्में", ["हिन्दी", "फ़िल्में"]),
        ("🎸 \x00 \ud800", []),
        ("", []),
    ],
)
def test_words_of_any_script(text, expected):
    assert list(words(text)) == expected


@given(text=st.text(st.characters(codec="ascii"), max_size=60))
def test_words_of_ascii_are_those_that_they_are_beside_other_letters(text):
    assert words(f"{text} é") == [*words(text), "é"]


def test_a_megabyte_without_spaces_is_one_short_term():
    assert [len(word) for word in words("x" * 1_000_000)] == [40]


def test_titles_count_twice_and_categories_as_words_and_whole():
    counts = terms(Item(item_id="x", title="Garden", text="garden", categories=("Garden Tools",)))
    assert counts == {"garden": 4, "tools": 1, CATEGORY_MARK + "garden tools": 1}


def test_values_of_attributes_count_as_wholes_and_prose_and_numbers_do_not():
    item = Item(
        item_id="a",
        attributes={
            "maker": "Ash Tree",
            "tags": "oak; elm|oak",
            "about": "far more than five words of it",
            "year": 1.0,
        },
    )
    marked = {"maker=ash tree": 1, "tags=oak": 2, "tags=elm": 1}
    assert terms(item) == {CATEGORY_MARK + value: count for value, count in marked.items()}


def test_items_that_have_nothing_but_attributes_are_alike_by_them():
    makers = ["ash", "oak", "elm"]
    catalog = CatalogColumns.of(
        [Item(item_id=str(n), attributes={"maker": makers[n % 3], "lot": f"l{n}"}) for n in range(30)]
    )
    model = ContentConfig().fit(NOTHING, 0, catalog)
    assert set(np.flatnonzero(model.score(seen(4), at(catalog)) > 0.01).tolist()) == set(range(1, 30, 3))
    moved = put(catalog, 7, Item(item_id="7", attributes={"maker": "oak", "lot": "l7"}))
    assert model.score(seen(4), at(moved))[7] > 0.01
    moved = put(catalog, 7, Item(item_id="7", attributes={"maker": "elm", "lot": "l7"}))
    assert model.score(seen(4), at(moved))[7] == 0.0


def test_the_vocabulary_takes_the_most_frequent_terms_but_none_that_nearly_all_have():
    items = [Item(item_id=str(n), title=f"common word{n % 3} word{n}") for n in range(30)]
    vocabulary = vocabulary_of(items, 3)
    assert list(vocabulary.number) == ["word0", "word1", "word2"]
    assert Vocabulary.from_arrays(vocabulary.arrays()).number == vocabulary.number


def test_similar_items_are_those_with_the_same_words(model, catalog):
    scores = model.score(seen(0), at(catalog))
    assert scores[1] > scores[2] == scores[3] == 0.0
    assert scores[0] == pytest.approx(1.0, abs=1e-5)


def test_an_item_added_a_second_ago_is_recommended_and_explained(model, catalog):
    before = model.score(seen(0, 2), at(catalog))
    later = put(catalog, 4, Item(item_id="e", title="Garden guitars", categories=("Gardening",)))
    scores = model.score(seen(0, 2), at(later))
    assert scores[:4].tobytes() == before.tobytes()
    assert scores[4] > scores[3]
    shares = model.explain(seen(0, 2), 4, at(later))
    assert shares.sum() == pytest.approx(scores[4], rel=1e-5)
    assert shares.min() > 0.0
    assert model.score(seen(4), at(later))[2] > 0.0
    assert model.vectors(np.array([4], np.int32)) @ model.vectors(np.array([0], np.int32)).T > 0.3


def test_a_changed_text_counts_at_once_and_a_deleted_item_says_nothing(model, catalog):
    assert model.score(seen(0), at(catalog))[3] == 0.0
    changed = put(catalog, 3, Item(item_id="d", title="The garden in spring", categories=("Gardening",)))
    assert model.score(seen(0), at(changed))[3] == pytest.approx(1.0, abs=1e-5)
    assert model.score(seen(3), at(changed))[0] == pytest.approx(1.0, abs=1e-5)
    deleted = put(changed, 3, None)
    assert model.score(seen(0), at(deleted))[3] == 0.0
    assert not model.score(seen(3), at(deleted)).any()


@pytest.mark.parametrize("few", [0, 100])
def test_scores_do_not_depend_on_the_way_the_catalog_came_about(model, catalog, few, monkeypatch):
    monkeypatch.setattr(content_index, "FEW_CHANGED", few)
    model.score(seen(0), at(catalog))
    for number in range(4, 30):
        catalog = put(catalog, number, Item(item_id=str(number), title=f"garden strings {number % 4}"))
        grown = model.score(seen(0, number), at(catalog))
    fresh = Content.from_arrays({"recency": {"half_life_events": 10.0}}, model.arrays())
    anew = Content(ContentConfig(recency=model.config.recency), fresh.vocabulary, fresh._rows)
    assert grown == pytest.approx(anew.score(seen(0, 29), at(catalog)), abs=1e-6)


@pytest.mark.parametrize("few", [0, 100])
def test_stored_rows_are_used_only_for_texts_that_are_what_they_were(model, catalog, few, monkeypatch):
    monkeypatch.setattr(content_index, "FEW_CHANGED", few)
    restored = Content.from_arrays({}, model.arrays())
    other = put(catalog, 0, Item(item_id="a", title="Electric guitars"))
    scores = restored.score(seen(0), at(other))
    assert scores[2] > 0.5
    assert scores[1] == 0.0


def test_stored_rows_of_items_that_the_catalog_does_not_have_say_nothing(model):
    restored = Content.from_arrays({}, model.arrays())
    few = CatalogColumns.of(BOOKS[:2])
    assert restored.index_of(few).row(3)[0].size == 0
    assert len(restored.score(seen(0), at(few))) == 2


def test_only_the_strongest_terms_of_a_profile_are_looked_up(catalog):
    config = ContentConfig(profile_terms=1, recency=Recency())
    model = config.fit(NOTHING, 0, catalog)
    history = seen(1, 1, 2)
    scores = model.score(history, at(catalog))
    assert scores[1] > 0.0
    assert scores[3] == 0.0
    for item in range(4):
        assert model.explain(history, item, at(catalog)).sum() == pytest.approx(scores[item], abs=1e-6)
