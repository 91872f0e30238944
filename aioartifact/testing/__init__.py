"""
An Artifactory for tests: in the event loop, in a thread, or as a process of its own.

Every public name is reached as ``aioartifact.testing.<name>`` and imported when first used (PEP 562), so that the
pytest plugin costs nothing where it is not used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clocks import ManualClock as ManualClock
    from .process import serve as serve
    from .profiles import PROFILES as PROFILES
    from .profiles import Profile as Profile
    from .repositories.definitions import RepositoryOptions as RepositoryOptions
    from .runner import ServerOptions as ServerOptions
    from .server import ArtifactoryServer as ArtifactoryServer
    from .storage.data_folder import DataFolderError as DataFolderError
    from .threaded import ThreadedArtifactoryServer as ThreadedArtifactoryServer
    from .wire.faults import Fault as Fault
    from .wire.faults import FaultHandle as FaultHandle
    from .wire.log import RequestRecord as RequestRecord

__all__ = [
    "PROFILES",
    "ArtifactoryServer",
    "DataFolderError",
    "Fault",
    "FaultHandle",
    "ManualClock",
    "Profile",
    "RepositoryOptions",
    "RequestRecord",
    "ServerOptions",
    "ThreadedArtifactoryServer",
    "serve",
]

_HOME_OF = {
    "PROFILES": "profiles",
    "ManualClock": "clocks",
    "Profile": "profiles",
    "ArtifactoryServer": "server",
    "DataFolderError": "storage.data_folder",
    "Fault": "wire.faults",
    "FaultHandle": "wire.faults",
    "RepositoryOptions": "repositories.definitions",
    "RequestRecord": "wire.log",
    "ServerOptions": "runner",
    "ThreadedArtifactoryServer": "threaded",
    "serve": "process",
}


def _resolve(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)


if not TYPE_CHECKING:  # type checkers know every name from the imports above, and flag any other
    __getattr__ = _resolve
