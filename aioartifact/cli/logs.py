"""Log messages of the library on stderr, for ``-v`` and ``-vv``."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import say

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class _Stderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


@contextmanager
def shown_logs(verbosity: int) -> Iterator[None]:
    """Show what the library logs: from 1 on retries and pauses, from 2 on each request."""
    logger = logging.getLogger("aioartifact")
    before, handler = logger.level, _Stderr()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(_LEVELS[min(verbosity, len(_LEVELS) - 1)])
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
