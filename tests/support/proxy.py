"""An HTTP proxy that requires a login, in a thread: it forwards requests, and opens tunnels for TLS."""

import base64
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """
    A running proxy.

    Attributes:
        port: Port at 127.0.0.1.
        login: User and password that it requires, divided by a colon.
        requests: First line of each request that had the login.
        refused: Number of requests without it.
    """

    port: int
    login: str
    requests: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def url(self) -> str:
        """Address with the login."""
        return f"http://{self.login}@127.0.0.1:{self.port}"


@contextmanager
def authenticating_proxy(login: str = "ada:pr0xy-canary") -> Iterator[Proxy]:
    """Run a proxy that answers 407 to requests without *login*."""
    expected = f"basic {base64.b64encode(login.encode()).decode()}".lower()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while self.forward():
                    pass

        def forward(self) -> bool:
            """Handle a request; return whether another one may follow."""
            line = self.rfile.readline().decode("latin-1").strip()
            fields = list(iter(lambda: self.rfile.readline().decode("latin-1").strip(), ""))
            if not line:
                return False
            if f"proxy-authorization: {expected}" not in map(str.lower, fields):
                proxy.refused += 1
                self.wfile.write(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
                return True
            proxy.requests.append(line)
            method, target, _ = line.split()
            address = urlsplit(f"//{target}" if method == "CONNECT" else target)
            with socket.create_connection((address.hostname, address.port)) as upstream:
                if method == "CONNECT":
                    self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                else:
                    kept = [each for each in fields if not each.lower().startswith(("proxy-", "connection:"))]
                    path = target.partition("//")[2].partition("/")[2]
                    head = [f"{method} /{path} HTTP/1.1", *kept, "Connection: close", "", ""]
                    upstream.sendall("\r\n".join(head).encode("latin-1"))
                self.pass_on(upstream)
            return False

        def pass_on(self, upstream: socket.socket) -> None:
            """Copy bytes in both directions until the server closes the connection."""

            def upwards() -> None:
                with suppress(OSError):
                    while data := self.rfile.read1(65536):
                        upstream.sendall(data)
                    upstream.shutdown(socket.SHUT_WR)

            thread = threading.Thread(target=upwards, daemon=True)
            thread.start()
            while data := upstream.recv(65536):
                self.wfile.write(data)
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy = Proxy(server.server_address[1], login)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
