"""The server as a process of its own."""

import asyncio
import os
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .instance import Edition
from .profiles import Profile, ProfileName
from .runner import ServerOptions
from .server import ArtifactoryServer


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
    certificate: Path | None = None,
    private_key: Path | None = None,
    ready_file: Path | None = None,
    on_ready: Callable[[ArtifactoryServer], None] | None = None,
) -> None:
    """
    Serve until SIGINT or SIGTERM; print nothing.

    Blocks, and needs the main thread, since signals are delivered there.

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
        certificate: PEM file with the certificate chain, to serve HTTPS; None for HTTP.
        private_key: PEM file with its key; None if *certificate* holds both.
        ready_file: Written once the server listens, with its URL and a line break; appears by rename, so it is
            never seen half-written. Removed at the end.
        on_ready: Called in the loop with the running server once it listens, before *ready_file* appears.

    Raises:
        DataFolderError: If *data* is neither missing, empty nor a data folder, or is in use, damaged or not writable.
        ValueError: If *password* is empty, or None while other machines can reach *host*.
        OSError: The address cannot be listened on, or a file cannot be read or written.
        ssl.SSLError: The certificate and key do not fit.
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
    )
    asyncio.run(_serve(ArtifactoryServer(data, **options), ready_file, on_ready))


def _tls(certificate: Path, private_key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, private_key)
    return context


async def _serve(
    server: ArtifactoryServer, ready_file: Path | None, on_ready: Callable[[ArtifactoryServer], None] | None
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: there Ctrl+C interrupts the loop as it is
            loop.add_signal_handler(number, stopped.set)
    async with server:
        server.grant("anonymous", "**")  # counts only where requests without credentials are let in
        if on_ready:
            on_ready(server)
        with _announced(ready_file, server.url):
            await stopped.wait()


@contextmanager
def _announced(ready_file: Path | None, url: str) -> Iterator[None]:
    if ready_file is None:
        yield
        return
    draft = ready_file.with_name(f".{ready_file.name}.new")
    draft.write_text(f"{url}\n", encoding="utf-8")
    draft.replace(ready_file)
    try:
        yield
    finally:
        ready_file.unlink(missing_ok=True)
