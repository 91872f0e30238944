"""How a verb's coroutine runs."""

import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, TypeVar

T = TypeVar("T")


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """
    Run a coroutine function in an event loop of its own; Ctrl-C cancels it, and it cleans up.

    Raises:
        KeyboardInterrupt: It was cancelled so.
    """
    import asyncio

    import anyio

    interrupted = False

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None

        def interrupt() -> None:
            nonlocal interrupted
            interrupted = True
            task.cancel()

        # asyncio.run() does the same, but a signal that comes right before the loop goes to sleep does not wake it.
        with suppress(NotImplementedError):  # on Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
        return await function()

    try:
        return anyio.run(cancellable, backend_options={"use_uvloop": find_spec("uvloop") is not None})
    except asyncio.CancelledError:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        sys.stdout.flush()  # here a reader that has left is noticed in time
