"""How a verb's coroutine runs."""

import os
import sys
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from io import TextIOWrapper
from typing import Any, TypeVar

from .termination import cancelled_by_signals

T = TypeVar("T")


def hold_standard_streams() -> None:
    """Put the null device where a standard stream is closed, as services have it; a socket would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def write_any_text() -> None:
    """Have stdout and stderr write an escape for a character that their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            is_utf8 = stream.encoding.lower().replace("-", "").startswith("utf8")
            if not is_utf8:
                stream.reconfigure(errors="backslashreplace")


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function in an event loop of its own; Ctrl-C or SIGTERM cancels it, and it cleans up."""
    import anyio

    try:
        return anyio.run(
            cancelled_by_signals, function, backend_options={"use_uvloop": find_spec("uvloop") is not None}
        )
    finally:
        sys.stdout.flush()  # here a reader that has left is noticed in time
