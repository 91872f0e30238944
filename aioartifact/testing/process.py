"""The server as a process of its own, and the data that the examples of the documentation use."""

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path

if sys.platform != "win32":
    import resource

from .control import Control, DescriptionForm
from .instance import Edition
from .profiles import Profile, ProfileName
from .runner import ServerOptions
from .server import ArtifactoryServer

_EXAMPLE_REPOSITORY = "data-public"
_EXAMPLE_VERSIONS = ("1.0.0", "1.1.0", "1.1.1")
_EXAMPLE_NAMES = ("a.wav", "b.wav", "c.wav")


def serve(
    data: str | os.PathLike[str] | None = None,
    *,
    host: str = "127.0.0.1",
    password: str | None = None,
    port: int = 8081,
    context_path: str = "/artifactory",
    edition: Edition = "pro",
    profile: ProfileName | Profile = "6.20",
    anonymous: bool = False,
    repositories: Iterable[str] = (),
    users: Mapping[str, str] | None = None,
    seed: Path | None = None,
    example_data: bool = False,
    log_file: Path | None = None,
    latency: float = 0.0,
    strict: bool = False,
    control: bool = False,
    certificate: Path | None = None,
    private_key: Path | None = None,
    ready_file: Path | None = None,
    ready_form: DescriptionForm | None = None,
    on_ready: Callable[[ArtifactoryServer], None] | None = None,
) -> None:
    """
    Serve until SIGINT or SIGTERM; print nothing.

    Blocks, and needs the main thread, since signals are delivered there. The process may open as many files and
    connections as the system allows it.

    Args:
        data: Folder that keeps repositories and items: a missing or empty one, or one that a server used before;
            None for a temporary one, removed at the end.
        host: Address to listen on.
        password: Password of the administrator; a well-known one if None, which only a loopback address allows.
        port: Port to listen on; 0 for any free one.
        context_path: Path in front of everything, ``""`` for none.
        edition: ``oss`` refuses what needs Artifactory Pro.
        profile: The release to be: ``6.20``, ``7.x``, or one made of these.
        anonymous: Whether requests without credentials may read everything.
        repositories: Keys of local repositories to create, beside ``generic-local``.
        users: Passwords by user name; these users may read, deploy, set properties and delete everywhere.
        seed: Folder whose subfolders are stored as repositories of these names, which are created where missing.
        example_data: Whether the server has the data that the examples of the documentation use.
        log_file: Every request is appended to it as a line of JSON.
        latency: Seconds by which every response comes later.
        strict: Fail at the end if endpoints were requested that the server does not serve.
        control: Whether programs may control the server over HTTP, see :class:`ServerOptions`.
        certificate: PEM file with the certificate chain, to serve HTTPS; None for HTTP.
        private_key: PEM file with its key; None if *certificate* holds both.
        ready_file: Written once the server listens, with its URL and a line break; appears by rename, so it is
            never seen half-written. Other users of the machine may not read it. Removed at the end.
        ready_form: What *ready_file* holds instead of the URL, see :meth:`ArtifactoryServer.describe`.
        on_ready: Called in the loop with the running server once it listens, before *ready_file* appears.

    Raises:
        DataFolderError: If *data* is neither missing, empty nor a data folder, or is in use, damaged or not writable.
        ValueError: If *password* is empty, or None while other machines can reach *host*; if a repository key or a
            user name is invalid; if *seed* is not a folder, or has files beside its subfolders.
        AssertionError: With *strict*, if endpoints were requested that are not served.
        OSError: If the address cannot be listened on, or a file cannot be read or written.
        ssl.SSLError: If the certificate and key do not fit.
    """
    options = ServerOptions(
        host=host,
        password=password,
        port=port,
        context_path=context_path,
        edition=edition,
        profile=profile,
        anonymous=anonymous,
        ssl_context=_tls(certificate, private_key) if certificate else None,
        seed=partial(_fill, list(repositories), dict(users or {}), seed, example_data),
        log_file=log_file,
        latency=latency,
        strict=strict,
        control=control,
    )
    _raise_limit_of_files()
    announce = partial(_announced, ready_file, ready_form)
    asyncio.run(_serve(ArtifactoryServer(data, **options), announce, on_ready))


def _raise_limit_of_files() -> None:
    """Let connections that clients leave open use up descriptors later: the usual soft limit is 1,024."""
    if sys.platform == "win32":
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _fill(
    repositories: list[str], users: dict[str, str], folder: Path | None, example_data: bool, server: Control
) -> None:
    """Bring a server to the state at its start."""
    server.grant("anonymous", "**")  # counts only where requests without credentials are let in
    for name, password in users.items():
        if name in (server.username, "anonymous"):
            raise ValueError(f"the user {name!r} exists already")
        server.add_user(name, password=password)
        server.grant(name, "**", "rwnd")
    trees = _trees(folder) if folder else []
    for key in [*repositories, *(each.name for each in trees)]:
        if not server.has_repository(key):
            server.create_repository(key)
    for each in trees:
        server.put_tree(each.name, each)
    if example_data:
        store_example_data(server)


def _trees(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"the seed {folder} is not a folder")
    trees = sorted(folder.iterdir())
    for each in trees:
        if not each.is_dir():
            raise ValueError(f"the seed {folder} holds {each.name}, which is not the folder of a repository")
    return trees


def _tls(certificate: Path, private_key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, private_key)
    return context


async def _serve(
    server: ArtifactoryServer,
    announce: Callable[[Control], AbstractContextManager[None]],
    on_ready: Callable[[ArtifactoryServer], None] | None,
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: there Ctrl+C interrupts the loop as it is
            loop.add_signal_handler(number, stopped.set)
    async with server:
        if on_ready:
            on_ready(server)
        with announce(server):
            await stopped.wait()


@contextmanager
def _announced(ready_file: Path | None, form: DescriptionForm | None, server: Control) -> Iterator[None]:
    if ready_file is None:
        yield
        return
    draft = ready_file.with_name(f".{ready_file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(server.describe(form) if form else f"{server.url}\n")
    draft.replace(ready_file)
    try:
        yield
    finally:
        ready_file.unlink(missing_ok=True)


def store_example_data(server: Control) -> None:
    """
    Store three versions of a small dataset, ``emodb/db`` in the repository ``data-public``.

    Each has an archive and a folder ``media`` with three files. In a folder of data that has them already, they are
    stored again.
    """
    if not server.has_repository(_EXAMPLE_REPOSITORY):
        server.create_repository(_EXAMPLE_REPOSITORY)
    for version in _EXAMPLE_VERSIONS:
        folder = f"{_EXAMPLE_REPOSITORY}/emodb/db/{version}"
        server.put(f"{folder}/db-{version}.zip", f"archive {version}".encode())
        for name in _EXAMPLE_NAMES:
            server.put(f"{folder}/media/{name}", f"{name} of {version}".encode())
