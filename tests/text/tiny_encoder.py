"""A tiny encoder with random weights."""

import json

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from foretaste.adapters.text.bert import weight_shapes
from foretaste.adapters.text.model_folder import EncoderConfig

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "mug", "cup", "tea", "pot")
TINY = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": len(WORDS),
    "max_position_embeddings": 12,
    "hidden_act": "gelu",
}


def write_tiny(folder, config=None, dtype=np.float32):
    """Write a folder with a tiny encoder of random weights."""
    (folder / "config.json").write_text(json.dumps(TINY | (config or {})))
    generator = np.random.default_rng(0)
    shapes = weight_shapes(EncoderConfig(**{**TINY, "position_embedding_type": "absolute"}))
    save_file(
        {
            name: (generator.standard_normal(shape) * 0.5 + ("LayerNorm.weight" in name)).astype(dtype)
            for name, shape in shapes.items()
        },
        folder / "model.safetensors",
    )
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, "[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
