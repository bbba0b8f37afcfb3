"""What one HTTP request costs in the server, by framework: the measurement behind decision 0001.

Every candidate answers `GET /recommend/{user_id}` with the parameters of the real route, their ranges and
defaults, and ten freshly built items of JSON; nothing is recommended, so what is measured is HTTP, routing,
parameters and encoding. The server is one process on one core, its CPU time is read from the operating
system before and after, and the load comes from another process over keep-alive connections.

`python benchmarks/http_frameworks.py` prints a table; what is not installed is left out and named.
`uv pip install fastapi granian` brings the candidates that the project does not depend on.
"""

# Candidates are imported where they are tried, and declare the real route's parameters without use.
# ruff: noqa: ARG001, PLC0415

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, parse_qsl, unquote

import msgspec

from server_process import cpu_seconds, free_port, load, wait_for_port

HERE = Path(__file__).parent
PATH = "/recommend/{user}?k=10&product_group=Drama,Comedy&diversity_lambda=0.7"
SERVERS = ("uvicorn", "granian")


class Item(msgspec.Struct):
    """One recommended item."""

    item_id: str
    item_idx: int
    rank: int
    score: float
    match: float
    title: str
    categories: list[str]
    sources: list[str]
    reason: str
    propensity: float


class Answer(msgspec.Struct):
    """The answer: ten of them."""

    recommendation_id: str
    user_id: str
    source: str
    model_version: str
    items: list[Item]


def answer(user_id: str, k: int) -> Answer:
    """Build the answer anew, as a real one is."""
    items = [
        Item(
            item_id=f"item-{i}",
            item_idx=i,
            rank=i + 1,
            score=1.5 - i / 7,
            match=0.9 - i / 40,
            title=f"Title of item {i}",
            categories=["Drama", "War"],
            sources=["ease", "ials"],
            reason=f"Because you liked item {i + 1}",
            propensity=1.0,
        )
        for i in range(k)
    ]
    return Answer("0123456789abcdef01234567", user_id, "personalized", "20260101-blend-1", items)


def bare_asgi() -> Any:
    """No framework: the least that a Python ASGI application can cost."""
    encode = msgspec.json.Encoder().encode

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        user_id = scope["path"].rpartition("/")[2]
        query = parse_qs(scope["query_string"].decode())
        body = encode(answer(user_id, int(query.get("k", ["10"])[0])))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return application


class Parameters(msgspec.Struct, frozen=True):
    """The parameters of the real route, checked by msgspec."""

    k: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10
    product_group: str | None = None
    product_type: str | None = None
    exclude_ids: str | None = None
    exclude_groups: str | None = None
    exclude_types: str | None = None
    explain: bool = False
    explain_top_k: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    diversity_lambda: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.8
    scenario: str = "home"
    model: str | None = None


def starlette_msgspec() -> Any:
    """Starlette's router and request; msgspec converts the query and writes the body."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    encode = msgspec.json.Encoder().encode

    async def recommend(request: Request) -> Response:
        given = msgspec.convert(dict(request.query_params), Parameters, strict=False)
        body = encode(answer(request.path_params["user_id"], given.k))
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/recommend/{user_id}", recommend)])


def litestar_typed() -> Any:
    """Litestar as its tutorial has it: every parameter in the signature, a struct as the result."""
    from litestar import Litestar, get
    from litestar.params import Parameter

    async def recommend(
        user_id: str,
        k: Annotated[int, Parameter(ge=1, le=50)] = 10,
        product_group: str | None = None,
        product_type: str | None = None,
        exclude_ids: str | None = None,
        exclude_groups: str | None = None,
        exclude_types: str | None = None,
        explain: bool = False,
        explain_top_k: Annotated[int, Parameter(ge=1, le=10)] = 3,
        diversity_lambda: Annotated[float, Parameter(ge=0, le=1)] = 0.8,
        scenario: str = "home",
        model: str | None = None,
    ) -> Answer:
        return answer(user_id, k)

    return Litestar([get("/recommend/{user_id:str}")(recommend)])


def litestar_struct() -> Any:
    """Litestar's router, OpenAPI and errors; the query as one msgspec struct, the body as bytes."""
    from litestar import Litestar, Request, Response, get

    encode = msgspec.json.Encoder().encode

    async def recommend(user_id: str, request: Request[Any, Any, Any]) -> Response[bytes]:
        given = msgspec.convert(dict(request.query_params), Parameters, strict=False)
        return Response(encode(answer(user_id, given.k)), media_type="application/json")

    return Litestar([get("/recommend/{user_id:str}")(recommend)])


def asgi_struct() -> Any:
    """Match a pattern of our own over ASGI; the query as one msgspec struct, the body as bytes."""
    encode = msgspec.json.Encoder().encode
    pattern = re.compile(r"/recommend/([^/]+)")

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        found = pattern.fullmatch(scope["raw_path"].decode("ascii").partition("?")[0])
        if found is None:
            raise LookupError(scope["raw_path"])
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        given = msgspec.convert(query, Parameters, strict=False)
        body = encode(answer(unquote(found[1]), given.k))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return application


