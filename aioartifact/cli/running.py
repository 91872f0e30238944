"""How a verb's coroutine runs."""

import sys
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

T = TypeVar("T")


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function in an event loop of its own; Ctrl-C cancels it, and it cleans up."""
    import anyio

    try:
        return anyio.run(function, backend_options={"use_uvloop": find_spec("uvloop") is not None})
    finally:
        sys.stdout.flush()  # here a reader that has left is noticed in time
