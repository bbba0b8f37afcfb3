"""The measures of several processes, as one."""

from foretaste.adapters.prometheus.telemetry import PrometheusTelemetry
from foretaste.app.processes.measures import summed


def telling(count, seconds, gauges):
    """What a process tells."""
    telemetry = PrometheusTelemetry()
    telemetry.count("answers_total", count, source="home")
    for each in seconds:
        telemetry.observe("answer_seconds", each)
    for name, value in gauges.items():
        telemetry.gauge(name, value)
    return telemetry.exposition()


def samples(exposition):
    """Return series and values."""
    lines = exposition.decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


def test_counters_and_histograms_are_sums_and_gauges_of_the_service_the_largest():
    one = telling(2, [0.001, 0.2], {"state_seq": 7, "exposures_dropped": 1})
    two = telling(3, [0.2], {"state_seq": 9, "exposures_dropped": 2})
    found = samples(summed([one, two]))
    assert found['answers_total{source="home"}'] == 5
    assert found["answer_seconds_count"] == 3
    assert found['answer_seconds_bucket{le="0.001"}'] == 1
    assert (found["state_seq"], found["exposures_dropped"]) == (9, 3)


def test_a_process_that_is_no_more_counts_on_in_totals_and_not_in_what_is_now():
    one, gone = telling(2, [], {"exposures_dropped": 1}), telling(40, [0.2], {"exposures_dropped": 5})
    found = samples(summed([one], [gone]))
    assert found['answers_total{source="home"}'] == 42
    assert found["answer_seconds_count"] == 1
    assert found["exposures_dropped"] == 1


def test_each_measure_is_explained_once():
    text = summed([telling(1, [], {}), telling(2, [], {})]).decode()
    assert text.count("# TYPE answers_total ") + text.count("# TYPE answers counter") == 1
