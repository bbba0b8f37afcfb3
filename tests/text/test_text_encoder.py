"""A sentence encoder from a folder: right numbers, and clear words for a folder that is none."""

import json
import struct

import numpy as np
import pytest
from tiny_encoder import write_tiny

from foretaste.adapters.text.encoder import FolderEncoder
from foretaste.domain.errors import InvalidInputError

TEXTS = ("red mug", "blue tea cup", "pot", "", "red red red red red red red red red red red red red")


def refused(folder, says):
    with pytest.raises(InvalidInputError, match=says) as error:
        FolderEncoder(folder)
    assert error.value.field == "text_model"


def with_header(folder, change):
    """Rewrite the header of the tensors' file."""
    path = folder / "model.safetensors"
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    change(header)
    written = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(written)) + written + raw[8 + length :])


def test_vectors_have_length_one_and_the_model_s_dimension(tiny):
    encoder = FolderEncoder(tiny)
    vectors = encoder.encode(TEXTS)
    assert encoder.dim == 8
    assert vectors.shape == (5, 8)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_a_text_s_vector_does_not_depend_on_the_texts_beside_it(tiny):
    encoder = FolderEncoder(tiny)
    together = encoder.encode(TEXTS)
    for row, text in enumerate(TEXTS):
        assert encoder.encode([text])[0] == pytest.approx(together[row], abs=1e-5)
    assert encoder.encode([]).shape == (0, 8)


def test_long_texts_are_cut_and_any_bytes_are_read(tiny):
    encoder = FolderEncoder(tiny)
    long, longer = encoder.encode(["red " * 12, "red " * 10_000])
    assert long == pytest.approx(longer, abs=1e-6)
    assert np.isfinite(encoder.encode(["\0", "\ud800", "🦊" * 50_000])).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_weights_of_other_precision_are_read(tmp_path, tiny, dtype):
    other = tmp_path / "other"
    other.mkdir()
    write_tiny(other, dtype=dtype)
    assert FolderEncoder(other).encode(TEXTS) == pytest.approx(FolderEncoder(tiny).encode(TEXTS), abs=5e-3)


def test_the_digest_changes_with_the_files(tiny):
    before = FolderEncoder(tiny).digest
    assert FolderEncoder(tiny).digest == before
    (tiny / "sentence_bert_config.json").write_text('{"max_seq_length": 5}')
    assert FolderEncoder(tiny).digest != before


def test_the_first_token_may_stand_for_the_text(tiny):
    mean = FolderEncoder(tiny).encode(["red mug"])
    (tiny / "1_Pooling").mkdir()
    (tiny / "1_Pooling/config.json").write_text('{"pooling_mode_cls_token": true}')
    assert FolderEncoder(tiny).encode(["red mug"]) != pytest.approx(mean, abs=1e-3)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    refused(tmp_path / "nothing", "there is no folder .*nothing")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(tiny, name):
    (tiny / name).unlink()
    refused(tiny, f"has no file {name}")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff" * 64, b"[" * 100_000, b"null"])
def test_a_broken_file_is_named(tiny, name, content):
    (tiny / name).write_bytes(content)
    refused(tiny, name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_type": "mpnet"}, "'mpnet'"),
        ({"hidden_act": "relu"}, "'relu'"),
        ({"position_embedding_type": "relative_key"}, "`bert` is read"),
        ({"num_attention_heads": 3}, "3 heads for 8 numbers"),
        ({"hidden_size": 16}, "of shape"),
        ({"num_hidden_layers": 3}, "no tensor 'encoder.layer.2"),
        ({"hidden_size": 1_000_000}, "config.json"),
        ({"vocab_size": -1}, "config.json"),
        ({"num_hidden_layers": "many"}, "config.json"),
    ],
)
def test_an_encoder_that_cannot_be_computed_is_refused(tiny, change, says):
    config = json.loads((tiny / "config.json").read_text())
    (tiny / "config.json").write_text(json.dumps(config | change))
    refused(tiny, says)


def test_another_pooling_is_refused(tiny):
    (tiny / "1_Pooling").mkdir()
    (tiny / "1_Pooling/config.json").write_text('{"pooling_mode_max_tokens": true}')
    refused(tiny, "pooling")


NAME = "embeddings.word_embeddings.weight"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shape": [1 << 40, 8]}, "of shape"),
        ({"data_offsets": [0, 1 << 50]}, "does not fit"),
        ({"data_offsets": [1 << 50, (1 << 50) + 320]}, "does not fit"),
        ({"data_offsets": [64, 0]}, "does not fit"),
        ({"dtype": "I64"}, "dtype I64"),
        ({"shape": [-1, 8]}, "header"),
    ],
)
def test_a_size_that_the_file_does_not_bear_out_is_refused(tiny, change, says):
    with_header(tiny, lambda header: header[NAME].update(change))
    refused(tiny, says)


def test_a_header_longer_than_the_file_is_refused(tiny):
    path = tiny / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 60) + path.read_bytes()[8:])
    refused(tiny, "header of")


def test_a_tokenizer_with_more_words_than_the_model_is_refused(tiny):
    tokenizer = json.loads((tiny / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["kettle"] = 99
    (tiny / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(InvalidInputError, match="more words"):
        FolderEncoder(tiny).encode(["kettle"])


def test_known_sentences_have_their_known_likeness(minilm):
    """The numbers are those that the model's authors and users have published, to their three digits."""
    encoder = FolderEncoder(minilm)
    asked, *others = encoder.encode(
        [
            "That is a happy person",
            "That is a happy dog",
            "That is a very happy person",
            "Today is a sunny day",
        ]
    )
    assert encoder.dim == 384
    assert [float(asked @ other) for other in others] == pytest.approx([0.695, 0.943, 0.257], abs=6e-4)


def test_a_known_sentence_has_its_known_vector(minilm):
    (vector,) = FolderEncoder(minilm).encode(["This is an example sentence"])
    assert vector[:5] == pytest.approx([0.067657, 0.063496, 0.048713, 0.079305, 0.037448], abs=2e-5)


def test_paraphrases_are_nearer_than_what_only_shares_words(minilm):
    encoder = FolderEncoder(minilm)
    lamp, light, oil = encoder.encode(["a lamp for the bedside", "nightstand light", "a lamp oil refinery"])
    assert lamp @ light > lamp @ oil + 0.1
