"""One process that does jobs for this one, seen from here."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio

from .._errors import WorkerError
from .messages import Begin, Decoder, FromProcess, Ready, ToProcess, encode

_READ_SIZE = 256 * 1024
# A process that was told to end and has not by then is killed; it gives itself less.
_GRACE = 3.0
# The same modules are found as here, from wherever they were imported; the current folder is not, unless it is here.
_CODE = "import sys; sys.path[:] = sys.argv[1:]; from aioartifact._processes.worker import main; main()"


class Child:
    """
    A process that was started, and answers.

    Args:
        process: The process.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout

    async def send(self, message: ToProcess) -> None:
        """Send a message; nothing happens if the process is gone, which `messages` will tell."""
        with suppress(ConnectionError):
            self._stdin.write(encode(message))
            await self._stdin.drain()

    async def messages(self) -> AsyncGenerator[FromProcess, None]:
        """Yield messages until the process ends."""
        decoder = Decoder()
        while data := await self._stdout.read(_READ_SIZE):
            for message in decoder.feed(data):
                yield message

    async def end(self) -> int:
        """Have it end, and return its exit code."""
        with suppress(ConnectionError):
            self._stdin.close()
        with anyio.move_on_after(_GRACE):
            while await self._stdout.read(_READ_SIZE):
                pass  # it may be waiting to write
            return await self._process.wait()
        with suppress(ProcessLookupError):
            self._process.kill()
        return await self._process.wait()


@asynccontextmanager
async def started(begin: Begin) -> AsyncIterator[tuple[Child, AsyncGenerator[FromProcess, None]]]:
    """
    Start a process, and yield it with its messages once it is ready; at the end of the block it ends.

    Raises:
        WorkerError: It could not be started.
    """
    child = Child(await _start())
    messages = child.messages()
    try:
        await child.send(begin)
        if not isinstance(await anext(messages, None), Ready):
            code = await child.end()
            raise WorkerError(
                f"a worker process ended with exit code {code} before it began",
                exit_code=code,
                hint="what it printed on stderr tells why; processes=1 works without",
            )
        yield child, messages
    finally:
        with anyio.CancelScope(shield=True):
            await messages.aclose()
            await child.end()


async def _start() -> asyncio.subprocess.Process:
    if not sys.executable or getattr(sys, "frozen", False):
        raise WorkerError("there is no Python interpreter to start worker processes with", hint="leave processes out")
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-W", "ignore", "-c", _CODE, *map(os.path.abspath, sys.path)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            **_own_group(),
        )
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise WorkerError(f"a worker process could not be started: {reason}", hint="ask for fewer processes") from error


def _own_group() -> dict[str, Any]:
    """Ctrl-C is for the caller, which then has the process end: both at once would leave neither a chance to tidy."""
    if os.name == "nt":
        return {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP, a name that subprocess has on Windows only
    return {"start_new_session": True}  # uvloop does not know process_group
