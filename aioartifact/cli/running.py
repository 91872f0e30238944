"""Run the coroutine of a command."""

import codecs
import os
import sys
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from io import TextIOWrapper
from typing import Any, TypeVar

import aioartifact

from .termination import cancelled_by_signals

T = TypeVar("T")


def hold_standard_streams() -> None:
    """Open the null device for a closed standard stream, as in services; otherwise a socket would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def accept_any_text() -> None:
    """
    Let the standard streams accept any text.

    stdout and stderr escape characters that their encoding lacks. Bytes of stdin that are not text are decoded as in
    names of files, and written unchanged.
    """
    codecs.register_error("aioartifact.escape", _escape)
    for stream, errors in (
        (sys.stdin, "surrogateescape"),
        (sys.stdout, "aioartifact.escape"),
        (sys.stderr, "aioartifact.escape"),
    ):
        if isinstance(stream, TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors=errors)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """Encode a character that an encoding lacks: undecodable bytes of a name unchanged, others escaped."""
    assert isinstance(error, UnicodeEncodeError)
    character, end = error.object[error.start], error.start + 1
    byte = ord(character) - 0xDC00
    if 0x80 <= byte <= 0xFF and not error.encoding.startswith(("utf-16", "utf-32")):
        return bytes([byte]), end
    return character.encode("ascii", "backslashreplace").decode("ascii"), end


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function in an event loop of its own; Ctrl-C or SIGTERM cancels it, and it cleans up."""
    # Imported before the event loop runs: inside of it, Ctrl-C would wait for the end of the import.
    import anyio

    _ = aioartifact.session

    try:
        return anyio.run(
            cancelled_by_signals, function, backend_options={"use_uvloop": find_spec("uvloop") is not None}
        )
    finally:
        sys.stdout.flush()  # here a closed pipe is noticed in time
