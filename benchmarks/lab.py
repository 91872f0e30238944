"""What a run needs around the contenders: a folder in memory, bytes, servers."""

import hashlib
import os
import subprocess
import tempfile
import tomllib
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import canned, embedded, nginx, sink
from .machine import ROOT
from .task import Files, Task
from .tools import missing

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is transferred: bytes of files, numbers of files, seconds of latency, bytes per second."""

    big: int = 1 << 30
    small: int = 10 << 10
    small_count: int = 10_000
    tiny: int = 1 << 10
    tiny_count: int = 2_000
    latency: float = 0.02
    mixed_big: int = 64 << 20
    mixed_big_count: int = 5
    mixed_small_count: int = 1_000
    bandwidth: float = 50e6
    tree_count: int = 100_000
    versions: int = 10_000
    peer_big: int = 64 << 20
    peer_count: int = 200
    shared_tiny_count: int = 5_000
    shared_connections: int = 64
    shared_big: int = 256 << 20
    shared_big_count: int = 4
    upload_big: int = 512 << 20
    upload_count: int = 2_000
    connections: int = 32


QUICK = Scale(
    big=4 << 20,
    small_count=100,
    tiny_count=64,
    mixed_big=1 << 20,
    mixed_big_count=2,
    mixed_small_count=50,
    tree_count=1_500,
    versions=100,
    peer_big=1 << 20,
    peer_count=10,
    shared_tiny_count=100,
    shared_big=2 << 20,
    upload_big=4 << 20,
    upload_count=50,
)


class UnavailableError(Exception):
    """A case cannot run here, and why."""


class Lab:
    """Folder, files and servers of one run; made as they are asked for, gone when it is closed."""

    def __init__(self, folder: Path, scale: Scale, *, peers: bool = False) -> None:
        self.folder = folder
        self.scale = scale
        self._peers = peers
        self._stack = ExitStack()

    def close(self) -> None:
        """End the servers."""
        self._stack.close()

    def content(self, size: int) -> tuple[Path, str]:
        """Make a file of random bytes, once for each size; its SHA-256."""
        path = self.folder / f"{size}.bin"
        if not path.exists():
            block = os.urandom(min(size, _BLOCK))
            with path.open("wb") as file:
                for start in range(0, size, _BLOCK):
                    file.write(block[: size - start])
        with path.open("rb") as file:
            return path, hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def certificate(self) -> nginx.Certificate:
        """Certificate of the TLS server."""
        self._demand("openssl")
        return nginx.Certificate.make(self.folder)

    @cached_property
    def nginx(self) -> nginx.Nginx:
        """Run nginx with two repositories per size: ``promised-`` with checksums, ``bare-`` without."""
        self._demand("nginx")
        locations = []
        for size in sorted({self.scale.big, self.scale.small, self.scale.tiny, self.scale.shared_big}):
            path, sha256 = self.content(size)
            locations.append(nginx.Location(f"promised-{size}", path.name, sha256))
            locations.append(nginx.Location(f"bare-{size}", path.name, None))
        return self._stack.enter_context(nginx.serving(self.folder, locations, self.certificate))

    def canned(self, routes: Sequence[canned.Route], *, tls: bool = False) -> canned.Canned:
        """Start a server of canned answers."""
        certificate = self.certificate if tls else None
        return self._stack.enter_context(canned.serving(self._new_folder(), routes, certificate))

    def embedded(self, count: int, size: int, latency: float) -> embedded.Embedded:
        """Start the library's own server with files in it."""
        return self._stack.enter_context(embedded.serving(self._new_folder(), count, size, latency))

    @cached_property
    def sink(self) -> sink.Sink:
        """Run a server that takes uploads."""
        return self._stack.enter_context(sink.serving(self._new_folder()))

    @cached_property
    def peers_python(self) -> str:
        """Interpreter of an environment with the other clients, in the versions that our tests pin."""
        if not self._peers:
            raise UnavailableError("other clients are fetched from the package registry only with --peers")
        folder = self.folder / "peers"
        venv.create(folder, with_pip=True)
        python = str(folder / "bin" / "python")
        groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *groups["witnesses"]], check=True)
        return python

    def destination(self) -> str:
        """Where a contender may write; not made yet."""
        return str(self._new_folder() / "target")

    def from_nginx(self, kind: str, count: int, size: int, *, tls: bool = False) -> Task:
        """Task to fetch *count* files of *size* bytes from nginx."""
        server = self.nginx.tls if tls else self.nginx.plain
        _, sha256 = self.content(size)
        files = Files(f"{server}/{kind}-{size}", count, size, sha256)
        authority = str(self.certificate.certificate) if tls else None
        return Task(
            server,
            (files,),
            self.destination(),
            self.scale.connections,
            verified=kind == "promised",
            authority=authority,
        )

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    def _demand(self, program: str) -> None:
        if lack := missing([program]):
            raise UnavailableError(lack)


@contextmanager
def open_lab(parent: Path | None, scale: Scale, *, peers: bool = False) -> Iterator[Lab]:
    """Open a lab below *parent*; None for memory where the system offers it."""
    memory = Path("/dev/shm")
    place = parent or (memory if os.access(memory, os.W_OK) else None)
    with tempfile.TemporaryDirectory(dir=place, prefix="aioartifact-benchmark-") as folder:
        lab = Lab(Path(folder), scale, peers=peers)
        try:
            yield lab
        finally:
            lab.close()
