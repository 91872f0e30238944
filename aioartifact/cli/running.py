"""How a verb's coroutine runs."""

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
    """Put the null device where a standard stream is closed, as services have it; a socket would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def accept_any_text() -> None:
    """
    Have the standard streams fail on no text.

    stdout and stderr write an escape for a character that their encoding lacks. Bytes of stdin that are not text are
    read as in names of files, and names that have such bytes are written with them.
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
    """Encode a character that an encoding lacks: a byte that Python has kept in a name as it is, any other escaped."""
    assert isinstance(error, UnicodeEncodeError)
    character, end = error.object[error.start], error.start + 1
    byte = ord(character) - 0xDC00
    if 0x80 <= byte <= 0xFF and not error.encoding.startswith(("utf-16", "utf-32")):
        return bytes([byte]), end
    return character.encode("ascii", "backslashreplace").decode("ascii"), end


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function in an event loop of its own; Ctrl-C or SIGTERM cancels it, and it cleans up."""
    # Imported here, where Ctrl-C ends an import at once; in the event loop it would wait for the end of it.
    import anyio

    _ = aioartifact.session

    try:
        return anyio.run(
            cancelled_by_signals, function, backend_options={"use_uvloop": find_spec("uvloop") is not None}
        )
    finally:
        sys.stdout.flush()  # here a reader that has left is noticed in time
