"""
Build runs in SQLite: rows of what is in their documents, for AQL and for look-ups.

The document of a run is a file in the repository for build info, and its rows go with that file.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from ..protocol import build_info
from ..protocol.build_info import Document, Produced, Run, Status
from .store import Item, Store

_RUNS = (
    "SELECT DISTINCT builds.name, builds.number, builds.started FROM builds"
    " JOIN items ON items.id = builds.item_id{joined} WHERE items.repo = ?{condition} ORDER BY builds.started"
)


def record(store: Store, item: Item, document: Document) -> None:
    """
    Record the run that the file *item* describes, in place of what was recorded for that file.

    Raises:
        BuildInfoError: If *document* is not build info.
    """
    run, modules = build_info.run_of(document), build_info.modules_of(document)
    with store.transaction() as connection:
        connection.execute("DELETE FROM builds WHERE item_id = ?", (item.id,))
        build = _insert(
            connection,
            "builds",
            item_id=item.id,
            name=run.name,
            number=run.number,
            started=run.started,
            url=build_info.url_of(document) or None,
            created=item.created,
            created_by=item.created_by,
            modified=item.modified,
            modified_by=item.modified_by,
        )
        _insert_properties(connection, "build", build, build_info.properties_of(document))
        for status in build_info.statuses_of(document):
            _insert_promotion(connection, build, status)
        for each in modules:
            module = _insert(connection, "modules", build_id=build, name=each.name)
            _insert_properties(connection, "module", module, each.properties)
            for file in each.artifacts:
                _insert_file(connection, "artifacts", module, file)
            for file in each.dependencies:
                _insert_file(connection, "dependencies", module, file, scope=",".join(file.scopes) or None)


def latest_runs(store: Store, repository: str) -> list[Run]:
    """Return the newest run of each build, in the order in which they started."""
    newest = {run.name: run for run in _runs(store, repository)}
    return sorted(newest.values(), key=lambda run: run.started)


def runs(store: Store, repository: str, name: str, number: str | None = None) -> list[Run]:
    """Return the runs of a build, or those with a number, in the order in which they started."""
    condition, values = (" AND builds.name = ?", [name])
    if number is not None:
        condition, values = f"{condition} AND builds.number = ?", [name, number]
    found = _runs(store, repository, condition, values)
    return sorted(build_info.order_of(found), key=lambda run: run.started)


def dependent_runs(store: Store, repository: str, sha1: str) -> list[Run]:
    """Return the runs that have a file with this content among their dependencies, the oldest first."""
    joined = " JOIN modules ON modules.build_id = builds.id JOIN dependencies ON dependencies.module_id = modules.id"
    return _runs(store, repository, " AND dependencies.sha1 = ?", [sha1], joined)


def status_of(store: Store, repository: str, run: Run) -> str:
    """Return the status of a run's last promotion, ``""`` without one."""
    sql = (
        "SELECT status FROM build_promotions JOIN builds ON builds.id = build_id JOIN items ON items.id = item_id"
        " WHERE items.repo = ? AND builds.name = ? AND number = ? AND started = ?"
        " ORDER BY build_promotions.created DESC, build_promotions.id DESC"
    )
    with store.transaction() as connection:
        found = connection.execute(sql, (repository, run.name, run.number, run.started)).fetchone()
    return str(found[0]) if found else ""


def document_of(store: Store, repository: str, run: Run) -> dict[str, Any] | None:
    """Return the document of a run; None if *repository* does not have it."""
    item = store.get(repository, run.path)
    return None if item is None else build_info.parse_document(store.blob_of(item).read_bytes())


def _runs(
    store: Store, repository: str, condition: str = "", values: Iterable[str] = (), joined: str = ""
) -> list[Run]:
    sql = _RUNS.format(joined=joined, condition=condition)
    with store.transaction() as connection:
        return [Run(*row) for row in connection.execute(sql, (repository, *values))]


def _insert(connection: sqlite3.Connection, table: str, **values: object) -> int:
    marks = ", ".join("?" * len(values))
    sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608  # constants
    number = connection.execute(sql, tuple(values.values())).lastrowid
    assert number is not None
    return number


def _insert_properties(
    connection: sqlite3.Connection, owner: str, owner_id: int, properties: Mapping[str, str]
) -> None:
    for key, value in properties.items():
        _insert(connection, f"{owner}_properties", **{f"{owner}_id": owner_id}, key=key, value=value)


def _insert_promotion(connection: sqlite3.Connection, build: int, status: Status) -> None:
    _insert(
        connection,
        "build_promotions",
        build_id=build,
        created=status.time,
        created_by=status.user or None,
        status=status.status,
        repo=status.repository or None,
        comment=status.comment or None,
        user=status.ci_user or None,
    )


def _insert_file(connection: sqlite3.Connection, table: str, module: int, file: Produced, **more: str | None) -> None:
    _insert(
        connection,
        table,
        module_id=module,
        name=file.name,
        type=file.type or None,
        sha1=file.sha1 or None,
        md5=file.md5 or None,
        **more,
    )
