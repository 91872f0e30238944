"""How a verb's coroutine runs."""

import os
import sys
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

from .termination import cancelled_by_signals

T = TypeVar("T")


def hold_standard_streams() -> None:
    """Put the null device where a standard stream is closed, as services have it; a socket would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function in an event loop of its own; Ctrl-C or SIGTERM cancels it, and it cleans up."""
    import anyio

    try:
        return anyio.run(
            cancelled_by_signals, function, backend_options={"use_uvloop": find_spec("uvloop") is not None}
        )
    finally:
        sys.stdout.flush()  # here a reader that has left is noticed in time
