"""nginx as the server of big and of many files, plain and TLS; it costs the least of all, so the client shows."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .machine import cpu_seconds
from .tools import program

_START_SECONDS = 10.0
_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000000;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        root {folder};
        {locations}
    }}
}}
"""
# Whatever is asked for below the location, one file is the answer: 100,000 files need not exist.
_LOCATION = """
        location /artifactory/{name}/ {{
            rewrite ^ /{file} break;
            {header}
        }}
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for 127.0.0.1 that is its own authority, and its key; PEM files."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificate":
        """Have openssl make one."""
        made = cls(folder / "certificate.pem", folder / "key.pem")
        subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", str(made.key), "-out", str(made.certificate)]
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        subprocess.run(["openssl", "req", "-x509", *kind, *subject, *files], check=True, capture_output=True)
        return made


@dataclass(frozen=True, slots=True)
class Location:
    """
    A repository that nginx serves.

    Attributes:
        name: Repository key.
        file: Name of the file that answers every request.
        sha256: What ``X-Checksum-Sha256`` says of it; None for a server that promises nothing.
    """

    name: str
    file: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Nginx:
    """
    A running nginx.

    Attributes:
        plain: Base address over plain HTTP.
        tls: Base address over TLS.
        pid: Process id of its master process.
    """

    plain: str
    tls: str
    pid: int

    def cpu_seconds(self) -> float:
        """Return the user and system time of its worker so far."""
        workers = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii").split()
        return sum(map(cpu_seconds, map(int, workers)))


@contextmanager
def serving(folder: Path, locations: Sequence[Location], certificate: Certificate) -> Iterator[Nginx]:
    """Serve files of a folder until the block ends."""
    port, tls_port = _free_port(), _free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_configure(folder, locations, certificate, port, tls_port), "utf-8")
    command = [str(program("nginx")), "-e", str(folder / "error.log"), "-c", str(configuration)]
    with subprocess.Popen(command) as process:
        try:
            _wait_until_open(process, port)
            plain, tls = f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}"
            yield Nginx(f"{plain}/artifactory", f"{tls}/artifactory", process.pid)
        finally:
            process.terminate()


def _configure(folder: Path, locations: Sequence[Location], certificate: Certificate, port: int, tls_port: int) -> str:
    return _CONFIGURATION.format(
        user="user root;" if os.geteuid() == 0 else "",  # its workers must see a private folder
        folder=folder,
        port=port,
        tls_port=tls_port,
        certificate=certificate.certificate,
        key=certificate.key,
        locations="".join(map(_location, locations)),
    )


def _location(location: Location) -> str:
    header = f"add_header X-Checksum-Sha256 {location.sha256};" if location.sha256 else ""
    return _LOCATION.format(name=location.name, file=location.file, header=header)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_until_open(process: subprocess.Popen[bytes], port: int) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("nginx did not start; see the error.log in its folder, or its output above")
