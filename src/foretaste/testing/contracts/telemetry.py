"""The promises of `ports.telemetry.Telemetry`."""

import re
from concurrent.futures import ThreadPoolExecutor

from foretaste.ports.telemetry import MOST_SERIES, Telemetry

_SAMPLE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def samples(telemetry: Telemetry) -> dict[tuple[str, ...], float]:
    """Return each line of the exposition by its name and its sorted labels, as `source=trending`."""
    found: dict[tuple[str, ...], float] = {}
    for line in telemetry.exposition().decode().splitlines():
        match = _SAMPLE.fullmatch(line)
        if match and not line.startswith("#"):
            labels = sorted(f"{name}={value}" for name, value in _LABEL.findall(match["labels"] or ""))
            found[(match["name"], *labels)] = float(match["value"])
    return found


class TelemetryContract:
    """Subclass it with a fixture `telemetry` that gives a new `Telemetry`."""

    def test_a_counter_is_the_sum_of_what_was_counted_by_labels(self, telemetry: Telemetry) -> None:
        telemetry.count("answers_total", source="trending", user_type="cold")
        telemetry.count("answers_total", 2.5, user_type="cold", source="trending")
        telemetry.count("answers_total", source="session", user_type="cold")
        found = samples(telemetry)
        assert found["answers_total", "source=trending", "user_type=cold"] == 3.5
        assert found["answers_total", "source=session", "user_type=cold"] == 1.0

    def test_a_gauge_is_what_it_was_set_to_last(self, telemetry: Telemetry) -> None:
        telemetry.gauge("items", 7.0)
        telemetry.gauge("items", 3.0)
        assert samples(telemetry)["items",] == 3.0

    def test_a_histogram_knows_number_sum_and_rising_buckets(self, telemetry: Telemetry) -> None:
        for seconds in (0.0004, 0.02, 0.02, 99.0):
            telemetry.observe("answer_seconds", seconds)
        found = samples(telemetry)
        assert found["answer_seconds_count",] == 4.0
        assert abs(found["answer_seconds_sum",] - 99.0404) < 1e-9
        assert found["answer_seconds_bucket", "le=0.0005"] == 1.0
        assert found["answer_seconds_bucket", "le=0.025"] == 3.0
        assert found["answer_seconds_bucket", "le=+Inf"] == 4.0

    def test_a_value_on_a_bucket_s_bound_is_in_the_bucket(self, telemetry: Telemetry) -> None:
        telemetry.observe("share", 0.5)
        found = samples(telemetry)
        assert found["share_bucket", "le=0.4"] == 0.0
        assert found["share_bucket", "le=0.5"] == 1.0

    def test_any_text_may_be_the_value_of_a_label(self, telemetry: Telemetry) -> None:
        telemetry.count("odd_total", name='a "quoted"\\\nline \U0001f98a')
        exposed = telemetry.exposition().decode()
        assert 'odd_total{name="a \\"quoted\\"\\\\\\nline \U0001f98a"} 1.0' in exposed.splitlines()

    def test_the_values_of_labels_are_bounded(self, telemetry: Telemetry) -> None:
        for number in range(MOST_SERIES + 50):
            telemetry.count("many_total", user=str(number))
        found = {key: value for key, value in samples(telemetry).items() if key[0] == "many_total"}
        assert len(found) == MOST_SERIES + 1
        assert found["many_total", "user=other"] == 50.0

    def test_what_cannot_be_counted_is_counted_as_dropped_and_never_raises(
        self, telemetry: Telemetry
    ) -> None:
        telemetry.count("used_total")
        telemetry.observe("used_total", 1.0)
        telemetry.count("used_total", label="new")
        telemetry.count("used_total", -1.0)
        telemetry.count("used_total", float("nan"))
        telemetry.gauge("not a name", 1.0)
        telemetry.count("without_the_ending")
        telemetry.observe("seconds", float("inf"))
        found = samples(telemetry)
        assert found["used_total",] == 1.0
        assert found["telemetry_dropped_total",] == 7.0

    def test_no_count_of_many_threads_is_lost(self, telemetry: Telemetry) -> None:
        def count(_: int) -> None:
            for _ in range(500):
                telemetry.count("busy_total", thread="any")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count, range(4)))
        assert samples(telemetry)["busy_total", "thread=any"] == 2000.0
