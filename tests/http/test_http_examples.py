"""The examples of the OpenAPI document: one for each operation, true to its schema and to the service."""

import importlib.util
import json
from pathlib import Path

import pytest
from schema_check import faults

from foretaste.app.http.application import api_routes, openapi_document
from foretaste.app.http.asgi.examples import read_examples
from foretaste.app.wiring import home_in_memory

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/record_examples.py"
SPEC = importlib.util.spec_from_file_location("record_examples", SCRIPT)
record_examples = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(record_examples)

with home_in_memory() as _home:
    ROUTES = {f"{route.method} {route.path}": route for route in api_routes(_home)}
    DOCUMENT = openapi_document(list(ROUTES.values()))
SCHEMAS = DOCUMENT["components"]["schemas"]
EXAMPLES = read_examples()
REMEDY = "write its request into reference/examples.json and run `python scripts/record_examples.py`"


@pytest.fixture(scope="module")
def answers():
    """What the example service answers to all examples, in the order of the operations."""
    with record_examples.example_home() as home:
        service = record_examples.ExampleService(home)
        yield {name: service.ask(name, EXAMPLES[name]) for name in ROUTES if name in EXAMPLES}


def operation(name):
    method, path = name.split(" ")
    return DOCUMENT["paths"][path][method.lower()]


def answer_schema(name):
    content = operation(name)["responses"][str(ROUTES[name].status)]["content"]
    return content["application/json"]["schema"]


def test_the_examples_are_those_of_the_operations():
    assert list(EXAMPLES) == list(ROUTES), REMEDY


@pytest.mark.parametrize("name", ROUTES)
def test_an_operation_has_an_example_of_its_request(name):
    said = operation(name)
    for parameter in said["parameters"]:
        if parameter.get("required"):
            assert "example" in parameter, REMEDY
        if "example" in parameter:
            assert faults(parameter["example"], parameter["schema"], SCHEMAS) == []
    if "requestBody" in said:
        body = said["requestBody"]["content"]["application/json"]
        assert faults(body["example"], body["schema"], SCHEMAS) == []


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.answer is not None])
def test_an_operation_has_an_example_of_its_answer(name):
    content = operation(name)["responses"][str(ROUTES[name].status)]["content"]["application/json"]
    assert faults(content["example"], content["schema"], SCHEMAS) == []


@pytest.mark.parametrize("name", ROUTES)
def test_the_service_answers_the_example_as_the_document_says(name, answers):
    status, body = answers[name]
    assert status == ROUTES[name].status, body
    if ROUTES[name].answer is not None:
        assert faults(json.loads(body), answer_schema(name), SCHEMAS) == []


def test_the_check_finds_what_does_not_keep_to_a_schema():
    example = EXAMPLES["GET /recommend/{user_id}"].answer
    schema = answer_schema("GET /recommend/{user_id}")
    wrong = {**example, "state_seq": "7", "mood": 1}
    del wrong["items"]
    assert len(faults(wrong, schema, SCHEMAS)) == 3
