"""Every command and code block of the documentation runs as printed."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
)
RUN_BY_OTHER_TESTS = {
    "make demo": "tests/docs/test_readme_commands.py runs it",
    "make test": "is the run that executes this test",
    "make check": "is the run that executes this test",
    "make bench": "takes minutes and is no test",
    "make torture": "is the long form of tests/reliability",
    "git clone": "the clone is where this test runs",
}
EXECUTED = ("console", "python")
SHOWN_ONLY = ("text", "json", "toml", "csv", "mermaid", "http")


@dataclass(frozen=True)
class Block:
    language: str
    body: str


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    return [
        Block(match["language"], textwrap.dedent(match["body"]))
        for match in FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


def commands_of(block: Block) -> list[str]:
    """Return the commands behind the prompts of a console block, with the lines that belong to them."""
    commands: list[str] = []
    for line in block.body.splitlines():
        if commands and is_unfinished(commands[-1]):
            commands[-1] += "\n" + line
        elif line.startswith("$ "):
            commands.append(line[2:])
    return commands


def is_unfinished(command: str) -> bool:
    """Return whether a shell would read on: a backslash, an open quote or a here-document."""
    document = re.search(r"<<'(\w+)'", command)
    if document:
        return not command.endswith(f"\n{document[1]}")
    if command.endswith("\\"):
        return True
    try:
        shlex.split(command)
    except ValueError:
        return True
    return False


def is_run_by_another_test(command: str) -> bool:
    return any(command.startswith(prefix) for prefix in RUN_BY_OTHER_TESTS)


def script_of(page: Path) -> str:
    """Return a bash script that runs the page's blocks in order, in one folder."""
    lines = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for number, block in enumerate(blocks_of(page)):
        if block.language == "python":
            lines += [
                f"cat > block{number}.py <<'END_OF_BLOCK'",
                block.body,
                "END_OF_BLOCK",
                f"python block{number}.py",
            ]
        elif block.language == "console":
            for command in commands_of(block):
                if is_run_by_another_test(command) or command.startswith("cd "):
                    continue
                lines.append(command)
                if command.rstrip().endswith("&"):
                    lines.append("wait_for_server")
    return "\n".join(lines)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


WAIT_FOR_SERVER = """
wait_for_server() {
  for _ in $(seq 300); do
    if curl -fs "http://127.0.0.1:8000/health/live" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "the server of this page did not come up" >&2; return 1
}
"""

PAGES = sorted(
    page
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if any(block.language in EXECUTED for block in blocks_of(page))
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_runs(page: Path, tmp_path: Path, commands: Path) -> None:
    port = free_port()
    script = (WAIT_FOR_SERVER + script_of(page)).replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "FORETASTE_PORT": str(port),
        "COLUMNS": "110",
    }
    environment.pop("FORETASTE_HOME", None)
    run = subprocess.Popen(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = run.communicate(timeout=240)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == 0, f"{page.name}:\n{output[-4000:]}"


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_every_block_is_executed_or_shown_on_purpose(page: Path) -> None:
    for block in blocks_of(page):
        assert block.language in EXECUTED + SHOWN_ONLY, f"{page.name}: ```{block.language}"
        if block.language == "console":
            assert commands_of(block), f"{page.name}: a console block without a command"
