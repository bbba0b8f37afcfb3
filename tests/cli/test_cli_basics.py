"""Help, errors and exit codes."""

import errno
import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from foretaste.app.cli import app, dispatch
from foretaste.app.cli.doctor import PURPOSE_OF_EXTRA
from foretaste.domain import errors
from foretaste.domain.extras import EXTRA_OF_MODULE

COMMANDS = [
    "demo",
    "ingest",
    "train",
    "tune",
    "evaluate",
    "recommend",
    "similar",
    "batch",
    "serve",
    "archive",
    "simulate",
    "worker",
    "models",
    "doctor",
    "replay",
    "scenarios",
    "export",
    "import",
    "warm",
    "migrate",
]


def test_help_lists_every_command_with_a_sentence(foretaste):
    outcome = foretaste("--help")
    assert outcome.code == 0
    for command in COMMANDS:
        assert command in outcome.out
    assert "Exit codes" in outcome.out


def test_it_says_which_version_it_is(foretaste):
    outcome = foretaste("--version")
    assert (outcome.code, outcome.out) == (0, f"foretaste {version('foretaste')}\n")


INNER = (
    *("models list", "models promote", "models rollback", "import folder", "import gorse"),
    *("scenarios list", "scenarios show", "scenarios check", "scenarios preview"),
)


@pytest.mark.parametrize("command", [*COMMANDS, *INNER])
def test_every_command_has_help(foretaste, command):
    outcome = foretaste(*command.split(), "--help")
    assert outcome.code == 0
    assert "--json" in outcome.out or command in {"models", "scenarios", "import"}


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from foretaste.app.cli import app; "
        "print({'numba', 'polars', 'scipy', 'litestar', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout.strip() == b"set()"


def test_a_wrong_option_is_exit_code_2(foretaste):
    assert foretaste("recommend", "u1", "--count", "ten").code == 2
    assert foretaste("recommend", "u1", "-k", "0").code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidEventError("x"), 2),
        (errors.UnknownModelError("x"), 3),
        (errors.NotDurableError("x"), 4),
        (errors.CorruptArtifactError("x"), 5),
        (errors.GateRefusedError("x"), 6),
        (errors.MissingExtraError("x"), 7),
        (errors.SequenceGapError("x"), 1),
    ],
)
def test_exit_codes_are_those_of_the_error_tree(error, code):
    assert dispatch.exit_code(error) == code


def test_an_error_is_one_line_that_says_what_to_do(foretaste):
    outcome = foretaste("ingest", "events", "nowhere.csv")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "foretaste: nowhere.csv: no such file\n"


def test_for_a_script_the_error_is_json(foretaste):
    outcome = foretaste("ingest", "events", "nowhere.csv", "--json")
    assert '"error":"InvalidInputError"' in outcome.err
    assert '"field":"path"' in outcome.err


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.ENAMETOOLONG])
def test_what_the_system_refuses_is_one_line_too(foretaste, monkeypatch, number):
    def refused(_):
        raise OSError(number, os.strerror(number), "shop/models/.lock")

    monkeypatch.setattr(dispatch.importlib, "import_module", refused)
    outcome = foretaste("models", "rollback")
    assert (outcome.code, outcome.out) == (4, "")
    begin = f"foretaste: shop/models/.lock: {os.strerror(number)}; "
    assert outcome.err == f"{begin}{dispatch.REMEDIES[number]}\n"


def test_a_missing_optional_part_names_the_install_command(foretaste, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name=f"uvicorn.{name}")

    monkeypatch.setattr(dispatch.importlib, "import_module", absent)
    outcome = foretaste("serve")
    assert outcome.code == 7
    assert "pip install 'foretaste[serve]'" in outcome.err


def test_a_module_of_ours_that_is_missing_is_not_taken_for_an_extra(foretaste, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(dispatch.importlib, "import_module", absent)
    with pytest.raises(ModuleNotFoundError):
        foretaste("doctor")


def test_every_signature_has_its_module():
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    groups = [group.name for group in app.registered_groups]
    assert sorted([*names, *groups]) == sorted(COMMANDS)


def test_the_doctor_looks_at_every_extra():
    assert set(PURPOSE_OF_EXTRA) == set(EXTRA_OF_MODULE.values())


@pytest.mark.parametrize(
    ("arguments", "field"),
    [(["recommend"], "user_id"), (["recommend", "u1", "-k", "0"], "count"), (["nix"], None)],
)
def test_wrong_arguments_are_told_as_json_where_json_is_asked_for(foretaste, arguments, field):
    outcome = foretaste(*arguments, "--json")
    told = json.loads(outcome.err)
    assert (outcome.code, told["error"], told["field"]) == (2, "InvalidInputError", field)
    assert told["message"]
