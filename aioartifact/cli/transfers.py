"""Output of bulk calls: outcomes as they arrive, progress, and failures at the end."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import click

import aioartifact

from . import display, render
from .errors import DONE, say, show_all
from .running import run
from .settings import Settings

F = TypeVar("F", bound=Callable[..., object])
Failures: TypeAlias = list[aioartifact.ArtifactoryError]


def on_error(command: F) -> F:
    """Add ``--on-error`` to the command."""
    return click.option(
        "--on-error",
        type=click.Choice(["raise", "stop", "collect"]),
        default="raise",
        help="If a file fails: finish the rest, then exit 1 (default); cancel the rest; finish, exit 0.",
    )(command)


def max_concurrency(command: F) -> F:
    """Add ``--max-concurrency`` to the command."""
    return click.option("--max-concurrency", metavar="N", type=click.IntRange(min=1), help="Files in flight.")(command)


def cached(command: F) -> F:
    """Add ``--cache`` and ``--offline`` to the command."""
    offline = click.option("--offline", is_flag=True, help="Use only the cache, and send no requests.")
    cache = click.option("--cache", is_flag=True, help="Take files from the cache, and add others to it.")
    return cache(offline(command))


def cache_of(*, cache: bool, offline: bool) -> "aioartifact.Cache | None":
    """The cache that ``--cache`` and ``--offline`` choose."""
    return aioartifact.Cache(offline=True if offline else None) if cache or offline else None


def transfer(
    settings: Settings,
    progress: aioartifact.Progress,
    call: Callable[[], Coroutine[Any, Any, Failures]],
    *,
    on_error: str,
    done: str,
) -> int:
    """Run *call*, whose files are then *done*; report failures, and return the exit code."""
    with display.shown(progress, quiet=settings.quiet):
        failures = run(call)
    now = progress.snapshot()
    if not settings.quiet:
        say(display.summary(now, done))
    code = show_all(failures, alone=now.files_total == 1)
    return DONE if on_error == "collect" else code


async def show_outcomes(
    batch: "aioartifact.Batch", *, as_json: bool, show: Callable[..., None] = render.outcome
) -> Failures:
    """Show each outcome as it arrives; return the failures."""
    failures = []
    # Each outcome has its error; the group adds nothing.
    with suppress(aioartifact.BatchError):
        async with batch as outcomes:
            async for outcome in outcomes:
                show(outcome, as_json=as_json)
                if outcome.error:
                    failures.append(outcome.error)
    return failures