def fastapi_with(model: bool) -> Any:
    """FastAPI with the parameters in the signature; a Pydantic response model with `model`."""
    from fastapi import FastAPI, Query
    from pydantic import BaseModel

    class ItemModel(BaseModel):
        item_id: str
        item_idx: int
        rank: int
        score: float
        match: float
        title: str
        categories: list[str]
        sources: list[str]
        reason: str
        propensity: float

    class AnswerModel(BaseModel):
        recommendation_id: str
        user_id: str
        source: str
        model_version: str
        items: list[ItemModel]

    app = FastAPI()

    async def recommend(
        user_id: str,
        k: Annotated[int, Query(ge=1, le=50)] = 10,
        product_group: str | None = None,
        product_type: str | None = None,
        exclude_ids: str | None = None,
        exclude_groups: str | None = None,
        exclude_types: str | None = None,
        explain: bool = False,
        explain_top_k: Annotated[int, Query(ge=1, le=10)] = 3,
        diversity_lambda: Annotated[float, Query(ge=0, le=1)] = 0.8,
        scenario: str = "home",
        model: str | None = None,
    ) -> Any:
        return msgspec.to_builtins(answer(user_id, k))

    app.get("/recommend/{user_id}", response_model=AnswerModel if model else None)(recommend)
    return app


CANDIDATES = {
    "bare ASGI": ("msgspec", bare_asgi),
    "own route table, msgspec struct": ("msgspec", asgi_struct),
    "Starlette route, msgspec struct": ("starlette", starlette_msgspec),
    "Litestar, msgspec struct": ("litestar", litestar_struct),
    "Litestar, typed signature": ("litestar", litestar_typed),
    "FastAPI, no response model": ("fastapi", lambda: fastapi_with(model=False)),
    "FastAPI, response model": ("fastapi", lambda: fastapi_with(model=True)),
}
app = CANDIDATES[os.environ["HTTP_FRAMEWORK"]][1]() if "HTTP_FRAMEWORK" in os.environ else None


@dataclass(frozen=True)
class Measured:
    """One run."""

    candidate: str
    server: str
    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float


def start_server(server: str, candidate: str, port: int) -> "subprocess.Popen[bytes]":
    """Start a candidate and return when it listens."""
    common = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    command = {
        "uvicorn": [
            "uvicorn",
            "http_frameworks:app",
            "--http",
            "httptools",
            "--loop",
            "uvloop",
            "--no-access-log",
        ],
        "granian": [
            "granian",
            "--interface",
            "asgi",
            "http_frameworks:app",
            "--loop",
            "uvloop",
            "--workers",
            "1",
        ],
    }[server]
    environment = {**os.environ, "HTTP_FRAMEWORK": candidate, "PYTHONPATH": str(HERE)}
    process = subprocess.Popen(
        [sys.executable, "-m", *command, *common], cwd=HERE, env=environment, stdout=subprocess.DEVNULL
    )
    wait_for_port(process, port, 20)
    return process


def measure(candidate: str, server: str, seconds: float, requests: Path) -> Measured:
    """Load one candidate and read its CPU time before and after."""
    port = free_port()
    process = start_server(server, candidate, port)
    try:
        load(port, requests, "--seconds", "0.5")
        before = cpu_seconds(process.pid)
        outcome = load(port, requests, "--seconds", str(seconds))
        spent = cpu_seconds(process.pid) - before
    finally:
        process.terminate()
        process.wait(10)
    if set(outcome["statuses"]) != {"200"}:
        raise RuntimeError(f"{candidate} on {server} answered {outcome['statuses']}")
    cpu_us = 1e6 * spent / outcome["requests"]
    return Measured(candidate, server, cpu_us, outcome["per_second"], outcome["p50_ms"], outcome["p99_ms"])


def middle(rows: list[Measured]) -> Measured:
    """Return the run with the median CPU time."""
    return sorted(rows, key=lambda row: row.cpu_us)[len(rows) // 2]


def main() -> None:
    """Measure every candidate and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="load per run")
    parser.add_argument("--runs", type=int, default=3, help="runs per candidate, of which the median counts")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    given = parser.parse_args()
    rows: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        requests = Path(folder) / "requests.jsonl"
        lines = (json.dumps({"method": "GET", "path": PATH.format(user=user)}) for user in range(1000))
        requests.write_text("\n".join(lines))
        for server in SERVERS:
            for candidate, (package, _) in CANDIDATES.items():
                missing = [name for name in (package, server) if importlib.util.find_spec(name) is None]
                if missing:
                    print(
                        f"left out: {candidate} on {server}: {', '.join(missing)} is not installed",
                        file=sys.stderr,
                    )
                    continue
                rows.append(
                    middle([measure(candidate, server, given.seconds, requests) for _ in range(given.runs)])
                )
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    print(
        "| server | candidate | CPU µs/request | requests/s | p50 ms | p99 ms |\n"
        "|---|---|---:|---:|---:|---:|"
    )
    for row in rows:
        print(
            f"| {row.server} | {row.candidate} | {row.cpu_us:.1f} | {row.per_second:,.0f} | {row.p50_ms:.2f} "
            f"| {row.p99_ms:.2f} |"
        )


if __name__ == "__main__":
    main()
