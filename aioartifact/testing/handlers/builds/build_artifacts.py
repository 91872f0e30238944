"""The files on the server that are artifacts and dependencies of builds, and ``POST api/search/buildArtifacts``."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...protocol import build_info, jackson
from ...protocol.build_info import Document, Produced, Run
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...storage.store import Item, Store, select
from ...wire.exchange import Exchange
from ..request_checks import demand_pro
from ..security.entities import text, texts
from .build_access import BuildAccess, access, path_names, read_object

_OF_BUILD = "items.id IN (SELECT item_id FROM properties WHERE key = ? AND value = ?)"
_JSON = "application/json"
_BOTH = (
    "Cannot search with both build number and build status parameters, please omit build number if your are looking"
    " for latest build by status or omit build status to search for specific build version."
)


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """
    Files of a build.

    Attributes:
        items: Those that are on the server, each once.
        missing: Those that are not.
    """

    items: tuple[Item, ...]
    missing: tuple[Produced, ...]


def artifacts_of(builds: BuildAccess, document: Document, source: str = "") -> FoundFiles:
    """
    Find the artifacts of a run: files with its name and number as properties, and the content of an artifact.

    Args:
        builds: The builds of the request; files that the user may not read are not found.
        document: Describes the run.
        source: The only repository to look in, ``""`` for any.
    """
    run, modules = build_info.run_of(document), build_info.modules_of(document)
    unmatched = [file for module in modules for file in module.artifacts if file.sha1]
    found: dict[int, Item] = {}
    for item in _readable(builds, _with_properties(builds, run, source)):
        same = [file for file in unmatched if file.sha1 == item.sha1]
        if same:
            unmatched.remove(next((file for file in same if file.name == item.name), same[0]))
            found[item.id] = item
    if builds.exchange.instance.profile.is_platform:
        for item in _readable(builds, _at_recorded_paths(builds, document, source)):
            unmatched = [file for file in unmatched if file.sha1 != item.sha1]
            found.setdefault(item.id, item)
    return FoundFiles(tuple(found.values()), tuple(unmatched))


def dependencies_of(builds: BuildAccess, document: Document, scopes: Sequence[str]) -> FoundFiles:
    """
    Find the dependencies of a run by their content; of several files, the one whose name is part of the identifier.

    Args:
        builds: The builds of the request; files that the user may not read are not found.
        document: Describes the run.
        scopes: Only dependencies with one of these; none for all.
    """
    found: dict[int, Item] = {}
    missing = []
    for file in (file for module in build_info.modules_of(document) for file in module.dependencies if file.sha1):
        same = list(_readable(builds, builds.exchange.instance.store.find_content(sha1=file.sha1)))
        if not same:
            missing.append(file)
        elif not scopes or set(scopes).intersection(file.scopes):
            item = next((item for item in same if item.name in file.name), same[0])
            found[item.id] = item
    return FoundFiles(tuple(found.values()), tuple(missing))


def fill_checksums(store: Store, document: dict[str, Any]) -> None:
    """Add the checksums that are missing where a file has some, and the server has that content."""
    modules = document.get("modules") or ()
    for file in (file for module in modules for kind in ("artifacts", "dependencies") for file in module.get(kind, ())):
        known = {kind: file[kind] for kind in ("sha256", "sha1") if isinstance(file.get(kind), str) and file[kind]}
        if not known or all(file.get(kind) for kind in ("sha1", "sha256", "md5")):
            continue
        if same := store.find_content(sha256=known.get("sha256"), sha1=known.get("sha1")):
            content = same[0].content
            file.update({kind: file.get(kind) or getattr(content, kind) for kind in ("sha1", "sha256", "md5")})


async def search_artifacts(exchange: Exchange) -> Reply:
    """Find the artifacts of a run, or of the newest run with a status."""
    exchange.demand_user()
    sent = await read_object(exchange)
    name, number, status = (text(sent, field) for field in ("buildName", "buildNumber", "buildStatus"))
    if not name.strip():
        refuse(400, "Cannot search without build name.")
    if not number.strip() and not status.strip():
        refuse(400, "Cannot search without build number or build status.")
    if number.strip() and status.strip():
        refuse(400, _BOTH)
    demand_pro(exchange)
    builds = access(exchange, sent)
    run = _searched(builds, name, number, status)
    document = builds.document(run) if run and builds.can("r", run) else {}
    wanted = texts(sent, "repos")
    found = artifacts_of(builds, document).items if document else ()
    listed: list[jackson.JSON] = [
        {"downloadUri": exchange.link(item.repo, item.path)} for item in found if not wanted or item.repo in wanted
    ]
    if not listed:
        named = f"number '{number}'" if number.strip() else f"status '{status}'"
        refuse(404, f"Could not find any build artifacts for build '{name}' {named}")
    return json_reply({"results": listed}, f"{VENDOR}search.BuildArtifactsSearchResult+json")


async def list_artifacts(exchange: Exchange) -> Reply:
    """List the artifacts of a run as ``GET api/builds/buildArtifacts/{name}/{number}/{repository}`` does (7.x)."""
    if not exchange.instance.profile.is_platform:
        refuse(404, "Not Found")
    name, number, repository = path_names(exchange, "api/builds/buildArtifacts", count=3)
    builds = BuildAccess(exchange, repository)
    _, document = builds.demand_document(name, number)
    listed: list[jackson.JSON] = [
        {"repo": item.repo, "path": item.parent, "name": item.name} for item in artifacts_of(builds, document).items
    ]
    return json_reply(listed, _JSON)


def _searched(builds: BuildAccess, name: str, number: str, status: str) -> Run | None:
    """Return the run that a search names; the number ``LATEST`` stands for the newest one."""
    if number and number != "LATEST":
        return builds.find(name, number)
    runs = build_info.order_of(builds.runs(name))
    found = [run for run in runs if not status or builds.status(run) == status]
    return found[-1] if found else None


def _with_properties(builds: BuildAccess, run: Run, source: str) -> list[Item]:
    condition = f"{_OF_BUILD} AND {_OF_BUILD}" + (" AND repo = ?" if source else "")
    values = ["build.name", run.name, "build.number", run.number, *filter(None, [source])]
    with builds.exchange.instance.store.reader() as connection:
        return [item for item, _ in select(connection, condition, values) if not item.is_folder]


def _at_recorded_paths(builds: BuildAccess, document: Document, source: str) -> Iterator[Item]:
    """Yield the files at the repositories and paths that 7.x clients record, unless their content is another."""
    for module in document.get("modules", ()):
        for file in module.get("artifacts", ()):
            repository, path = file.get("originalDeploymentRepo"), file.get("path")
            if not (isinstance(repository, str) and isinstance(path, str)) or source not in ("", repository):
                continue
            item = builds.exchange.instance.store.get(repository, path.strip("/"))
            if item and item.sha1 and item.sha1 == file.get("sha1"):
                yield item


def _readable(builds: BuildAccess, items: Iterable[Item]) -> Iterator[Item]:
    may_read = partial(builds.exchange.instance.accounts.can, builds.exchange.user, "r")
    return (item for item in items if may_read(item.repo, item.path))
