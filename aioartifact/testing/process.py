"""The server as a process, and the example data of the documentation."""

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
    Run a server until SIGINT or SIGTERM; prints nothing.

    It blocks, and needs the main thread, which receives signals. The limit of open files is raised as far as the system
    allows.

    Args:
        data: Folder for repositories and items: missing, empty, or the folder of an earlier server. None uses a
            temporary folder.
        host: Address to listen on.
        password: Password of the administrator; None means ``password``, and requires a loopback address.
        port: Port to listen on; 0 for any free one.
        context_path: Context path, ``""`` for none.
        edition: ``pro``, or ``oss``, which refuses requests that need Artifactory Pro.
        profile: Release to emulate: ``6.20``, ``7.x``, or a :class:`Profile` derived from these.
        anonymous: Whether requests without credentials may read everything.
        repositories: Keys of local repositories to create, in addition to ``generic-local``.
        users: Passwords by user name; these users have all permissions on items.
        seed: Folder whose subfolders are stored as repositories of the same names.
        example_data: Whether to store the example data of the documentation.
        log_file: File to which each request is appended as a line of JSON.
        latency: Delay of every response in seconds.
        strict: Whether to fail at the end if endpoints were requested that the server does not serve.
        control: Whether programs may control the server over HTTP, see :class:`ServerOptions`.
        certificate: PEM file with the certificate chain, to serve HTTPS; None for HTTP.
        private_key: PEM file with its key; None if *certificate* holds both.
        ready_file: File to write when the server listens, with its URL and a line break. It is created atomically, not
            readable by other users, and removed at the end.
        ready_form: Content of *ready_file* instead of the URL, see :meth:`ArtifactoryServer.describe`.
        on_ready: Function, called in the event loop with the server when it listens, before *ready_file* is written.

    Raises:
        DataFolderError: If *data* has other content, or is in use, damaged or not writable.
        ValueError: If *password* is empty, or None although other machines can reach *host*; if a repository key or a
            user name is invalid; or if *seed* is not a folder, or contains files beside its subfolders.
        AssertionError: With *strict*, if endpoints were requested that are not served.
        OSError: If the server cannot listen on the address, or a file cannot be read or written.
        ssl.SSLError: If certificate and key do not match.
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
