"""Colours on terminals: few, and readable on dark and on light ground."""

import os
from typing import TextIO

# Codes of ECMA-48; red is bold, as it is hard to read otherwise.
RED, GREEN, YELLOW, BLUE, CYAN, DIM = "1;31", "32", "33", "34", "36", "2"


def painted(text: str, colour: str, stream: TextIO) -> str:
    """Return *text* in a colour if *stream* is a terminal that shows colours, and ``NO_COLOR`` is not set."""
    return f"\x1b[{colour}m{text}\x1b[0m" if text and has_colours(stream) else text


def has_colours(stream: TextIO) -> bool:
    """Whether *stream* is a terminal, and nothing in the environment objects."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
