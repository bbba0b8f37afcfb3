"""On any number of threads training learns the same, bit by bit."""

import threading
from dataclasses import replace

import pytest

from foretaste.domain.parallel import in_parts, on_threads, usable_cores
from foretaste.models.graph_filter import GraphFilterConfig
from foretaste.models.ials import IALSConfig
from foretaste.training.run import learn

SOURCES = {
    "ials": IALSConfig(dim=16, regularization=0.01, unobserved=8.0),
    "graph": GraphFilterConfig(neighbours=40),
}


def test_the_artifact_has_the_same_bits_on_one_thread_and_on_two(timed_corpus, quick, monkeypatch):
    monkeypatch.setattr("foretaste.models.ials_solver.ROWS_PER_CALL", 16)
    monkeypatch.setattr("foretaste.models.graph_filter_rows.ROWS_PER_CALL", 16)
    one, two = (
        learn(timed_corpus, config=replace(quick, sources=SOURCES, threads=threads), created_at=1).artifact
        for threads in (1, 2)
    )
    assert one.version == two.version
    for source, model in one.models.items():
        for name, array in model.arrays().items():
            assert array.tobytes() == two.models[source].arrays()[name].tobytes()


def test_parts_come_in_their_order_from_as_many_threads_as_are_allowed():
    together = threading.Barrier(2, timeout=30)

    def work(part):
        if part < 2:
            together.wait()  # ends only if two are at work at once
        return part * part

    with on_threads(2):
        assert list(in_parts(work, range(50))) == [part * part for part in range(50)]


@pytest.mark.parametrize("parts", [0, 1, 7])
def test_without_leave_all_is_done_where_it_was_asked(parts):
    here = threading.get_ident()
    assert list(in_parts(lambda _: threading.get_ident(), range(parts))) == [here] * parts


def test_the_leave_ends_with_its_block():
    with on_threads(4):
        pass
    assert set(in_parts(lambda _: threading.get_ident(), range(8))) == {threading.get_ident()}


def test_what_fails_in_a_part_fails_the_whole():
    with on_threads(2), pytest.raises(ZeroDivisionError):
        list(in_parts(lambda part: 1 // part, [1, 0, 2]))


def test_there_is_a_core_to_work_on():
    assert usable_cores() >= 1
