"""
``PUT api/build``, ``POST api/build/append``, and ``PUT /artifactory-build-info/...``: build info becomes a file.

The document is stored as ``{name}/{number}-{start}.json`` in the repository for build info, which is created by the
first build that is published.
"""

import json
from functools import partial
from typing import Any

from ...indexes import arrivals
from ...protocol import build_info
from ...protocol.build_info import BuildInfoError, Run
from ...protocol.replies import RefusalError, Reply, refuse
from ...repositories.definitions import BUILD_INFO_TYPE
from ...storage.store import Checksums, Deployment, Item
from ...wire.exchange import Exchange
from ..items import deploy
from .build_access import BuildAccess, access, as_rest, ensure_repository, path_names, read_json, understood
from .build_artifacts import fill_checksums
from .build_removal import Retention, retain

_LIMIT = 64 << 20  # bytes of a document


async def publish(exchange: Exchange) -> Reply:
    """Record a run. One with the same name, number and start is replaced, which requires the right to delete it."""
    if exchange.target.segments:
        refuse(405, "Method Not Allowed")
    exchange.demand_user()
    document = understood(partial(build_info.parse_document, await exchange.whole_body(_LIMIT)))
    builds = access(exchange)
    run = understood(partial(build_info.run_of, document))
    await _demand_deploy(builds, run)
    item = await exchange.instance.in_thread(partial(publish_document, builds, document))
    return Reply(204, {"X-Checksum-Sha256": item.content.sha256} if exchange.instance.profile.is_platform else {})


async def append(exchange: Exchange) -> Reply:
    """Add modules to a run. One with the same id as another is added separately."""
    exchange.demand_user()
    name, number = path_names(exchange, "api/build/append", count=2)
    modules = await read_json(exchange, _LIMIT)
    if not isinstance(modules, list) or not all(isinstance(each, dict) for each in modules):
        refuse(400, "Error parsing json body")
    builds = access(exchange)
    run = builds.find(name, number, exchange.target.query.get("started", ""))
    if run is None:
        refuse(404, "No builds were found")
    for action in "rdw":
        builds.demand(action, run)
    document = builds.document(run)
    document["modules"] = [*document.get("modules", ()), *modules]
    await exchange.instance.in_thread(partial(publish_document, builds, document))
    return Reply(204)


def is_document(exchange: Exchange) -> bool:
    """Return whether a request deploys a file to a repository for build info."""
    repository = exchange.instance.repositories.get(exchange.target.repository)
    is_file = bool(exchange.target.item_path) and not exchange.target.is_folder
    is_deploy = exchange.request.method == "PUT" and is_file
    return is_deploy and repository is not None and repository.package_type == BUILD_INFO_TYPE


async def deploy_document(exchange: Exchange) -> Reply:
    """Record the run that is deployed to the repository for build info, at any path."""
    key, path = exchange.target.repository, exchange.target.item_path
    if not path.lower().endswith(".json"):
        rejected = f"The '{key}' repository rejected the deployment of '{path}'."
        message = f"{rejected} Only valid Build Info .json files are supported."
        refuse(409, message, servlet=True)
    builds = BuildAccess(exchange, key)
    try:
        document = build_info.parse_document(await exchange.whole_body(_LIMIT))
        run = build_info.run_of(document)
    except BuildInfoError:
        message = f"{key}:{path} could not be deployed. Build Info repositories only supports build-info.json files."
        refuse(400, message, servlet=True)
    await _demand_deploy(builds, run)
    item = await exchange.instance.in_thread(partial(publish_document, builds, document))
    return deploy.created(exchange, item)


def publish_document(builds: BuildAccess, document: dict[str, Any]) -> Item:
    """
    Store a document, record the run that it describes, and delete the runs that its retention does not keep.

    Raises:
        RefusalError: 400 if a part of it has another type than it should have.
    """
    instance, user = builds.exchange.instance, builds.exchange.user
    policy = document.get("buildRetention")
    retention = understood(partial(Retention.of, policy)) if policy else None
    _complete(builds, document)
    item = _store(builds, document, by=user.name, now=instance.now_ms())
    if retention and instance.edition == "pro":
        retain(builds, build_info.run_of(document).name, retention)
    return item


def _store(builds: BuildAccess, document: dict[str, Any], *, by: str, now: int) -> Item:
    """
    Store a document as it is, and record the run that it describes.

    Raises:
        RefusalError: 400 if a part of it has another type than it should have.
    """
    store, run = builds.exchange.instance.store, understood(partial(build_info.run_of, document))
    ensure_repository(builds.exchange, builds.repository)
    repository = builds.exchange.instance.repositories[builds.repository]
    content = store.blobs.add(json.dumps(document, ensure_ascii=False, indent=2).encode())
    how = Deployment(by=by, now=now, original=Checksums(content.sha1, content.md5, content.sha256))
    return understood(partial(arrivals.store_file, store, repository, run.path, content, how))


def _complete(builds: BuildAccess, document: dict[str, Any]) -> None:
    """
    Add the fields that the server determines.

    Raises:
        RefusalError: 400 if a part of the modules has another type than it should have.
    """
    understood(partial(build_info.modules_of, document))
    document["artifactoryPrincipal"] = builds.exchange.user.name
    document.setdefault("durationMillis", 0)
    fill_checksums(builds.exchange.instance.store, document)
    _aggregate_issues(builds, document)


def _aggregate_issues(builds: BuildAccess, document: dict[str, Any]) -> None:
    """Copy the issues of the previous build, if that is requested and it has not reached the final status."""
    issues = document.get("issues") or {}
    if not issues.get("aggregateBuildIssues"):
        return
    before = build_info.order_of(builds.runs(build_info.run_of(document).name))
    previous = builds.document(before[-1]) if before else {}
    final = str(issues.get("aggregationBuildStatus", "")).lower()
    if any(status.status.lower() == final for status in build_info.statuses_of(previous)):
        return
    known = build_info.issues_of(document)
    keys = [each.get("key") for each in known]
    inherited = [dict(each) | {"aggregated": True} for each in build_info.issues_of(previous)]
    issues["affectedIssues"] = [*known, *(each for each in inherited if each.get("key") not in keys)]


async def _demand_deploy(builds: BuildAccess, run: Run) -> None:
    """
    Accept users who may publish *run*, and replace it if it exists.

    Raises:
        RefusalError: 401 or 403.
    """
    exchange = builds.exchange
    ensure_repository(exchange, builds.repository)
    exchange.target = exchange.target.elsewhere(builds.repository, run.path)
    try:
        await deploy.demand_deploy(exchange, Checksums())
    except RefusalError as refusal:
        raise as_rest(refusal) from None
