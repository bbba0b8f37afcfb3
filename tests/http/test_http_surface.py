"""Refusals of the service as a whole, its health and measures, its document and its pages."""

import gzip
import json
import re
from importlib.resources import files

import pytest
from asgi_client import FILMS, PAST, Client, problem

from foretaste.adapters.memory.telemetry import MemoryTelemetry
from foretaste.adapters.prometheus.telemetry import PrometheusTelemetry
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home

PAGES = [
    entry
    for folder in ("storefront", "reference")
    for entry in files("foretaste.app.http").joinpath(folder).iterdir()
]
SCRIPTS = [page for page in PAGES if page.name.endswith(".js")]
DOCUMENTS = [page for page in PAGES if page.name.endswith(".html")]
AS_MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"


@pytest.mark.parametrize("target", ["/nope", "/items", "/storefront/x.js", "/storefront/..%2fpages.py", "//"])
def test_what_is_not_there_is_a_problem_document(client, target):
    status = 405 if target == "/items" else 404
    assert problem(client.get(target), status)["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_a_wrong_method_says_which_are_right(client, method):
    answer = client.send(method, "/recommend/ann")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip"])
def test_a_compressed_body_is_refused_and_says_what_to_do(client, coding):
    body = gzip.compress(b'{"user_id": "eve", "item_id": "heat", "type": "click"}')
    document = problem(client.post("/events", body, content_encoding=coding), 415)
    assert "send it as it is" in document["detail"]
    assert document["field"] == "Content-Encoding"


def test_a_body_that_is_said_to_be_as_it_is_is_read(client):
    body = {"user_id": "eve", "item_id": "heat", "type": "click"}
    assert client.post("/events", body, content_encoding="identity").status == 202


def test_a_wrong_method_on_another_system_s_path_has_the_word_its_clients_read(client):
    document = problem(client.send("DELETE", "/api/recommendations/ann"), 405)
    assert document["error"] == document["detail"]
    assert "error" not in problem(client.send("DELETE", "/recommend/ann"), 405)


def test_head_has_the_headers_of_get(client):
    answer = client.send("HEAD", "/health/live")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def test_a_failure_inside_is_logged_and_not_told(client, monkeypatch, caplog):
    def fail(*_args, **_more):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(client.home.answerer, "recommend", fail)
    document = problem(client.get("/recommend/ann"), 500)
    assert "secret" not in json.dumps(document)
    assert "secret" in caplog.text


def test_who_asked_for_what_failed_inside_is_not_logged(client, monkeypatch, caplog):
    monkeypatch.setattr(client.home.answerer, "recommend", lambda *_, **__: 1 / 0)
    assert client.get("/recommend/ann@example.com").status == 500
    assert "GET /recommend/{user_id} failed" in caplog.text
    assert "ann@example.com" not in caplog.text


def test_the_process_is_alive_and_ready_without_a_model(empty):
    assert empty.get("/health/live").json == {"status": "alive"}
    ready = empty.get("/health/ready")
    assert (ready.status, ready.json["status"], ready.json["model"]) == (200, "ready", "untrained")
    assert empty.get("/health").json["events"] == 0


def test_a_service_behind_its_log_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(client.home.log, "last_seq", lambda: 10)
    assert "2 events behind" in problem(client.get("/health/ready"), 503)["detail"]


MEASURES = [
    'recommendation_requests_total{source="personalized",user_type="known"} 1',
    'recommendation_requests_total{source="trending",user_type="cold"} 1',
    "recommendation_latency_seconds_count 2",
    'similar_items_requests_total{status="ok"} 1',
    'similar_items_requests_total{status="not_found"} 1',
    "user_profile_requests_total 1",
    'filter_applied_total{type="product_group"} 1',
    "items_excluded_explicit_total 2",
    "explain_requests_total 1",
    "explain_computation_duration_seconds_count 1",
    "recommendation_diversity_score_count",
    "events_processed_total",
    "event_processing_duration_seconds_count",
    'recommendation_fallback_total{reason="no_model"}',
    "mmr_rerank_applied_total",
]


@pytest.mark.parametrize("telemetry", [MemoryTelemetry, PrometheusTelemetry])
def test_measures_have_the_names_that_dashboards_use(tmp_path, telemetry):
    with open_home(tmp_path / "home", settings=Settings(), create=True, telemetry=telemetry()) as home:
        home.put_items(FILMS)
        client = Client(home)
        client.post("/events", PAST)
        text = measured(client)
    assert [measure for measure in MEASURES if measure not in text] == []


def measured(client: Client) -> str:
    """Ask a little of everything, and return the measures."""
    client.get("/recommend/ann?explain=true&product_group=Crime")
    client.get("/recommend/new?exclude_ids=big,jaws")
    client.get("/items/fargo/similar")
    client.get("/items/nope/similar")
    client.get("/users/ann/profile")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.body.decode()


def test_the_document_describes_every_operation(client):
    document = client.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert described == {(route.path, route.method) for route in client.app.table.routes if not route.hidden}
    assert ("/recommend/{user_id}", "GET") in described
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)


def test_every_reference_in_the_document_resolves(client):
    body = client.get("/openapi.json").body.decode()
    schemas = json.loads(body)["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', body)) <= set(schemas)


def test_parameters_are_described_with_range_and_default(client):
    operation = client.get("/openapi.json").json["paths"]["/recommend/{user_id}"]["get"]
    parameters = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert parameters["user_id"]["in"] == "path"
    expected = {"k": (1, 50, 10), "explain_top_k": (1, 10, 3), "diversity_lambda": (0, 1, 0.8)}
    for name, (least, most, usual) in expected.items():
        schema = parameters[name]["schema"]
        assert (schema["minimum"], schema["maximum"], schema["default"]) == (least, most, usual)


@pytest.mark.parametrize(
    ("target", "kind"),
    [("/", "text/html"), ("/docs", "text/html"), ("/storefront/main.js", "text/javascript"),
     ("/storefront/base.css", "text/css"), ("/storefront/favicon.svg", "image/svg+xml"),
     ("/reference/reference.js", "text/javascript")],
)  # fmt: skip
def test_pages_come_with_a_policy_that_lets_nothing_else_in(client, target, kind):
    answer = client.get(target)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(kind)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = client.get(target, if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_needs_anything_from_elsewhere(page):
    text = page.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//cdn|@import|url\((?!#)", text)


@pytest.mark.parametrize("page", SCRIPTS, ids=lambda page: page.name)
def test_no_script_reads_data_as_markup(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(AS_MARKUP, text)


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_no_page_has_scripts_or_styles_within(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", text)
