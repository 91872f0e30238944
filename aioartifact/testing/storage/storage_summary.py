"""What all repositories hold, added up."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """Items of one repository, its root left out, and the bytes of its files."""

    folders: int = 0
    files: int = 0
    size: int = 0

    @property
    def items(self) -> int:
        """Files and folders."""
        return self.folders + self.files


@dataclass(frozen=True, slots=True)
class Summary:
    """
    The whole storage.

    Attributes:
        by_repository: What each repository holds; those that hold nothing may be missing.
        binaries: How many different contents there are.
        binaries_size: Bytes they take, each counted once.
    """

    by_repository: dict[str, Held]
    binaries: int
    binaries_size: int

    @property
    def total(self) -> Held:
        """What the repositories hold together."""
        held = self.by_repository.values()
        return Held(
            sum(each.folders for each in held), sum(each.files for each in held), sum(each.size for each in held)
        )


def summarize(connection: sqlite3.Connection) -> Summary:
    """Add up the items of a database."""
    rows = connection.execute(
        "SELECT repo, sum(type = 'folder'), sum(type = 'file'), sum(size) FROM items"
        " WHERE NOT (path = '.' AND name = '.') GROUP BY repo"
    )
    by_repository = {repo: Held(folders, files, size) for repo, folders, files, size in rows}
    binaries, size = connection.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM"
        " (SELECT sha256, max(size) AS size FROM items WHERE sha256 IS NOT NULL GROUP BY sha256)"
    ).fetchone()
    return Summary(by_repository, binaries, size)
