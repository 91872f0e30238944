"""``PUT`` and ``DELETE /{repository}/{path}``: files, checksums, folders."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import NoReturn

from ...indexes import arrivals, computed_metadata, python_packages
from ...layouts import names
from ...lookup import latest, views
from ...lookup.resolution import demand_allowed
from ...protocol import jackson, media
from ...protocol.formats import parse_http
from ...protocol.replies import VENDOR, RefusalError, Reply, error, refuse
from ...repositories import snapshots
from ...repositories.definitions import Repository
from ...storage import checksum_policies
from ...storage.blobs import Content
from ...storage.checksum_policies import ChecksumPolicyError
from ...storage.store import Checksums, Deployment, Item, NotAFileError, NotAFolderError, Permitted
from ...wire import intake
from ...wire.exchange import Exchange
from ..request_checks import is_true
from ..storage_api import properties
from ..storage_api.item_info import checksums_of, original_checksums_of

_CONTENT_TYPE = f"{VENDOR}storage.ItemCreated+json;charset=ISO-8859-1"
_CHECKSUM_FILE_LIMIT = 1024  # bytes
_LENGTHS = {"sha1": 40, "md5": 32, "sha256": 64}


async def put(exchange: Exchange) -> Reply:
    """Deploy a file, its bytes by reference, the checksum of a file, or a folder."""
    repository = exchange.repository()
    target = exchange.target = exchange.target.without_trailing_blanks()
    if target.is_folder or not target.item_path:
        return await _put_folder(exchange, repository)
    repository = enter_local(exchange, repository)
    if is_true(exchange.request.headers.get("X-Checksum-Deploy")):
        return await _put_by_checksum(exchange, repository)
    if names.is_metadata(target.item_path) and (answer := await _put_metadata(exchange, repository)):
        return answer
    if names.split_checksum(target.item_path)[1]:
        return await _put_checksum(exchange)
    return await _put_file(exchange, repository)


def enter_local(exchange: Exchange, repository: Repository) -> Repository:
    """
    Return the local repository that a deploy to *repository* goes to, and make it the target of the request.

    Raises:
        RefusalError: 405 if it is virtual and has no repository for deploys; 404 if it is remote or a cache.
    """
    if repository.kind == "virtual":
        local = exchange.instance.repositories.get(repository.deploy_to)
        if local is None:
            message = (
                "No local repository was configured as local deployment repository"
                f" for the ({repository.key}) virtual repository."
            )
            refusal = error(405, message, servlet=True)
            refusal.headers["Allow"] = "GET"
            raise RefusalError(refusal)
        exchange.target = exchange.target.in_repository(local.key)
        return local
    if repository.kind != "local":
        refuse(404, f"Could not find a local repository named {repository.key} to deploy to.", servlet=True)
    return repository


async def _put_metadata(exchange: Exchange, repository: Repository) -> Reply | None:
    """
    Accept and discard what the server computes itself; None for other files.

    That is the metadata of a snapshot, unless the repository leaves it to deployers, and the checksum of any metadata.
    """
    path = exchange.target.item_path
    is_checksum = bool(names.split_checksum(path)[1])
    if not is_checksum and (repository.snapshot_behavior == "deployer" or not names.is_snapshot_metadata(path)):
        return None
    await demand_deploy(exchange)
    await _drain(exchange)
    return Reply(200 if is_checksum else 202)


async def _put_file(exchange: Exchange, repository: Repository) -> Reply:
    supplied = supplied_checksums(exchange)
    await demand_deploy(exchange, supplied)
    properties.demand_valid_keys([key for key, _ in exchange.target.matrix])
    await demand_valid_path(exchange)
    content = await receive(exchange)
    return await _store(exchange, repository, content, supplied)


async def _put_by_checksum(exchange: Exchange, repository: Repository) -> Reply:
    supplied = supplied_checksums(exchange)
    if not supplied.sha1 and not supplied.sha256:
        refuse(400, "Checksum values not provided", servlet=True)
    source = _uploaded_content(exchange, supplied) or _known_content(exchange, supplied)
    await demand_deploy(exchange, supplied)
    properties.demand_valid_keys([key for key, _ in exchange.target.matrix])
    await demand_valid_path(exchange)
    reply = await _store(exchange, repository, source, supplied)
    exchange.instance.uploads.deployed(_checksum_token(exchange))
    return reply


def _uploaded_content(exchange: Exchange, supplied: Checksums) -> Content | None:
    """Return what was uploaded in parts, for a deploy that has the token of that upload."""
    return exchange.instance.uploads.content(
        _checksum_token(exchange), exchange.target.repository, exchange.target.item_path, supplied.sha1
    )


def _checksum_token(exchange: Exchange) -> str:
    return exchange.request.headers.get("X-Checksum-Deploy-Token", "")


def _known_content(exchange: Exchange, supplied: Checksums) -> Content:
    """Find the content a checksum deploy refers to, among what the user may read."""
    kind, digest = ("SHA-256", supplied.sha256) if supplied.sha256 else ("SHA-1", supplied.sha1)
    if len(digest or "") != _LENGTHS[kind.replace("-", "").lower()]:
        refuse(404, f"Checksum deploy failed. Invalid {kind}: {digest}", servlet=True)
    lower = (digest or "").lower()
    store, accounts, user = exchange.instance.store, exchange.instance.accounts, exchange.user
    found = store.find_content(sha256=lower) if kind == "SHA-256" else store.find_content(sha1=lower)
    readable = next((item for item in found if accounts.can(user, "r", item.repo, item.path)), None)
    if readable is None and not user.admin:
        checked = f"SHA-1:{supplied.sha1}" if supplied.sha1 else f"SHA-256:{supplied.sha256}"
        refuse(404, f"{checked} not found", servlet=True)
    if readable is None:
        refuse(404, f"Checksum deploy failed. No existing file with {kind}: {digest}", servlet=True)
    return readable.content


async def _put_checksum(exchange: Exchange) -> Reply:
    """Set a client-supplied checksum of an existing file."""
    store, target = exchange.instance.store, exchange.target
    path, algorithm = names.split_checksum(latest.of_snapshot(exchange))
    await demand_deploy(exchange)
    body = await _read_at_most(exchange, _CHECKSUM_FILE_LIMIT)
    item = store.get(target.repository, path)
    if item is None:
        message = f"Target file to set checksum on doesn't exist: {target.repository}:{path}"
        refuse(404, message, servlet=True)
    if item.is_folder:
        message = f"Checksum only supported for files (but found folder): {target.repository}:{path}"
        refuse(409, message, servlet=True)
    words = body.decode("latin-1").split()
    digest, actual = (words[0] if words else ""), getattr(item.actual, algorithm)
    store.set_original(item, algorithm, digest)
    if exchange.repository().checksum_policy == "client" and digest.lower() != actual:
        message = f"Checksum error for '{target.item_path}': received '{digest}' but actual is '{actual}'"
        refuse(409, message, servlet=True)
    return Reply(201, {"Location": exchange.link(item.repo, item.path)})


async def _put_folder(exchange: Exchange, repository: Repository) -> Reply:
    target = exchange.target
    if not target.item_path:
        refuse(500, "Repository '' is not a local repository", servlet=True)
    if repository.kind != "local":
        refuse(500, f"Repository '{repository.key}' is not a local repository", servlet=True)
    await demand_deploy(exchange)
    properties.demand_valid_keys([key for key, _ in target.matrix])
    await demand_valid_path(exchange)
    item = make_folder(exchange, deployment(exchange, Checksums()))
    link = exchange.link(item.repo, item.path)
    document: jackson.JSON = {
        "repo": item.repo,
        "path": f"/{item.path}/",
        "created": exchange.instance.iso(item.created),
        "uri": f"{link}/",
    }
    return _created(document, link)


def make_folder(exchange: Exchange, how: Deployment) -> Item:
    """
    Make the folder of the request.

    Raises:
        RefusalError: 500 if it or one of its parents is a file.
    """
    repository, path = exchange.target.repository, exchange.target.item_path
    try:
        return exchange.instance.store.make_folder(repository, path, how)
    except NotAFolderError as conflict:
        if conflict.path == path:
            refuse(500, f"Expected a folder but found a file, at: {repository}:{path}", servlet=True)
        refuse(500, f"Could not create file system item Parent {conflict.path} must be a folder", servlet=True)


async def demand_valid_path(exchange: Exchange) -> None:
    """
    Accept the paths at which Artifactory can store something.

    Raises:
        RefusalError: 500 for an invalid character or name, after the body was read.
    """
    if problem := names.path_problem(exchange.target.item_path, exchange.address):
        await _drain(exchange)
        refuse(500, problem, servlet=True)


async def demand_deploy(exchange: Exchange, supplied: Checksums | None = None) -> None:
    """
    Check the right to deploy, and to overwrite an existing file.

    Args:
        exchange: The request.
        supplied: Checksums that it states of the content; None if it does not replace a file.

    Raises:
        RefusalError: 401 after the body was read (the real server drains it first), 403 or 404.
    """
    target, user = exchange.target, exchange.user
    demand_allowed(exchange.repository(), target.item_path, is_deploy=True)
    if not exchange.can("w"):
        message = f"The user: '{user.name}' is not permitted to deploy '{target.item_path}' into '{exchange.address}'."
        if user.is_anonymous:
            await _drain(exchange)
        exchange.deny(message, servlet=True)
    if supplied is None or names.is_expirable(target.item_path):  # metadata and snapshots are there to be replaced
        return
    item = exchange.instance.store.get(target.repository, target.item_path)
    if item and not item.is_folder and not exchange.can("d") and not _repeats(item, supplied):
        deny_delete(exchange)


def _repeats(item: Item, supplied: Checksums) -> bool:
    """Return whether a deploy states the checksums of the existing content: that needs no right to delete."""
    return item.sha1 == (supplied.sha1 or "").lower() or item.sha256 == (supplied.sha256 or "").lower()


def deny_delete(exchange: Exchange) -> NoReturn:
    """
    Refuse to delete or overwrite the item of the request.

    Raises:
        RefusalError: Always; 404 where existence is hidden.
    """
    if exchange.instance.hide_unauthorized:
        refuse(404, f"Could not locate artifact '{exchange.address}'.", servlet=True)
    message = (
        f"Not enough permissions to delete/overwrite artifact '{exchange.address}'"
        f" (user: '{exchange.user.name}' needs DELETE permission)."
    )
    refuse(403, message, servlet=True)


def supplied_checksums(exchange: Exchange) -> Checksums:
    """Return the checksums that the header fields state."""
    headers = exchange.request.headers
    found = {name: headers.get(f"X-Checksum-{name}") for name in ("Sha1", "Md5", "Sha256")}
    digests = {name.lower(): value for name, value in found.items() if value}
    if any_kind := headers.get("X-Checksum"):
        digests |= {name: any_kind for name, length in _LENGTHS.items() if length == len(any_kind)}
    return Checksums(**digests)


def checked_checksums(exchange: Exchange, repository: Repository, supplied: Checksums, content: Content) -> Checksums:
    """
    Return the checksums that count as the client's.

    Raises:
        RefusalError: 409 if they are not those of the content.
    """
    try:
        return checksum_policies.kept(repository, exchange.target.item_path, supplied, content)
    except ChecksumPolicyError as error:
        refuse(409, str(error), servlet=True)


async def _store(exchange: Exchange, repository: Repository, content: Content, supplied: Checksums) -> Reply:
    return created(exchange, await store(exchange, repository, content, supplied))


def created(exchange: Exchange, item: Item) -> Reply:
    """Answer the deploy of a file."""
    link = exchange.link(item.repo, item.path)
    document: jackson.JSON = {
        "repo": item.repo,
        "path": f"/{item.path}",
        "created": exchange.instance.iso(item.created),
        "createdBy": item.created_by or "",
        "downloadUri": link,
        "mimeType": media.content_type(item.name),
        "size": str(item.size),
        "checksums": checksums_of(item),
        "originalChecksums": original_checksums_of(item),
        "uri": link,
    }
    return _created(document, link)


async def store(
    exchange: Exchange,
    repository: Repository,
    content: Content,
    supplied: Checksums,
    properties: Mapping[str, Sequence[str]] | None = None,
) -> Item:
    """
    Store a file at the path of the request.

    Args:
        exchange: The request.
        repository: The local repository that it goes to.
        content: What was received.
        supplied: Checksums that the client states.
        properties: Values to set by key, besides those in the request.

    Raises:
        RefusalError: 409 if the content has other checksums; 400 or 500 if a file or folder is in the way.
    """
    instance = exchange.instance
    how = deployment(exchange, checked_checksums(exchange, repository, supplied, content))
    how = replace(how, properties={**(how.properties or {}), **(properties or {})})
    path = _stored_path(exchange, repository)
    put = partial(arrivals.store_file, instance.store, repository, path, content, how)
    try:
        return await instance.in_thread(put) if python_packages.is_indexed(repository, path) else put()
    except NotAFileError:
        refuse(500, f"Expected a file but found a folder, at: {repository.key}:{path}", servlet=True)
    except NotAFolderError as conflict:
        refuse(400, f"Parent {conflict.path} must be a folder", servlet=True)


def _stored_path(exchange: Exchange, repository: Repository) -> str:
    store, path = exchange.instance.store, exchange.target.item_path

    def siblings() -> list[str]:
        folder = store.get(repository.key, path.rpartition("/")[0])
        return [each.path for each in store.children(folder)] if folder else []

    return snapshots.stored_path(repository, path, siblings, exchange.instance.now_ms())


def _created(document: jackson.JSON, location: str) -> Reply:
    headers = {"Location": location, "Content-Type": _CONTENT_TYPE}
    return Reply(201, headers, jackson.dumps(document).encode("latin-1", "replace"))


def deployment(exchange: Exchange, original: Checksums) -> Deployment:
    """Return what the request states about the file besides its bytes."""
    wanted: dict[str, list[str]] = {}
    for key, value in exchange.target.matrix if exchange.can("n") else ():
        wanted.setdefault(key, []).append(value)
    headers = exchange.request.headers
    admin_only = headers if exchange.user.admin else {}
    modified = _epoch_ms(admin_only.get("X-Artifactory-Last-Modified"))
    return Deployment(
        by=exchange.user.name,
        now=exchange.instance.now_ms(),
        created_by=admin_only.get("X-Artifactory-Created-By"),
        modified_by=admin_only.get("X-Artifactory-Modified-By"),
        created=_epoch_ms(admin_only.get("X-Artifactory-Created")),
        modified=parse_http(headers.get("Last-Modified")) if modified is None else modified,
        original=original,
        properties=wanted,
    )


def _epoch_ms(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


async def delete(exchange: Exchange) -> Reply:
    """Delete a file, or a folder with everything below it; of a remote repository, what its cache has."""
    if exchange.repository().kind == "virtual":
        return Reply(404)
    views.enter_cache(exchange)
    store, target = exchange.instance.store, exchange.target
    if not target.item_path and not exchange.user.admin:
        message = (
            f"Not enough permissions to delete content of repository '{target.repository}'"
            f" (by user: '{exchange.user.name}'). This requires admin privileges."
        )
        refuse(403, message, servlet=True)
    if not exchange.can("d"):
        deny_delete(exchange)
    item = store.get(target.repository, target.item_path)
    if item is None:
        refuse(404, f"Could not locate artifact '{exchange.address}' (Nothing to delete).", servlet=True)
    permitted = partial(exchange.instance.accounts.can, exchange.user, "d")
    atomic = is_true(target.query.get("atomic"))
    if not await exchange.instance.in_thread(partial(delete_item, exchange, item, permitted, is_atomic=atomic)):
        message = (
            f"Not enough permissions to delete/overwrite all artifacts under '{exchange.address}'"
            f" (user: '{exchange.user.name}' needs DELETE permission)."
        )
        refuse(403, message, servlet=True)
    return Reply(204)


def delete_item(exchange: Exchange, item: Item, permitted: Permitted, *, is_atomic: bool) -> bool:
    """Delete *item* together with the metadata that it leaves behind; return whether all of it was deleted."""
    instance, repository = exchange.instance, exchange.instance.repositories[item.repo]
    with instance.store.transaction():
        folders = computed_metadata.before_delete(instance.store, repository, item)
        is_gone = instance.store.delete(item, permitted, atomic=is_atomic)
        computed_metadata.recompute(instance.store, repository, folders, instance.now_ms())
    return is_gone


async def receive(exchange: Exchange) -> Content:
    """Read the request's body into a blob."""
    return await intake.receive(exchange.instance, exchange.body())


async def _read_at_most(exchange: Exchange, limit: int) -> bytes:
    body = bytearray()
    async with aclosing(exchange.body()) as chunks:
        async for data in chunks:
            body += data
            if len(body) > limit:
                size = exchange.request.content_length or len(body)
                message = f"Suspicious checksum file, content length of {size} bytes is bigger than allowed."
                refuse(409, message, servlet=True)
    return bytes(body)


async def _drain(exchange: Exchange) -> None:
    async with aclosing(exchange.body()) as body:
        async for _ in body:
            pass
