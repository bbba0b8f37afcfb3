"""The files of a made-up shop, for commands that read files."""

import pytest

from foretaste.app import datasets


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory):
    """Events and items of a made-up shop as files."""
    folder = tmp_path_factory.mktemp("shop")
    events = datasets.synthetic(n_users=40, n_items=30, n_events=1_500, seed=3).events
    events.to_polars().write_parquet(folder / "log.parquet")
    lines = [f"{item.item_id},{item.title},{item.categories[0]}" for item in events.items]
    (folder / "items.csv").write_text("\n".join(["item_id,title,category", *lines]))
    return folder
