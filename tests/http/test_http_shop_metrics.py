"""`/metrics?profile=shop`: the tutorial's measures, without labels."""

import re

from asgi_client import problem
from hypothesis import given
from hypothesis import strategies as st

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.app.http.shop_metrics import shop_metrics


def samples(text):
    return dict(re.findall(r"^([^#\s]+) (\S+)$", text, re.MULTILINE))


def test_requests_are_summed_over_their_labels(client):
    for user in ("ann", "bob", "nobody"):
        client.get(f"/recommend/{user}")
    found = samples(client.get("/metrics?profile=shop").body.decode())
    assert found["recommendation_requests_total"] == "3.0"
    assert found["recommendation_latency_seconds_count"] == "3.0"
    assert found['recommendation_latency_seconds_bucket{le="+Inf"}'] == "3.0"


def test_what_was_never_counted_is_nought(client):
    found = samples(client.get("/metrics?profile=shop").body.decode())
    assert found["recommendation_cache_hits_total"] == "0.0"
    assert found["recommendation_errors_total"] == "0.0"


def test_hits_over_requests_are_the_rate_that_the_tutorial_asks_for(caching):
    for _ in range(4):
        caching.get("/recommend/ann")
    found = samples(caching.get("/metrics?profile=shop").body.decode())
    hits, asked = found["recommendation_cache_hits_total"], found["recommendation_requests_total"]
    assert float(hits) / float(asked) == 0.75


def test_another_profile_is_refused(client):
    assert problem(client.get("/metrics?profile=bakery"), 400)["field"] == "profile"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), max_size=20))
def test_the_sum_over_labels_is_what_was_counted(counted):
    telemetry = MemoryTelemetry()
    for source, user_type in counted:
        telemetry.count("recommendation_requests_total", source=source, user_type=user_type)
        telemetry.observe("recommendation_latency_seconds", 0.002, source=source)
    found = samples(shop_metrics(telemetry.exposition()).decode())
    assert float(found["recommendation_requests_total"]) == len(counted)
    assert float(found["recommendation_latency_seconds_count"]) == len(counted)
