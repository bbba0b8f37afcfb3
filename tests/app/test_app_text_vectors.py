"""Vectors of texts: made at training and when items are put, kept by text, never while a request waits."""

import msgspec
import numpy as np
import pytest

from foretaste.app.home import Home
from foretaste.app.settings import Settings
from foretaste.app.settings_loading import load_settings
from foretaste.app.text_vectors import TextVectors, text_of
from foretaste.app.wiring import home_in_memory
from foretaste.domain.errors import InvalidInputError, InvalidItemError
from foretaste.domain.item import Item
from foretaste.events.vectors import packed_vector, unpacked_vector
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.serving.untrained import untrained_artifact

LAMP, SOFA = Item(item_id="lamp", title="Lamp"), Item(item_id="sofa", title="Sofa", text="Soft")
BARE = Item(item_id="bare")


class Letters:
    """Encodes a text as how often it has each of four letters; `read` is what it was asked for."""

    dim = 4
    digest = "letters"

    def __init__(self):
        self.read = []

    def encode(self, texts):
        self.read += texts
        return np.array(
            [[text.lower().count(letter) + 0.5 for letter in "aeos"] for text in texts], np.float32
        )


@pytest.fixture
def encoder():
    return Letters()


@pytest.fixture
def home(encoder):
    with home_in_memory() as plain:
        stores, settings = plain._stores, plain.settings
        yield Home(
            directory=None,
            settings=settings,
            stores=stores,
            registry=None,
            load=lambda _: untrained_artifact(),
            telemetry=plain.telemetry,
            text_vectors=TextVectors(encoder),
        )


def vectors_of(home):
    return {item.item_id: unpacked_vector(item.vector).tolist() for item in home.catalog_columns.items}


def test_the_text_of_an_item_is_title_categories_and_text():
    item = Item(item_id="a", title="Fox", text="A tale.", categories=("Animals", "Tales"))
    assert text_of(item) == "Fox. Animals, Tales. A tale."
    assert text_of(BARE) == ""


def test_before_training_nothing_is_encoded_and_training_encodes_all(home, encoder):
    home.put_items([LAMP, SOFA, BARE])
    assert encoder.read == []
    home.encode_texts()
    assert sorted(encoder.read) == ["Lamp", "Sofa. Soft"]
    assert vectors_of(home) == {"lamp": [1.5, 0.5, 0.5, 0.5], "sofa": [1.5, 0.5, 2.5, 2.5], "bare": []}


def test_while_a_model_serves_an_item_has_its_vector_when_it_is_put(home, encoder):
    home.serve_artifact(untrained_artifact())
    home.put_items([LAMP])
    assert encoder.read == ["Lamp"]
    home.put_items([Item(item_id="lamp", title="Lamp", in_stock=False), SOFA])
    assert encoder.read == ["Lamp", "Sofa. Soft"]
    assert vectors_of(home)["lamp"] == [1.5, 0.5, 0.5, 0.5]


def test_a_vector_of_the_item_s_own_wins_and_the_catalog_holds_only_that(home, encoder):
    own = msgspec.structs.replace(LAMP, vector=packed_vector([1, 2, 3, 4]))
    home.put_items([own, SOFA])
    home.encode_texts()
    assert encoder.read == ["Sofa. Soft"]
    assert vectors_of(home)["lamp"] == [1.0, 2.0, 3.0, 4.0]
    assert [entry.item.vector for entry in home.catalog.get(["lamp", "sofa"])] == [own.vector, b""]


def test_vectors_of_another_dimension_leave_the_encoder_alone(home, encoder):
    home.put_items([msgspec.structs.replace(LAMP, vector=packed_vector([1, 2])), SOFA])
    home.encode_texts()
    assert encoder.read == []
    assert vectors_of(home) == {"lamp": [1.0, 2.0], "sofa": []}


def test_after_encoding_a_vector_of_another_dimension_is_refused(home):
    home.put_items([SOFA])
    home.encode_texts()
    with pytest.raises(InvalidItemError, match="same dimension"):
        home.put_items([msgspec.structs.replace(LAMP, vector=packed_vector([1, 2]))])


def test_texts_are_encoded_once_also_after_a_restart(tmp_path, encoder):
    columns = CatalogColumns.of([LAMP, SOFA])
    first = TextVectors(encoder, tmp_path)
    filled = first.filled(columns, encode=True)
    first.save()
    again = TextVectors(encoder, tmp_path).filled(columns, encode=False)
    assert again.items == filled.items
    assert len(encoder.read) == 2


def test_a_damaged_cache_is_computed_again(tmp_path, encoder):
    first = TextVectors(encoder, tmp_path)
    first.filled(CatalogColumns.of([LAMP]), encode=True)
    first.save()
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"\xff" * 40)
    assert TextVectors(encoder, tmp_path).filled(CatalogColumns.of([LAMP]), encode=True).items[0].vector
    assert encoder.read == ["Lamp", "Lamp"]


def test_progress_is_told(encoder):
    told = []
    TextVectors(encoder).filled(CatalogColumns.of([LAMP, SOFA]), encode=True, advance=told.append)
    assert told[-1] == 1.0


def test_the_settings_name_the_folder_and_the_number_of_words():
    environment = {"FORETASTE_TEXT_MODEL": "/models/mini", "TFIDF_MAX_FEATURES": "500"}
    settings = load_settings(environment=environment, dotenv=None)
    assert (settings.text_model, settings.tfidf_max_features) == ("/models/mini", 500)
    assert Settings().tfidf_max_features is None
    with pytest.raises(InvalidInputError, match="TFIDF_MAX_FEATURES"):
        load_settings(environment={"TFIDF_MAX_FEATURES": "0"}, dotenv=None)


def test_a_folder_that_is_none_is_said_when_the_home_is_opened(tmp_path):
    with pytest.raises(InvalidInputError, match="there is no folder") as error:
        home_in_memory(Settings(text_model=str(tmp_path / "nowhere")))
    assert error.value.field == "text_model"
