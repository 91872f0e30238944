"""What a contender is asked to do; parent and child pass it on as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

PER_FOLDER = 1_000


@dataclass(frozen=True, slots=True)
class Files:
    """
    Files on a server that all have the same content, in folders of 1,000.

    Attributes:
        url: URL of their common folder.
        count: How many.
        size: Bytes of each.
        sha256: SHA-256 of each.
    """

    url: str
    count: int
    size: int
    sha256: str

    def names(self) -> Iterator[str]:
        """Path of each file below the folder, with slashes; made one by one, as memory is measured."""
        for number in range(self.count):
            yield f"d{number // PER_FOLDER:03}/f{number:06}.bin"


@dataclass(frozen=True, slots=True)
class Task:
    """
    One job for one contender.

    Attributes:
        server: Base address of the server.
        files: What to fetch, in this order; each group goes below the destination under its own folder.
        destination: Folder to write to.
        connections: Connections it may use.
        verified: Whether content must be checked.
        authority: PEM file of the authority that signed the server's certificate; None for plain HTTP.
        repeat: How often to do it, for jobs that are too short to time once.
        credentials: User, password and API key; None for an anonymous server.
    """

    server: str
    files: tuple[Files, ...]
    destination: str
    connections: int
    verified: bool = True
    authority: str | None = None
    repeat: int = 1
    credentials: tuple[str, str, str] | None = None

    def items(self) -> Iterator[tuple[str, str, Files]]:
        """URL, path below the destination, and group of each file."""
        for index, group in enumerate(self.files):
            for name in group.names():
                yield f"{group.url}/{name}", f"{index}/{name}", group

    @property
    def count(self) -> int:
        """Number of files."""
        return sum(group.count for group in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(group.count * group.size for group in self.files)

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def load(cls, path: Path) -> "Task":
        """Read what :meth:`save` wrote."""
        values = json.loads(path.read_text("utf-8"))
        return cls(**values | {"files": tuple(Files(**group) for group in values["files"])})
