"""
The functions of ``aioartifact`` for code that blocks: scripts, interactive interpreters, synchronous web frameworks.

Each function has the name, the arguments, the result and the errors that it has in ``aioartifact``, without ``await``,
``async for`` and ``async with``::

    from aioartifact import blocking

    with blocking.session(server) as session:
        for file in blocking.walk(f"{server}/libs-release/org/acme", session=session):
            print(file.path, file.size)
        blocking.download_many(urls, "data", session=session)

Calls run in one event loop in a thread of its own, which ends with the last call or session. They may be made by any
number of threads, and with one session. Ctrl-C cancels a call and is raised when it has ended.

A bulk call such as :func:`download_many` returns its report. ``iter_download_many``, with the same arguments, yields
its outcomes as they finish. Items may be read from any iterable, which is read in the thread that makes the call.

The names are generated from those of ``aioartifact``, see ``_blocking``; type checkers read them in ``blocking.pyi``,
which ``python .ci/blocking_stubs.py`` writes.
"""

from ._blocking.names import names, resolve

__all__ = names()


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = resolve(name)
    return value


def __dir__() -> list[str]:
    return __all__
