"""The archive on an object store keeps the same promises as in a folder.

Needs one: `make object-store` starts moto, which stands for S3; another is named by
`FORETASTE_TEST_S3_URL=s3://bucket/folder`, and what reaches it in the environment (`AWS_ENDPOINT_URL`,
`AWS_ACCESS_KEY_ID`, …).
"""

import os
import secrets

import pytest

import foretaste as ft
from foretaste.adapters.delta.event_archive import DeltaEventArchive
from foretaste.testing.contracts.event_archive import EventArchiveContract, appended, numbered

STORE = os.environ.get("FORETASTE_TEST_S3_URL", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STORE, reason="FORETASTE_TEST_S3_URL is not set: make object-store"),
]


class StoreSite:
    def __init__(self, url):
        self.url = url

    def open(self):
        return DeltaEventArchive(self.url)

    def after_crash(self):
        return self.open()


@pytest.fixture
def site():
    return StoreSite(f"{STORE}/{secrets.token_hex(6)}")


class TestDeltaOnAnObjectStore(EventArchiveContract):
    pass


def test_training_reads_from_an_object_store(site):
    appended(site.open(), numbered(1, 50))
    assert list(ft.read_events(site.url)) == [event for _, event in numbered(1, 50)]
