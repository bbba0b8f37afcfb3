"""From a command to its work: imported when needed, its errors as words and exit codes."""

import errno
import importlib
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
import typer
from threadpoolctl import threadpool_limits

from foretaste.domain.errors import (
    CorruptDataError,
    ForetasteError,
    GateRefusedError,
    InvalidInputError,
    MissingExtraError,
    NotFoundError,
    UnavailableError,
)
from foretaste.domain.extras import missing_extra

EXIT_CODES: tuple[tuple[type[ForetasteError], int], ...] = (
    (InvalidInputError, 2),
    (NotFoundError, 3),
    (UnavailableError, 4),
    (CorruptDataError, 5),
    (GateRefusedError, 6),
    (MissingExtraError, 7),
)
INTERRUPTED = 130
REMEDIES = {
    errno.EACCES: "give rights to it, or choose another place",
    errno.EPERM: "give rights to it, or choose another place",
    errno.EROFS: "choose a place that can be written",
    errno.ENOSPC: "free disk space, then run it again",
    errno.EDQUOT: "free disk space, then run it again",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another place",
    errno.EEXIST: "choose another name",
    errno.EISDIR: "a folder stands where a file is to be; choose another name",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.EMFILE: "let the process open more files (ulimit -n)",
}
"""What helps against what the operating system refuses."""


def dispatch(command: str, *, as_json: bool, **options: Any) -> None:
    """Run `foretaste.app.cli.<command>.run`, the one place where commands are imported.

    Linear algebra is held to one thread: the systems are small, and results the same on each run.

    An error of the tree is written to standard error, as JSON if asked for, and becomes the exit code
    that `foretaste.domain.errors` gives it; any other error of the tree is 1. What the operating system
    refuses, as rights or room, is an `UnavailableError`.
    """
    try:
        work = importlib.import_module(f"foretaste.app.cli.{command}")
        threadpool_limits(limits=1, user_api="blas")
        work.run(as_json=as_json, **options)
    except ForetasteError as error:
        report(error, as_json=as_json)
        raise typer.Exit(exit_code(error)) from error
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        refused = refusal(error)
        report(refused, as_json=as_json)
        raise typer.Exit(exit_code(refused)) from error
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        report(missing, as_json=as_json)
        raise typer.Exit(exit_code(missing)) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(INTERRUPTED) from error


def runs(command: str, **fixed: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a signature without a body dispatch to `command`: its arguments by their names, and `fixed`."""

    def declare(signature: Callable[..., None]) -> Callable[..., None]:
        @wraps(signature)
        def run(**given: Any) -> None:
            dispatch(command, **fixed, **given)

        return run

    return declare


def exit_code(error: ForetasteError) -> int:
    """Return the exit code of an error, as its tree says."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def refusal(error: OSError) -> UnavailableError:
    """Return what to say of an error with one of the numbers of `REMEDIES`."""
    where = "" if error.filename is None else f"{error.filename}: "
    return UnavailableError(f"{where}{error.strerror}; {REMEDIES[error.errno or 0]}")


def report(error: ForetasteError, *, as_json: bool) -> None:
    """Write an error to standard error."""
    if as_json:
        said = {"error": type(error).__name__, "message": error.message, "field": error.field}
        sys.stderr.write(msgspec.json.encode(said).decode() + "\n")
    else:
        sys.stderr.write(f"foretaste: {error.message}\n")
