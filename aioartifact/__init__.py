"""
Asyncio client library for JFrog Artifactory.

Every public name is reached as ``aioartifact.<name>``. Names are imported when they are first used (PEP 562),
so ``import aioartifact`` does not wait for aiohttp. The names are listed in ``_public``.
"""

from importlib import import_module
from importlib.machinery import PathFinder
from sys import modules
from types import FunctionType, SimpleNamespace

# Type checkers know this name. The module typing takes 30 times as long to import as all else here, and the command
# cannot handle Ctrl-C before it is imported.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from ._public import *  # noqa: F403  # each name is marked as exported there

    __version__: str


def _read_public_names() -> dict[str, str]:
    """
    Return the module of each public name.

    Executes the imports of ``_public`` with an ``__import__`` that imports nothing: what it returns has the module of
    a name as the attribute of that name. Parsing the source would take longer, and need the source.
    """

    def modules_of_names(module: str, _globals: object, _locals: object, names: tuple[str, ...], _level: int) -> object:
        return SimpleNamespace(**dict.fromkeys(names, module))

    name = f"{__name__}._public"
    code = PathFinder.find_spec(name, __path__).loader.get_code(name)  # type: ignore[union-attr]  # noqa: F405
    namespace: dict[str, object] = {"__builtins__": {"__import__": modules_of_names}}
    exec(code, namespace)  # noqa: S102  # a module of this package
    return {name: str(module) for name, module in namespace.items() if not name.startswith("__")}


_MODULES = _read_public_names()


def _resolve(name: str) -> object:
    if name == "__version__":
        value: object = _installed_version()
    elif home := _MODULES.get(name):
        value = getattr(import_module(f".{home}", __name__), name)
        _show_public_names()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _installed_version() -> str:
    from importlib.metadata import version  # costs more to import than everything else here

    return version(__name__)


def _show_public_names() -> None:
    """Let reprs, tracebacks and pickles of what is loaded name ``aioartifact``, not private modules."""
    for name, home in _MODULES.items():
        # .get: another thread may be halfway through importing that module
        value = vars(module).get(name) if (module := modules.get(f"{__name__}.{home}")) else None
        if isinstance(value, type | FunctionType):
            value.__module__ = __name__
        if isinstance(value, type) and "__firstlineno__" in vars(value):
            # A line of the private module; CPython 3.13.0 keeps it for some classes, and shows that line of this file.
            delattr(value, "__firstlineno__")


def __dir__() -> list[str]:
    return sorted([*_MODULES, "__version__"])


if not TYPE_CHECKING:  # type checkers know every name from the imports above, and flag any other
    __all__ = __dir__()
    __getattr__ = _resolve
