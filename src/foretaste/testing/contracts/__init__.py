"""Contract suites: one class of tests per port.

An adapter's test module subclasses the suite and gives a fixture `site` (see `foretaste.testing.sites`):

.. code-block:: python

    class TestMyEventLog(EventLogContract):
        @pytest.fixture
        def site(self, tmp_path):
            with closing(MySite(tmp_path)) as site:
                yield site

A promise that an adapter cannot keep is declared by overriding its test with a strict expected failure.
"""
