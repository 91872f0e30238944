"""Errors as lines on stderr and an exit code."""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

import aioartifact

from . import units
from .render import CYAN, RED, YELLOW, painted
from .termination import Terminated

DONE, FAILED, USAGE, REFUSED, MISSING = 0, 1, 2, 3, 4
# 128 plus the number of the signal, as in shells.
INTERRUPTED, TERMINATED = 130, 143
# The first matching class decides.
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (aioartifact.AuthenticationError, REFUSED),
    (aioartifact.ForbiddenError, REFUSED),
    (aioartifact.CredentialsError, REFUSED),
    (aioartifact.NotFoundError, MISSING),
    (aioartifact.InvalidArgumentError, USAGE),
    (aioartifact.ConfigurationError, USAGE),
)
_SHOWN_FAILURES = 10
_COLOURS = {"error": RED, "warning": YELLOW, "hint": CYAN}


def guarded(run: Callable[[], Any]) -> int:
    """Call *run*; write its errors to stderr, and return the exit code."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: say(f"warning: {message}")
        try:
            return run() or DONE
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            return USAGE
        except click.ClickException as error:
            return _show_usage(error)
        except (KeyboardInterrupt, click.Abort):
            say("interrupted")
            return INTERRUPTED
        except Terminated:
            say("terminated")
            return TERMINATED
        except (aioartifact.ArtifactoryError, OSError) as error:
            return show(error)
        except ExceptionGroup as group:
            return show_all(list(_leaves(group)), alone=False)


def say(text: str) -> None:
    """Write a line to stderr, which may contain text of a server and names; a label is coloured on a terminal."""
    label, colon, _ = text.partition(": ")
    is_labelled = label in _COLOURS and bool(colon)
    start = f"{painted(f'{label}:', _COLOURS[label], sys.stderr)} " if is_labelled else ""
    rest = text.removeprefix(f"{label}: ") if is_labelled else text
    # Not click.echo(), which writes UTF-8 where stderr is ASCII.
    sys.stderr.write(start + "\n".join(map(units.printable, rest.split("\n"))) + "\n")
    sys.stderr.flush()


def warn_of_gaps(results: "aioartifact.Results[Any]") -> None:
    """Warn if the server may have left out results."""
    if not results.is_complete:
        say("warning: these may not be all results: the server may have left some out")


def show(error: Exception) -> int:
    """Write the message of *error*, and its hint below; return its exit code."""
    hint = getattr(error, "hint", None)
    say(f"error: {str(error).removesuffix(f' — {hint}')}")
    if hint:
        say(f"hint: {hint}")
    return _code(error)


def show_all(errors: Sequence[Exception], *, alone: bool) -> int:
    """Write the first few of *errors*; return the exit code, that of the error if a single item was requested."""
    codes = [show(error) for error in errors[:_SHOWN_FAILURES]]
    if (more := len(errors) - _SHOWN_FAILURES) > 0:
        say(f"error: {more} more failed; --json lists every file")
    return codes[0] if alone and codes else FAILED if codes else DONE


def _code(error: Exception) -> int:
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def _leaves(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        elif isinstance(error, (aioartifact.ArtifactoryError, OSError)):
            yield error
        else:
            raise group


def _show_usage(error: click.ClickException) -> int:
    say(f"error: {error.format_message()}")
    if isinstance(error, click.UsageError) and error.ctx:
        say(f"hint: {_usage_hint(error, error.ctx)}")
    return error.exit_code


def _usage_hint(error: click.UsageError, context: click.Context) -> str:
    option = error.option_name if isinstance(error, click.NoSuchOption) else None
    if context.parent and any(option in known.opts for known in context.parent.command.params):
        return f"{option} must come before the command: {context.parent.command_path} [OPTIONS] {context.info_name}"
    return f"{context.command_path} --help"
