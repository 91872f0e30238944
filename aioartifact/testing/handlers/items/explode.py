"""``PUT /{repository}/{folder}/{archive}`` with ``X-Explode-Archive: true``: deploys its content instead (Pro)."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO

from ...archive import unpacking
from ...archive.unpacking import BrokenArchiveError
from ...indexes import arrivals
from ...layouts import names
from ...protocol.replies import Reply, refuse
from ...repositories.definitions import Repository
from ...storage import checksum_policies
from ...storage.blobs import BATCH
from ...storage.store import Checksums, ConflictError
from ...wire.exchange import Exchange
from ..request_checks import is_true
from ..storage_api.properties import demand_valid_keys
from .deploy import checked_checksums, demand_deploy, deployment, enter_local, receive, supplied_checksums

_HEADERS = ("X-Explode-Archive", "X-Explode-Archive-Atomic")
_EXTENSIONS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2")


def is_asked(exchange: Exchange) -> bool:
    """Return whether a PUT requests that its archive is unpacked."""
    return any(is_true(exchange.request.headers.get(name)) for name in _HEADERS)


async def put(exchange: Exchange) -> Reply:
    """
    Deploy every file of the archive below the folder the archive would be in.

    All or nothing, with or without ``-Atomic``: no source states what remains of a failure without it.
    """
    if exchange.instance.edition == "oss":
        refuse(400, "This REST API is available only in Artifactory Pro.", servlet=True)
    repository = enter_local(exchange, exchange.repository())
    folder, _, name = exchange.target.item_path.rpartition("/")
    if exchange.target.is_folder or not name.lower().endswith(_EXTENSIONS):
        refuse(400, f"Cannot explode '{exchange.address}': it is none of {', '.join(_EXTENSIONS)}", servlet=True)
    await demand_deploy(exchange)
    demand_valid_keys([key for key, _ in exchange.target.matrix])
    content = await receive(exchange)
    checked_checksums(exchange, repository, supplied_checksums(exchange), content)
    blob = exchange.instance.store.blobs.path(content.sha256)
    try:
        await exchange.instance.in_thread(partial(_explode, exchange, repository, blob, name, folder))
    except BrokenArchiveError as broken:
        refuse(400, str(broken), servlet=True)
    except ConflictError as conflict:
        refuse(409, str(conflict), servlet=True)
    return Reply(200)


def _explode(exchange: Exchange, repository: Repository, blob: Path, name: str, folder: str) -> None:
    """Store the bytes of all entries first, and list them in one transaction."""
    store = exchange.instance.store
    with unpacking.opened(blob, name) as archive:
        for entry in archive.entries():
            _demand_entry(exchange, repository, f"{folder}/{entry.path}".lstrip("/"), entry)
        contents = {}
        for entry in archive.entries():
            with archive.open(entry) as file:
                contents[f"{folder}/{entry.path}".lstrip("/")] = store.blobs.add_all(_batches(file))
    with store.transaction():
        for path, content in contents.items():
            how = deployment(exchange, checksum_policies.kept(repository, path, Checksums(), content))
            arrivals.store_file(store, repository, path, content, how)


def _demand_entry(exchange: Exchange, repository: Repository, path: str, entry: unpacking.Entry) -> None:
    """
    Check that one entry may be deployed.

    Raises:
        RefusalError: 400 if its path leads out of the folder; 403, 404 or 409 as for a deploy of the path.
    """
    accounts, user, there = exchange.instance.accounts, exchange.user, exchange.instance.store.get(repository.key, path)
    address = f"{repository.key}:{path}"
    if not entry.is_safe:
        refuse(400, f"Cannot explode an entry whose path is '{entry.path}'", servlet=True)
    if problem := names.path_problem(path, address):
        refuse(500, problem, servlet=True)
    if rejected := repository.rejection(path, is_deploy=True):
        refuse(*rejected, servlet=True)
    if not accounts.can(user, "w", repository.key, path):
        refuse(403, f"The user: '{user.name}' is not permitted to deploy '{path}' into '{address}'.", servlet=True)
    if there and not there.is_folder and not accounts.can(user, "d", repository.key, path):
        message = (
            f"Not enough permissions to delete/overwrite artifact '{address}'"
            f" (user: '{user.name}' needs DELETE permission)."
        )
        refuse(403, message, servlet=True)


def _batches(file: IO[bytes]) -> Iterator[bytes]:
    while data := file.read(BATCH):
        yield data
