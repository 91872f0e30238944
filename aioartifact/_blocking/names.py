"""The names of `aioartifact.blocking`: those of `aioartifact`, and what is called differently in code that blocks."""

import inspect
from importlib import import_module

import aioartifact

# A `Batch` is awaited or opened; a blocking bulk call has finished when it returns.
_OMITTED = frozenset({"Batch", "__version__"})
OWN_NAMES = {
    "ArtifactoryPath": ".classes",
    "Cache": ".classes",
    "FileListing": ".values",
    "FileStream": ".values",
    "Listing": ".values",
    "Lookup": ".classes",
    "Outcomes": ".values",
    "RemoteFile": ".values",
    "Results": ".values",
    "Session": ".values",
}
# Functions that return a `Batch`; tests/test_blocking.py compares.
BULK = (
    "copy_many",
    "delete_many",
    "deploy_folder",
    "deploy_many",
    "download_folder",
    "download_many",
    "move_many",
    "run_sync",
    "sync",
)


def names() -> list[str]:
    """Return the public names, sorted."""
    return sorted({*dir(aioartifact), *OWN_NAMES, *(f"iter_{name}" for name in BULK)} - _OMITTED)


def resolve(name: str) -> object:
    """Return the object of a public name; one that does not need an event loop is that of `aioartifact`."""
    from .functions import blocking_function, needs_event_loop

    import_module(".classes", __package__)  # registers the classes that functions return

    if name in OWN_NAMES:
        return getattr(import_module(OWN_NAMES[name], __package__), name)
    original = name.removeprefix("iter_")
    value = public_object(original)
    if not inspect.isroutine(value) or not needs_event_loop(value):
        return value
    return blocking_function(value, iterates=name != original)


def public_object(name: str) -> object:
    """Return what `aioartifact` has under *name*."""
    return getattr(aioartifact, name)
